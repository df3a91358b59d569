import Diagnostics

/// The parts of the status page.
enum StatusSections {
    static func life(_ status: ServiceStatus) -> HTML {
        """
        <span>\(status.phase.rawValue) for \(StatusFormat.span(status.time - status.since))</span> \
        <span>up \(StatusFormat.span(status.uptimeSeconds))</span> \
        \(HTML.joined(StatusFormat.models(status).map { "<span>\(foreign($0, 50))</span> " as HTML }))
        """
    }

    static func warnings(_ status: ServiceStatus) -> HTML {
        guard !status.warnings.isEmpty else { return "" }
        let items = status.warnings.map { "<li>\(HTML(foreign: $0, columns: 400))</li>" as HTML }
        return "<ul class=\"warnings\">\(HTML.joined(items))</ul>"
    }

    /// The few numbers that say whether all is well, what it costs, and whether the student still fits.
    static func tiles(_ status: ServiceStatus) -> HTML {
        var tiles: [HTML] = [
            tile(
                "Lines a second", StatusFormat.rate(status.totals.linesPerSecond),
                "\(StatusFormat.count(status.totals.answered)) answered since the start")
        ]
        if status.teacherModel != nil {
            tiles.append(
                tile(
                    "Deferred to the teacher", StatusFormat.percent(status.teacher.deferralShare),
                    "\(StatusFormat.percent(status.teacher.deferralShareSinceStart)) since the start"))
            tiles.append(agreementTile(status))
        }
        let tail = status.latency.lineP99Seconds.map { "99 % within \(StatusFormat.duration($0))" }
        tiles.append(
            tile(
                "Read to answered", StatusFormat.duration(status.latency.lineP50Seconds),
                tail ?? "no answer delivered yet"))
        return "<section class=\"tiles\">\(HTML.joined(tiles))</section>"
    }

    /// The latest hours, if enough was checked in them; else all that was checked.
    private static func agreementTile(_ status: ServiceStatus) -> HTML {
        let total = AgreementTrend.total(status.agreement)
        let recent = AgreementTrend.recent(status.agreement, now: status.time)
        guard let share = total.share else { return tile("Teacher agrees", "–", "no sure answer checked yet") }
        let overall = "\(NumberText.percent(share)) of \(StatusFormat.count(total.asked)) checks"
        switch status.trend {
        case .unknown:
            return tile("Teacher agrees", NumberText.percent(share), "\(StatusFormat.count(total.asked)) checks")
        case .steady: return tile("Teacher agrees", StatusFormat.percent(recent.share), "steady; \(overall)")
        case .falling:
            return tile("Teacher agrees", StatusFormat.percent(recent.share), "falling; \(overall)", mood: "attention")
        }
    }

    private static func tile(_ name: String, _ value: String, _ note: String, mood: String = "") -> HTML {
        """
        <div class="tile \(mood)"><h2>\(name)</h2><p class="value">\(value)</p><p class="note">\(note)</p></div>
        """
    }

    static func charts(_ status: ServiceStatus) -> HTML {
        let pace = card(
            "Lines a second", "",
            StatusChart.area(status.pace.linesPerSecond, stepSeconds: status.pace.stepSeconds))
        let labels = card("Labels", "of all answers", labels(status))
        let confidence = card("Confidence of the student", "all lines", StatusChart.bars(status.confidence))
        let facts = card("Behind the answers", "", facts(status))
        guard status.teacherModel != nil else {
            return "<section class=\"charts\">\(pace)\(confidence)\(labels)\(facts)</section>"
        }
        let agreement = card(
            "Agreement on checked lines", "by hour, with its 95 % interval",
            StatusChart.agreement(status.agreement, now: status.time))
        return """
            <section class="charts">\(pace)\(agreement)\(labels)<div class="stack">\(confidence)\(facts)</div></section>
            """
    }

    static func card(_ title: String, _ note: String, _ content: HTML) -> HTML {
        "<div class=\"card\"><h2>\(title) <small>\(note)</small></h2>\(content)</div>"
    }

    private static func labels(_ status: ServiceStatus) -> HTML {
        let total = status.labels.reduce(0) { $0 + $1.answers }
        guard total > 0 else { return "<p class=\"none\">No line has been answered yet.</p>" }
        let largest = Double(status.labels[0].answers)
        let rows = status.labels.prefix(12).map { label -> HTML in
            let share = Double(label.answers) / Double(total)
            let width = NumberText.fixed(Double(label.answers) / largest * 100, digits: 1)
            return """
                <li><span class="name">\(foreign(label.label, 40))</span>\
                <span class="track"><b style="width:\(width)%"></b></span>\
                <span class="number">\(NumberText.percent(share))</span></li>
                """
        }
        let left = status.labels.count - rows.count
        let rest: HTML = left > 0 ? "<p class=\"none\">and \(left) more</p>" : ""
        return "<ul class=\"mix\">\(HTML.joined(rows))</ul>\(rest)"
    }

