import Cascade
import Configuration
import Glibc
import Models
import Streams
import Synchronization

/// Counts the student's answers by hour and compares them with the student's reference, or, without one, with the first
/// lines that it answered here. Called once per job, by any thread.
package final class DriftMonitor: Sendable {
    /// A day, because the mix of a feed changes with the hours.
    static let hours = 24
    /// Minimum number of lines of a reference. A smaller one would show drift by chance: without drift the expected
    /// index of 20 bins is 0.08 against 250 lines and 0.19 against 100 lines. The first lines answered here are used
    /// instead.
    static let fewestReferenceLines = 250
    /// Number of lines for a reference if the student has none.
    static let ownReferenceLines = 5000

    private struct Slice {
        /// Hours since the machine was started.
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

    /// - Parameter nanoseconds: a monotonic clock.
    package init(nanoseconds: @escaping @Sendable () -> UInt64 = { Monotonic.nanoseconds }) {
        self.nanoseconds = nanoseconds
    }

    /// Starts the counts of another student.
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

    /// Adds the counts of a job. Jobs of another student than the present one are ignored.
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

    /// - Parameter minimumLines: with fewer lines in the last day, drift isn't judged.
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

/// The population stability index, a distance between two distributions: Σ (p − q) · ln(p / q) over their bins (Siddiqi
/// 2006, "Credit Risk Scorecards", chapter 10; it is the symmetrised Kullback–Leibler divergence). Below 0.1 there is
/// no shift, above 0.25 there is one.
package enum PopulationStability {
    /// Minimum share of a bin, so that an empty bin doesn't make the index infinite.
    static let floor = 1e-3

    /// `reference` and `counts` are (n) over the same bins. Returns nil without counts.
    package static func index(reference: [Double], counts: [Int]) -> Double? {
        let total = counts.reduce(0, +)
        guard total > 0, reference.count == counts.count, reference.contains(where: { $0 > 0 }) else { return nil }
        var sum = 0.0
        for (share, count) in zip(reference, counts) {
            let before = max(share, floor)
            let now = max(Double(count) / Double(total), floor)
            sum += (now - before) * log(now / before)
        }
        return sum
    }
}
