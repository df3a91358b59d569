import Cascade
import Configuration
import Models
import Streams
import Synchronization

/// Counts what the student says of the stream, by hours, and compares it with the reference that the student brought
/// along; without one, with the first lines that it answered here. Called once for each job, by any thread.
package final class DriftMonitor: Sendable {
    /// A day: the mix of a feed changes with the hours.
    static let hours = 24
    /// A reference of fewer lines would drift by chance alone: the index of 20 bins against 250 lines is 0.08 on average
    /// without any drift, against 100 lines 0.19. The first lines answered here take its place.
    static let fewestReferenceLines = 250
    /// Lines that become the reference where the student has none.
    static let ownReferenceLines = 5000

    private struct Slice {
        /// Hours since the start of the machine.
        var hour: UInt64
        var labels: [Int]
        var confidences: [Int]
        var tokens = 0
        var unknown = 0
    }

    private struct State {
        var student = ""
        var labels: [String] = []
        var reference: StudentReference?
        var isOwn = false
        var slices: [Slice] = []
    }

    private let state = Mutex(State())
    private let nanoseconds: @Sendable () -> UInt64

    /// The clock mustn't jump: not the time of day.
    package init(nanoseconds: @escaping @Sendable () -> UInt64 = { Monotonic.nanoseconds }) {
        self.nanoseconds = nanoseconds
    }

    /// Another student answers from now on.
    package func begin(student: String, labels: [String], reference: StudentReference?) {
        state.withLock { state in
            state = State()
            state.student = student
            state.labels = labels
            if let reference, reference.labels == labels, reference.lines >= Self.fewestReferenceLines,
                reference.confidenceShares.count == StudentReference.confidenceBins
            {
                state.reference = reference
            } else {
                state.isOwn = true
            }
        }
    }

    /// What a job's lines add. Jobs of another student than the present one don't count.
    package func record(_ tally: CascadeTally, student: String) {
        let hour = nanoseconds() / 3_600_000_000_000
        state.withLock { state in
            guard state.student == student, tally.studentLabels.count == state.labels.count else { return }
            if state.slices.last?.hour != hour {
                state.slices.append(
                    Slice(
                        hour: hour, labels: [Int](repeating: 0, count: state.labels.count),
                        confidences: [Int](repeating: 0, count: StudentReference.confidenceBins)))
                state.slices.removeAll { $0.hour + UInt64(Self.hours) <= hour }
            }
            let last = state.slices.count - 1
            for index in tally.studentLabels.indices { state.slices[last].labels[index] += tally.studentLabels[index] }
            for index in tally.studentConfidences.indices {
                state.slices[last].confidences[index] += tally.studentConfidences[index]
            }
            state.slices[last].tokens += tally.tokens
            state.slices[last].unknown += tally.unknownTokens
            if state.reference == nil { Self.learnReference(&state) }
        }
    }

    private static func learnReference(_ state: inout State) {
        let sum = total(state)
        let lines = sum.labels.reduce(0, +)
        guard lines >= ownReferenceLines else { return }
        func shares(_ counts: [Int]) -> [Double] { counts.map { Double($0) / Double(max(1, counts.reduce(0, +))) } }
        state.reference = StudentReference(
            labels: state.labels, labelShares: shares(sum.labels), confidenceShares: shares(sum.confidences),
            unknownTokenShare: sum.tokens > 0 ? Double(sum.unknown) / Double(sum.tokens) : nil, lines: lines)
        state.slices.removeAll()
    }

    private static func total(_ state: State) -> Slice {
        var sum = Slice(
            hour: 0, labels: [Int](repeating: 0, count: state.labels.count),
            confidences: [Int](repeating: 0, count: StudentReference.confidenceBins))
        for slice in state.slices {
            for index in sum.labels.indices { sum.labels[index] += slice.labels[index] }
            for index in sum.confidences.indices { sum.confidences[index] += slice.confidences[index] }
            sum.tokens += slice.tokens
            sum.unknown += slice.unknown
        }
        return sum
    }

    /// - Parameter minimumLines: fewer lines in the last day aren't judged.
    package func reading(
        maximumIndex: Double, minimumLines: Int = RedistillSettings.customaryDriftLines
    ) -> DriftReading {
        let state = state.withLock { $0 }
        var reading = DriftReading()
        let sum = Self.total(state)
        reading.lines = sum.labels.reduce(0, +)
        reading.windowHours = Self.hours
        reading.maximumIndex = maximumIndex
        reading.minimumLines = minimumLines
        reading.referenceIsOwn = state.isOwn
        reading.unknownTokenShare = sum.tokens > 0 ? Double(sum.unknown) / Double(sum.tokens) : nil
        guard let reference = state.reference else { return reading }
        reading.referenceLines = reference.lines
        reading.referenceUnknownTokenShare = reference.unknownTokenShare
        guard reading.lines >= minimumLines else { return reading }
        reading.labelIndex = PopulationStability.index(reference: reference.labelShares, counts: sum.labels)
        reading.confidenceIndex = PopulationStability.index(
            reference: reference.confidenceShares, counts: sum.confidences)
        reading.labels = state.labels.indices.map { index in
            DriftReading.Share(
                label: state.labels[index], reference: reference.labelShares[index],
                now: Double(sum.labels[index]) / Double(reading.lines))
        }
        if let index = reading.index { reading.verdict = index > maximumIndex ? .drifting : .steady }
        return reading
    }
}
