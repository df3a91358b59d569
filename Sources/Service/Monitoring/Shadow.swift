import Cascade
import Configuration
import Diagnostics
import Glibc
import Models
import Synchronization

/// Decides whether a candidate in shadow mode is good enough: McNemar's exact test, one-sided, on the lines for which
/// exactly one of candidate and student gave the teacher's label (McNemar 1947; Dietterich 1998, "Approximate
/// Statistical Tests for Comparing Supervised Classification Learning Algorithms", section 3.1).
package struct ShadowRule: Sendable, Equatable {
    package enum Verdict: Sendable, Equatable {
        case undecided
        case passed
        case worse(probability: Double)
    }

    /// Minimum number of lines that all three have answered.
    package let lines: Int
    /// 0 … 1.
    package let confidence: Double

    package init(lines: Int, confidence: Double) {
        self.lines = lines
        self.confidence = confidence
    }

    package func verdict(_ tally: ShadowTally) -> Verdict {
        guard tally.judged >= lines else { return .undecided }
        let probability = Self.mcnemar(onlyShadow: tally.onlyShadowRight, onlyStudent: tally.onlyStudentRight)
        return probability < 1 - confidence ? .worse(probability: probability) : .passed
    }

    /// Returns the probability that at most this number of the lines with one right answer falls to the candidate by
    /// chance.
    package static func mcnemar(onlyShadow: Int, onlyStudent: Int) -> Double {
        let total = onlyShadow + onlyStudent
        guard total > 0 else { return 1 }
        var sum = 0.0
        for count in 0...onlyShadow {
            sum += exp(
                lgamma(Double(total) + 1) - lgamma(Double(count) + 1) - lgamma(Double(total - count) + 1)
                    - Double(total) * M_LN2)
        }
        return min(1, sum)
    }
}

/// Counts of the present shadow. They restart with another shadow, another student, and the process. Shadow mode is
/// short, so lost counts are acceptable.
package final class ShadowCounts: Sendable {
    private struct State {
        var version: String?
        var student = ""
        var share = 0.0
        var tally = ShadowTally()
    }

    private let state = Mutex(State())

    package init() {}

    /// nil: there is no shadow.
    func begin(shadow: String?, share: Double, student: String) {
        state.withLock { state in
            guard state.version != shadow || state.student != student || state.share != share else { return }
            state = State(version: shadow, student: student, share: share)
        }
    }

    func record(_ tally: ShadowTally, student: String) {
        guard tally.lines > 0 || tally.broken > 0 || tally.judged > 0 else { return }
        state.withLock { state in
            guard state.version != nil, state.student == student else { return }
            state.tally.add(tally)
        }
    }

    /// nil if there is no shadow.
    var current: (version: String, share: Double, tally: ShadowTally)? {
        state.withLock { state in state.version.map { ($0, state.share, state.tally) } }
    }
}

/// Loads the candidate that the registry's link points to.
enum ShadowLoading {
    /// Returns the target of the link; nil if there is no shadow or shadow mode is off. Throws `noPermission`.
    static func directory(_ settings: Settings) throws(UnderstudyError) -> String? {
        guard let redistill = settings.redistill, redistill.shadow > 0 else { return nil }
        let link = StudentRegistry(directory: settings.registryDirectory).shadowLink
        return try PathLookup.resolved(link)
    }

    /// Throws the errors of loading; `invalidData` if its labels aren't the student's.
    static func load(
        _ directory: String, _ settings: Settings, supply: ModelSupply, labels: [String]
    ) throws(UnderstudyError) -> ShadowStudent {
        let student = try supply.student(.directory(directory))
        do throws(UnderstudyError) {
            return try ShadowStudent(
                student.classifier, temperature: student.calibration?.temperature ?? 1,
                share: settings.redistill?.shadow ?? 0, labels: labels)
        } catch {
            throw error.placed(at: directory)
        }
    }
}
