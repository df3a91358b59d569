import Diagnostics

/// Renders the status for a terminal, as printed by `understudy status`.
public struct StatusText: Sendable {
    /// Minimum width in columns; narrower terminals wrap.
    static let narrowest = 72
    static let widest = 120

    private let status: ServiceStatus
    private let width: Int
    private let colours: Bool

    /// `width` is limited to 72 … 120 columns; 80 suits output other than a terminal. `colours` is for terminals only.
    public init(_ status: ServiceStatus, width: Int = 80, colours: Bool = false) {
        self.status = status
        self.width = min(Self.widest, max(Self.narrowest, width))
        self.colours = colours
    }

    /// The lines, each with a line end.
    public var text: String {
        var blocks = [head]
        if !status.warnings.isEmpty { blocks.append(warnings) }
        blocks.append(figures)
        if let oversight = status.oversight, oversight.drift.lines > 0 { blocks.append(student(oversight)) }
        if !status.sources.isEmpty { blocks.append(sources) }
        if !status.sinks.isEmpty { blocks.append(sinks) }
        if status.labels.contains(where: { $0.answers > 0 }) { blocks.append(labels) }
        if !status.disagreements.isEmpty { blocks.append(disagreements) }
        return blocks.map { $0.map { trimmed($0) + "\n" }.joined() }.joined(separator: "\n")
    }

    // MARK: Blocks

    private var head: [String] {
        let headline = StatusHeadline(status)
        let colour =
            switch headline.mood {
            case .good: "32"
            case .busy: "36"
            case .attention: "33"
            case .bad: "31"
            }
        let program = "understudy \(status.version) · pid \(status.pid)"
        let title = DisplayText.padded(headline.title, width - 3 - DisplayText.width(program))
        var lines = [painted("●", colour) + " " + painted(title, "1") + " " + program]
        if !headline.detail.isEmpty { lines += wrapped(headline.detail, indent: 2) }
        let phase = "\(status.phase.rawValue) for \(StatusFormat.span(status.time - status.since))"
        let models = StatusFormat.models(status).map { DisplayText.clean($0, columns: 28) }
        let life = ([phase, "up \(StatusFormat.span(status.uptimeSeconds))"] + models).joined(separator: " · ")
        lines.append("  " + DisplayText.clean(life, columns: width - 2))
        return lines
    }

    private var warnings: [String] {
        status.warnings.flatMap { warning in
            var lines = wrapped(warning, indent: 4)
            if let first = lines.first { lines[0] = "  " + painted("!", "33") + first.dropFirst(3) }
            return lines
        }
    }

    private var figures: [String] {
        let totals = status.totals
        let teacher = status.teacher
        var rows: [(String, String)] = []
        let spark = Self.sparkline(status.pace.linesPerSecond.suffix(30).map { $0 })
        rows.append(("Now", "\(StatusFormat.rate(totals.linesPerSecond)) lines/s   \(spark)"))
        if status.latency.lineP50Seconds != nil {
            rows.append(
                (
                    "Latency",
                    "50 % within \(StatusFormat.duration(status.latency.lineP50Seconds)),"
                        + " 99 % within \(StatusFormat.duration(status.latency.lineP99Seconds))"
                ))
        }
        var answered = "\(StatusFormat.count(totals.answered)) of \(StatusFormat.count(totals.lines)) lines"
        if totals.refused > 0 { answered += ", \(StatusFormat.count(totals.refused)) refused" }
        if totals.dropped > 0 { answered += ", \(StatusFormat.count(totals.dropped)) dropped" }
        rows.append(("Answered", answered))
        if status.teacherModel != nil {
            rows.append(
                (
                    "Deferred",
                    "\(StatusFormat.percent(teacher.deferralShare)) in the last minute,"
                        + " \(StatusFormat.percent(teacher.deferralShareSinceStart)) since the start"
                ))
            rows.append(("Agreement", agreement))
            rows.append(("Teacher", self.teacher))
            rows.append(("", "disagreed on \(StatusFormat.count(teacher.disagreements)) lines"))
        }
        let lag = NumberText.fixed(status.delivery.checkpointLagSeconds, digits: 1)
        rows.append(
            ("Committed", "all but \(StatusFormat.count(status.delivery.uncommittedRecords)) records; lag \(lag) s"))
        return rows.map { "  " + DisplayText.padded($0.0, 11) + $0.1 }
    }

    private var agreement: String {
        let total = AgreementTrend.total(status.agreement)
        guard let share = total.share else { return "no audits yet" }
        let interval = total.interval
        let bounds =
            NumberText.fixed(interval.lowerBound * 100, digits: 1) + "–"
            + NumberText.percent(interval.upperBound)
        let trend =
            switch status.trend {
            case .unknown: "too few lines for a trend"
            case .steady: "steady"
            case .falling: painted("falling", "33")
            }
        return "\(NumberText.percent(share)) of \(StatusFormat.count(total.asked)) audits (\(bounds)), \(trend)"
    }