    /// How the teacher does, and how far the commits are behind.
    private static func facts(_ status: ServiceStatus) -> HTML {
        var facts: [(name: String, value: String)] = []
        if status.teacherModel != nil {
            let circuit =
                switch status.teacher.circuit {
                case .closed: "is asked"
                case .halfOpen: "is being tried again"
                case .open: "rests after failures"
                }
            facts.append(("The teacher", circuit))
            facts.append(("Lines that wait for it", StatusFormat.count(status.teacher.queueLines)))
            facts.append(("Said otherwise", StatusFormat.count(status.teacher.disagreements)))
            facts.append(("Gave no answer about", StatusFormat.count(status.teacher.skipped)))
        }
        facts.append(("Records not committed yet", StatusFormat.count(status.delivery.uncommittedRecords)))
        facts.append(
            ("Age of the oldest", NumberText.fixed(status.delivery.checkpointLagSeconds, digits: 1) + " s"))
        let rows = facts.map { "<div><dt>\($0.name)</dt><dd>\($0.value)</dd></div>" as HTML }
        return "<dl>\(HTML.joined(rows))</dl>"
    }

    static func flow(_ status: ServiceStatus) -> HTML {
        guard !status.sources.isEmpty || !status.sinks.isEmpty else { return "" }
        let sources = table(
            "Sources", ["lines", "lines/s", "waiting", "refused"],
            status.sources.map { source in
                (
                    source.name,
                    [
                        StatusFormat.count(source.lines), StatusFormat.rate(source.linesPerSecond),
                        StatusFormat.count(source.pendingLines), StatusFormat.count(source.refused),
                    ]
                )
            })
        let sinks = table(
            "Sinks", ["records", "records/s", "size", "dropped"],
            status.sinks.map { sink in
                (
                    sink.name,
                    [
                        StatusFormat.count(sink.records), StatusFormat.rate(sink.recordsPerSecond),
                        StatusFormat.bytes(sink.bytes), StatusFormat.count(sink.dropped),
                    ]
                )
            })
        return "<section class=\"charts\">\(sources)\(sinks)</section>"
    }

    private static func table(_ title: String, _ heads: [String], _ rows: [(name: String, cells: [String])]) -> HTML {
        let head = HTML.joined(heads.map { "<th scope=\"col\">\($0)</th>" as HTML })
        let body = rows.map { row -> HTML in
            let cells = HTML.joined(row.cells.map { "<td>\($0)</td>" as HTML })
            return "<tr><th scope=\"row\">\(foreign(row.name, 60))</th>\(cells)</tr>"
        }
        return """
            <div class="card"><table><thead><tr><th scope="col"><h2>\(title)</h2></th>\(head)</tr></thead>\
            <tbody>\(HTML.joined(body))</tbody></table></div>
            """
    }

    static func disagreements(_ status: ServiceStatus) -> HTML {
        guard status.teacherModel != nil || !status.disagreements.isEmpty else { return "" }
        let rows = status.disagreements.prefix(20).map { row -> HTML in
            """
            <li><p class="text">\(foreign(row.text, 240))</p><p class="said">\
            <time>\(StatusFormat.clock(row.time, now: status.time))</time> <span>\(foreign(row.source, 40))</span> \
            <span>\(row.reason == "audit" ? "student was sure" : "student was unsure")</span> \
            <span class="verdict"><q>\(foreign(row.studentLabel, 40))</q> \
            \(NumberText.fixed(row.studentConfidence, digits: 2)) → <q>\(foreign(row.teacherLabel, 40))</q> \
            \(NumberText.fixed(row.teacherConfidence, digits: 2))</span></p></li>
            """
        }
        let list: HTML =
            rows.isEmpty ? "<p class=\"none\">None yet.</p>" : "<ol class=\"lines\">\(HTML.joined(rows))</ol>"
        return """
            <section class="card"><h2>Latest disagreements <small>student → teacher</small></h2>\(list)</section>
            """
    }

    static func footer(_ status: ServiceStatus) -> HTML {
        var parts: [HTML] = [
            "understudy \(status.version)", "pid \(status.pid)",
            "\(StatusFormat.bytes(status.residentBytes)) of memory",
        ]
        for (role, model) in [("student", status.studentModel), ("teacher", status.teacherModel)] {
            guard let fingerprint = model?.fingerprint else { continue }
            parts.append("\(role) \(HTML(foreign: fingerprint, columns: 13))")
        }
        parts.append("\(StatusFormat.moment(status.time))")
        parts += ["<a href=\"/status\">JSON</a>", "<a href=\"/metrics\">metrics</a>"]
        return HTML.joined(parts.map { "<span>\($0)</span> " as HTML })
    }

    /// Text from elsewhere, in a direction of its own.
    private static func foreign(_ text: String, _ columns: Int) -> HTML {
        "<bdi>\(HTML(foreign: text, columns: columns))</bdi>"
    }
}
