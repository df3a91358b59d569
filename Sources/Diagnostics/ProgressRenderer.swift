/// Renders progress as text: a bar that fits a terminal's width, or a plain line for logs. Pure.
public enum ProgressRenderer {
    /// The characters of a bar.
    public enum Characters: Sendable {
        /// `━━━━━╸────`: eighth blocks look ragged in many fonts, heavy lines don't.
        case unicode
        /// `=====>----`, for locales that aren't UTF-8.
        case ascii
    }

    // The bar's limits in columns; it uses the width that the fields leave.
    static let narrowestBar = 8
    static let widestBar = 40

    /// One line of at most `width` columns without a newline: stage, bar, share, loss, accuracy, rate, time left.
    ///
    /// If the width is too small for all, the rate is omitted first, then the accuracy, the loss, the bar; the rest is
    /// cut. A terminal wraps a line as wide as itself, so pass one column less than it has.
    public static func bar(_ snapshot: ProgressSnapshot, width: Int, characters: Characters = .unicode) -> String {
        var fields: [(priority: Int, text: String)] = []
        if let share = snapshot.share {
            let percent = wholePercent(share)
            fields.append((0, String(repeating: " ", count: max(0, 5 - percent.count)) + percent))
        } else {
            fields.append((0, "\(NumberText.grouped(snapshot.completed)) \(snapshot.unit)"))
        }
        if let loss = snapshot.loss { fields.append((2, "loss \(NumberText.fixed(loss, digits: 4))")) }
        if let accuracy = snapshot.accuracy { fields.append((3, "accuracy \(NumberText.percent(accuracy))")) }
        if let deferred = snapshot.deferred { fields.append((3, "\(NumberText.percent(deferred)) deferred")) }
        if let rate = snapshot.rate { fields.append((4, "\(NumberText.rate(rate)) \(snapshot.unit)/s")) }
        if let left = snapshot.timeLeft { fields.append((1, "\(NumberText.clock(left)) left")) }

        func used() -> Int { snapshot.stage.count + fields.reduce(0) { $0 + 2 + $1.text.count } }
        let barRoom = snapshot.share == nil ? 0 : narrowestBar + 2
        while used() + barRoom > width, let least = fields.map(\.priority).max(), least > 1 {
            fields.removeAll { $0.priority == least }
        }
        var parts = [snapshot.stage]
        let room = width - used() - 2
        if let share = snapshot.share, room >= narrowestBar {
            parts.append(drawnBar(share: share, columns: min(room, widestBar), characters: characters))
        }
        parts.append(contentsOf: fields.map(\.text))
        return String(parts.joined(separator: "  ").prefix(max(0, width)))
    }

    /// One plain line without a newline, for logs and pipes.
    public static func line(_ snapshot: ProgressSnapshot) -> String {
        var text = "\(snapshot.stage): \(NumberText.grouped(snapshot.completed))"
        if let total = snapshot.total { text += " of \(NumberText.grouped(total))" }
        text += " \(snapshot.unit)"
        if let share = snapshot.share { text += " (\(wholePercent(share)))" }
        text += measures(snapshot)
        if let left = snapshot.timeLeft { text += ", \(NumberText.clock(left)) left" }
        return text
    }

    /// The summary of a finished stage, for both renderings.
    public static func summary(_ snapshot: ProgressSnapshot) -> String {
        "\(snapshot.stage): \(NumberText.grouped(snapshot.completed)) \(snapshot.unit) in "
            + NumberText.clock(snapshot.elapsed) + measures(snapshot)
    }

    private static func measures(_ snapshot: ProgressSnapshot) -> String {
        var text = ""
        if let loss = snapshot.loss { text += ", loss \(NumberText.fixed(loss, digits: 4))" }
        if let accuracy = snapshot.accuracy { text += ", accuracy \(NumberText.percent(accuracy))" }
        if let deferred = snapshot.deferred { text += ", \(NumberText.percent(deferred)) deferred" }
        if let rate = snapshot.rate { text += ", \(NumberText.rate(rate)) \(snapshot.unit)/s" }
        return text
    }

    /// Rounded down, so that 99.9 % isn't shown as done (a tiny value is added for shares such as 0.29, slightly below
    /// 29/100).
    private static func wholePercent(_ share: Double) -> String {
        "\(Int((share * 100 + 1e-9).rounded(.down))) %"
    }

    private static func drawnBar(share: Double, columns: Int, characters: Characters) -> String {
        switch characters {
        case .unicode:
            // Half columns: ╸ is the left half of ━.
            let halves = Int((share * Double(2 * columns)).rounded(.down))
            let half = halves % 2 == 1 ? "╸" : ""
            let rest = columns - halves / 2 - half.count
            return String(repeating: "━", count: halves / 2) + half + String(repeating: "─", count: rest)
        case .ascii:
            let full = Int((share * Double(columns)).rounded(.down))
            let head = full < columns ? ">" : ""
            return String(repeating: "=", count: full) + head
                + String(repeating: "-", count: columns - full - head.count)
        }
    }
}
