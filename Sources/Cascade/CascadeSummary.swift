import Streams

/// The counts of a run as a few lines for people.
public struct CascadeSummary: Sendable {
    public var tally: CascadeTally
    public var labels: [String]
    /// From the first read to the last write.
    public var seconds: Double

    public init(tally: CascadeTally, labels: [String], seconds: Double) {
        self.tally = tally
        self.labels = labels
        self.seconds = seconds
    }

    public var text: String {
        let answered = tally.answered
        var rows: [String] = []
        let rate = seconds > 0 ? Double(tally.lines) / seconds : 0
        rows.append(
            "\(Self.grouped(tally.lines)) lines in \(Self.decimal(seconds, 2)) s"
                + " (\(Self.grouped(Int(rate.rounded()))) lines/s)")
        var parts = ["\(Self.grouped(answered)) answered"]
        if tally.blank > 0 { parts.append("\(Self.grouped(tally.blank)) blank") }
        if tally.refused > 0 {
            let kinds = LineFlaw.Kind.allCases.filter { tally.flaws[$0.index] > 0 }
                .map { "\(Self.grouped(tally.flaws[$0.index])) \($0.rawValue)" }
            parts.append("\(Self.grouped(tally.refused)) refused (\(kinds.joined(separator: ", ")))")
        }
        rows.append("  " + parts.joined(separator: ", "))
        if tally.deferred > 0 {
            var teacher = "  teacher asked about \(Self.grouped(tally.deferred))"
            teacher += " (\(Self.share(tally.deferred, of: answered))),"
            teacher += " said otherwise about \(Self.grouped(tally.disagreements))"
            if tally.skipped > 0 { teacher += ", gave no answer about \(Self.grouped(tally.skipped))" }
            rows.append(teacher)
        } else {
            rows.append("  teacher not asked")
        }
        let order = labels.indices.sorted { (tally.answers[$0], $1) > (tally.answers[$1], $0) }
        let width = labels.map(\.count).max() ?? 0
        let digits = Self.grouped(tally.answers.max() ?? 0).count
        for index in order {
            let name = labels[index] + String(repeating: " ", count: width - labels[index].count)
            let count = Self.grouped(tally.answers[index])
            let padded = String(repeating: " ", count: digits - count.count) + count
            rows.append("  \(name)  \(padded)  \(Self.share(tally.answers[index], of: answered))")
        }
        return rows.joined(separator: "\n") + "\n"
    }

    private static func share(_ part: Int, of whole: Int) -> String {
        whole > 0 ? decimal(100 * Double(part) / Double(whole), 1) + " %" : "0.0 %"
    }

    private static func decimal(_ value: Double, _ places: Int) -> String {
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        let scaled = Int((value * scale).rounded())
        let unit = Int(scale)
        let fraction = String(scaled % unit)
        return "\(scaled / unit)." + String(repeating: "0", count: places - fraction.count) + fraction
    }

    /// 1234567 as `1,234,567`.
    private static func grouped(_ value: Int) -> String {
        var result = ""
        for (index, digit) in String(value).reversed().enumerated() {
            if index > 0, index % 3 == 0 { result.append(",") }
            result.append(digit)
        }
        return String(result.reversed())
    }
}
