/// The answer to "is all well?" in a word and a sentence; the first thing that the terminal and the page show.
struct StatusHeadline: Equatable {
    enum Mood: String {
        case good
        case busy
        case attention
        case bad
    }

    var mood: Mood
    var title: String
    /// Empty when there is nothing to add.
    var detail: String

    init(_ status: ServiceStatus) {
        detail = status.message
        switch status.phase {
        case .ready where status.warnings.isEmpty: (mood, title) = (.good, "All is well")
        case .ready:
            mood = .attention
            title = status.warnings.count == 1 ? "Running, with a warning" : "Running, with warnings"
        case .starting: (mood, title) = (.busy, "Starting")
        case .reloading: (mood, title) = (.busy, "Reloading")
        case .draining: (mood, title) = (.busy, "Draining")
        case .failed: (mood, title) = (.bad, "Failed")
        }
        if detail.isEmpty, status.phase == .ready, status.warnings.isEmpty {
            detail = "Lines are read, answered and committed."
        }
    }
}
