import Diagnostics
import Models

/// A candidate that answers a share of the lines beside the student, unheard: its answers are counted and nothing else.
public struct ShadowStudent: Sendable {
    public let classifier: any LineClassifier
    /// The candidate's; see `Calibration`.
    public let temperature: Float
    /// Share of the lines that it answers, 0 … 1.
    public let share: Double
    /// For each of its labels where the student has it.
    let positions: [Int]
    private let bound: UInt64

    /// - Parameter labels: the student's.
    /// - Throws: `invalidData` where the label sets differ.
    public init(
        _ classifier: any LineClassifier, temperature: Float, share: Double, labels: [String]
    ) throws(UnderstudyError) {
        self.classifier = classifier
        self.temperature = temperature
        self.share = share
        positions = try LabelMap(student: classifier.labels, teacher: labels).positions
        bound = share >= 1 ? .max : UInt64(max(0, share) * 0x1p64)
    }

    /// Whether a line is among them. Hangs on the line's id alone, and not on the bits that choose audits.
    func takes(_ id: UInt64) -> Bool { id.byteSwapped < bound }
}
