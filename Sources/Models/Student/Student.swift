import Diagnostics
import Synchronization
import Text

/// A trained student: weights, what they mean, and how a line becomes their input.
public final class Student: CalibratedClassifier {
    public let configuration: StudentConfiguration
    public let weights: StudentWeights
    public let features: StudentFeatures
    private let bf16: Bool
    /// Built for the first scorer: training and inspection don't need it.
    private let fast = Mutex<FastRecurrence?>(nil)

    /// - Parameter bf16: let the fast path run its recurrence in bf16 where the processor can.
    public init(
        _ configuration: StudentConfiguration, weights: StudentWeights, features: StudentFeatures, bf16: Bool = true
    ) {
        self.configuration = configuration
        self.weights = weights
        self.features = features
        self.bf16 = bf16
    }

    public var labels: [String] { configuration.labels }
    public var version: String { configuration.version }
    public var temperature: Float { calibration?.temperature ?? 1 }
    public var deferralThreshold: Float? { calibration?.deferralThreshold }
    public var calibration: Calibration? { configuration.calibration }

    public func makeScorer() -> any LineScorer { makeStudentScorer() }

    public func makeStudentScorer() -> StudentScorer {
        let recurrence = fast.withLock { fast in
            let built = fast ?? FastRecurrence(configuration, weights, bf16: bf16)
            fast = built
            return built
        }
        return StudentScorer(self, recurrence)
    }
}
