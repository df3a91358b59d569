/// One line of a gate's table: what was asked of a candidate, and what it showed.
public struct GateCriterion: Sendable, Equatable, Codable {
    public enum Verdict: String, Sendable, CaseIterable, Codable {
        case passed
        case failed
        /// There was nothing to measure it on, or an earlier criterion had failed.
        case unmeasured
    }

    /// For programs: snake_case, the same from release to release.
    public var name: String
    /// For people.
    public var title: String
    public var measured: String
    public var threshold: String
    public var verdict: Verdict
    /// One sentence; empty where there is nothing to add.
    public var note: String

    public init(
        name: String, title: String, measured: String, threshold: String, verdict: Verdict, note: String = ""
    ) {
        self.name = name
        self.title = title
        self.measured = measured
        self.threshold = threshold
        self.verdict = verdict
        self.note = note
    }
}
