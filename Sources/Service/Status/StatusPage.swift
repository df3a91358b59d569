import Diagnostics
import Pages

/// Renders the status as a self-contained page without scripts or external resources. The browser reloads it every few
/// seconds.
public enum StatusPage {
    /// Seconds between reloads by the browser.
    static let refreshSeconds = 5

    public static func render(_ status: ServiceStatus) -> String {
        let headline = StatusHeadline(status)
        let header: HTML = """
            <header class="\(headline.mood.rawValue)">
            <h1><i></i>\(headline.title)</h1>
            <p class="detail">\(HTML(foreign: headline.detail, columns: 400))</p>
            <p class="meta">\(StatusSections.life(status))</p>
            </header>
            \(StatusSections.warnings(status))

            """
        let main = [
            StatusSections.tiles(status), StatusSections.charts(status), StatusSections.oversight(status),
            StatusSections.flow(status), StatusSections.disagreements(status),
        ]
        return PageFrame.status(
            title: "\(headline.title) · understudy", refreshSeconds: refreshSeconds, header: header,
            main: .joined(main, separator: "\n"), footer: StatusSections.footer(status))
    }
}

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

    /// The key figures: overall state, costs, and agreement of the student.
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
                "Median latency", StatusFormat.duration(status.latency.lineP50Seconds),
                tail ?? "no answer delivered yet"))
        return "<section class=\"tiles\">\(HTML.joined(tiles))</section>"
    }

    /// Shows the recent hours if they have enough audits; else all audits.
    private static func agreementTile(_ status: ServiceStatus) -> HTML {
        let total = AgreementTrend.total(status.agreement)
        let recent = AgreementTrend.recent(status.agreement, now: status.time)
        guard let share = total.share else { return tile("Teacher agrees", "–", "no line audited yet") }
        let overall = "\(NumberText.percent(share)) of \(StatusFormat.count(total.asked)) audits"
        switch status.trend {
        case .unknown:
            return tile("Teacher agrees", NumberText.percent(share), "\(StatusFormat.count(total.asked)) audits")
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
        let facts = card("Teacher and commits", "", facts(status))
        guard status.teacherModel != nil else {
            return "<section class=\"charts\">\(pace)\(confidence)\(labels)\(facts)</section>"
        }
        let agreement = card(
            "Agreement on audited lines", "by hour, with its 95 % interval",
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

    /// The state of the teacher, and the lag of the commits.
    private static func facts(_ status: ServiceStatus) -> HTML {
        var facts: [(name: String, value: String)] = []
        if status.teacherModel != nil {
            let circuit =
                switch status.teacher.circuit {
                case .closed: "available"
                case .halfOpen: "probing"
                case .open: "unavailable"
                }
            facts.append(("Teacher", circuit))
            facts.append(("Queue length", StatusFormat.count(status.teacher.queueLines)))
            facts.append(("Disagreements", StatusFormat.count(status.teacher.disagreements)))
            facts.append(("Skipped lines", StatusFormat.count(status.teacher.skipped)))
        }
        facts.append(("Uncommitted records", StatusFormat.count(status.delivery.uncommittedRecords)))
        facts.append(
            ("Oldest uncommitted record", NumberText.fixed(status.delivery.checkpointLagSeconds, digits: 1) + " s"))
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

    /// Inserts untrusted text, with its own text direction.
    private static func foreign(_ text: String, _ columns: Int) -> HTML {
        "<bdi>\(HTML(foreign: text, columns: columns))</bdi>"
    }
}

/// Drift of the stream, and the monitoring of the last promotion.
extension StatusSections {
    static func oversight(_ status: ServiceStatus) -> HTML {
        guard let oversight = status.oversight,
            oversight.drift.lines > 0 || oversight.promotion != nil || oversight.shadow != nil
        else {
            return ""
        }
        var cards = [card("Drift", "the last \(oversight.drift.windowHours) hours", drift(oversight.drift))]
        if let promotion = oversight.promotion {
            cards.append(card("Last promotion", "", self.promotion(promotion, now: status.time)))
        }
        if let shadow = oversight.shadow {
            cards.append(card("Shadow", "its answers are discarded", facts(MonitoringText.shadow(shadow))))
        }
        return "<section class=\"charts\">\(HTML.joined(cards))</section>"
    }

    private static func drift(_ drift: DriftReading) -> HTML {
        let rows = drift.labels.sorted { max($0.reference, $0.now) > max($1.reference, $1.now) }.prefix(12).map {
            label in
            """
            <li><span class="name">\(HTML(foreign: label.label, columns: 40))</span>\
            <span class="track twice"><i style="width:\(width(label.reference))%"></i>\
            <b style="width:\(width(label.now))%"></b></span>\
            <span class="number">\(NumberText.percent(label.now))</span></li>
            """ as HTML
        }
        let mix: HTML = rows.isEmpty ? "" : "<ul class=\"mix\">\(HTML.joined(rows))</ul>"
        let sentences = MonitoringText.drift(drift).map { "<p class=\"note\">\($0)</p>" as HTML }
        return "\(mix)\(HTML.joined(sentences))"
    }

    private static func width(_ share: Double) -> String { NumberText.fixed(min(1, share) * 100, digits: 1) }

    private static func promotion(_ promotion: PromotionReading, now: Double) -> HTML {
        facts(MonitoringText.promotion(promotion, now: now))
    }

    private static func facts(_ facts: [(name: String, value: String)]) -> HTML {
        let rows = facts.map { name, value in
            "<div><dt>\(HTML(foreign: name, columns: 60))</dt><dd>\(HTML(foreign: value, columns: 400))</dd></div>"
                as HTML
        }
        return "<dl>\(HTML.joined(rows))</dl>"
    }
}
