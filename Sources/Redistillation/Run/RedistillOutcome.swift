import Store

/// How a run ended, for whoever asked for it.
public struct RedistillOutcome: Sendable {
    /// nil where there was nothing to do.
    public var run: RedistillationRun?
    /// One sentence.
    public var sentence: String

    public init(run: RedistillationRun?, sentence: String) {
        self.run = run
        self.sentence = sentence
    }
}