    private var teacher: String {
        let teacher = status.teacher
        var text =
            switch teacher.circuit {
            case .closed: "available"
            case .halfOpen: painted("probing", "33")
            case .open: painted("unavailable", "33")
            }
        text += "; \(StatusFormat.count(teacher.queueLines)) lines wait"
        if teacher.skipped > 0 { text += ", \(StatusFormat.count(teacher.skipped)) skipped" }
        return text
    }

    private func student(_ oversight: MonitoringReading) -> [String] {
        var lines = [painted("Student", "1")]
        for sentence in MonitoringText.drift(oversight.drift) { lines += wrapped(sentence, indent: 2) }
        for facts in [
            oversight.promotion.map { MonitoringText.promotion($0, now: status.time) },
            oversight.shadow.map(MonitoringText.shadow),
        ].compactMap({ $0 }) {
            for (name, value) in facts {
                lines += wrapped(name.isEmpty ? value : "\(name): \(value)", indent: 2)
            }
        }
        return lines
    }

    private var sources: [String] {
        table(
            "Sources", ["lines", "lines/s", "waiting", "refused"],
            status.sources.map { source in
                [
                    source.name, StatusFormat.count(source.lines), StatusFormat.rate(source.linesPerSecond),
                    StatusFormat.count(source.pendingLines), StatusFormat.count(source.refused),
                ]
            })
    }

    private var sinks: [String] {
        table(
            "Sinks", ["records", "records/s", "size", "dropped"],
            status.sinks.map { sink in
                [
                    sink.name, StatusFormat.count(sink.records), StatusFormat.rate(sink.recordsPerSecond),
                    StatusFormat.bytes(sink.bytes), StatusFormat.count(sink.dropped),
                ]
            })
    }

    private var labels: [String] {
        let total = max(1, status.labels.reduce(0) { $0 + $1.answers })
        let largest = max(1, status.labels.first?.answers ?? 1)
        let rows = status.labels.prefix(12).map { label in
            let bar = Double(label.answers) / Double(largest) * Double(width - 38)
            return "  " + DisplayText.padded(DisplayText.clean(label.label, columns: 24), 24)
                + DisplayText.padded(NumberText.percent(Double(label.answers) / Double(total)), 9, right: true) + "  "
                + String(repeating: "━", count: max(0, Int(bar.rounded())))
        }
        let left = status.labels.count - rows.count
        return [painted("Labels", "1")] + rows + (left > 0 ? ["  and \(left) more"] : [])
    }

    private var disagreements: [String] {
        var lines = [painted("Latest disagreements", "1") + "  (student → teacher)"]
        for row in status.disagreements.prefix(5) {
            let student = DisplayText.clean(row.studentLabel, columns: 18)
            let teacher = DisplayText.clean(row.teacherLabel, columns: 18)
            lines.append(
                "  \(StatusFormat.clock(row.time, now: status.time))  \(student) \(NumberText.fixed(row.studentConfidence, digits: 2))"
                    + " → \(teacher) \(NumberText.fixed(row.teacherConfidence, digits: 2))")
            lines.append("    " + DisplayText.clean(row.text, columns: width - 4))
        }
        return lines
    }

    // MARK: Parts

    private func table(_ title: String, _ heads: [String], _ rows: [[String]]) -> [String] {
        let cell = 12
        let name = width - 2 - cell * heads.count
        let head =
            painted(DisplayText.padded(title, name + 2), "1")
            + heads.map { DisplayText.padded($0, cell, right: true) }.joined()
        return [head]
            + rows.map { row in
                "  " + DisplayText.padded(DisplayText.clean(row[0], columns: name - 1), name)
                    + row.dropFirst().map { DisplayText.padded($0, cell, right: true) }.joined()
            }
    }

    private func wrapped(_ text: String, indent: Int) -> [String] {
        let margin = String(repeating: " ", count: indent)
        var lines: [String] = []
        var line = ""
        for word in DisplayText.clean(text, columns: 1000).split(separator: " ") {
            if !line.isEmpty, DisplayText.width(line) + 1 + DisplayText.width(String(word)) > width - indent {
                lines.append(margin + line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + DisplayText.clean(String(word), columns: width - indent)
        }
        return line.isEmpty ? lines : lines + [margin + line]
    }

    private func painted(_ text: String, _ code: String) -> String {
        colours ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }

    private func trimmed(_ line: String) -> String {
        var line = line
        while line.hasSuffix(" ") { line.removeLast() }
        return line
    }

    /// Renders each value as one of eight heights; the largest has full height.
    static func sparkline(_ values: [Double]) -> String {
        guard let largest = values.max(), largest > 0 else { return "" }
        let steps = Array("▁▂▃▄▅▆▇█")
        return String(values.map { steps[max(0, min(7, Int(($0 / largest * 8).rounded(.up)) - 1))] })
    }
}
