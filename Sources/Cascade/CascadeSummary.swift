import Diagnostics
import Streams

/// Formats the counts of a run as a few lines of text.
public struct CascadeSummary: Sendable {
    public var tally: CascadeTally
    public var labels: [String]
    /// Seconds from the first read to the last write.
    public var seconds: Double

    /// A line that the teacher gave another label than the student.
    public struct Disagreement: Sendable {
        public var text: String
        /// Indices of labels.
        public var student: Int
        public var teacher: Int

        public init(text: String, student: Int, teacher: Int) {
            self.text = text
            self.student = student
            self.teacher = teacher
        }
    }

    /// Maximum number of disagreements that a summary shows.
    public static let mostDisagreements = 5

    public var disagreements: [Disagreement]

    public init(
        tally: CascadeTally, labels: [String], seconds: Double, disagreements: [Disagreement] = []
    ) {
        self.disagreements = disagreements
        self.tally = tally
        self.labels = labels
        self.seconds = seconds
    }

    public var text: String {
        let answered = tally.answered
        var rows: [String] = []
        let rate = seconds > 0 ? Double(tally.lines) / seconds : 0
        rows.append(
            "\(NumberText.grouped(tally.lines)) lines in \(Self.decimal(seconds, 2)) s"
                + " (\(NumberText.grouped(Int(rate.rounded()))) lines/s)")
        var parts = ["\(NumberText.grouped(answered)) answered"]
        if tally.blank > 0 { parts.append("\(NumberText.grouped(tally.blank)) blank") }
        if tally.refused > 0 {
            let kinds = LineFlaw.Kind.allCases.filter { tally.flaws[$0.index] > 0 }
                .map { "\(NumberText.grouped(tally.flaws[$0.index])) \($0.rawValue)" }
            parts.append("\(NumberText.grouped(tally.refused)) refused (\(kinds.joined(separator: ", ")))")
        }
        rows.append("  " + parts.joined(separator: ", "))
        if tally.deferred > 0 {
            var teacher = "  \(NumberText.grouped(tally.deferred)) deferred to the teacher"
            teacher += " (\(Self.share(tally.deferred, of: answered))),"
            teacher += " which disagreed on \(NumberText.grouped(tally.disagreements))"
            if tally.skipped > 0 { teacher += " and skipped \(NumberText.grouped(tally.skipped))" }
            rows.append(teacher)
        } else {
            rows.append("  none deferred to the teacher")
        }
        let order = labels.indices.sorted { (tally.answers[$0], $1) > (tally.answers[$1], $0) }
        let width = labels.map(\.count).max() ?? 0
        let digits = NumberText.grouped(tally.answers.max() ?? 0).count
        for index in order {
            let name = labels[index] + String(repeating: " ", count: width - labels[index].count)
            let count = NumberText.grouped(tally.answers[index])
            let padded = String(repeating: " ", count: digits - count.count) + count
            rows.append("  \(name)  \(padded)  \(Self.share(tally.answers[index], of: answered))")
        }
        if !disagreements.isEmpty { rows.append("  disagreements, student → teacher:") }
        for disagreement in disagreements {
            let (student, teacher) = (labels[disagreement.student], labels[disagreement.teacher])
            rows.append("    \(student) → \(teacher)  \(PrintableText.escaped(disagreement.text))")
        }
        if tally.disagreements > disagreements.count, !disagreements.isEmpty {
            rows.append("    and \(NumberText.grouped(tally.disagreements - disagreements.count)) more")
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
}
