import Diagnostics
import Synchronization
import Text

/// A trained student: weights, configuration, and the encoding of lines.
///
/// Holds what classification needs. Training reads a directory's weights in full with `StudentFiles.weights`.
public final class Student: CalibratedClassifier {
    public let configuration: StudentConfiguration
    let weights: StudentServingWeights
    public let features: StudentFeatures
    private let precision: RecurrencePrecision
    /// Built for the first scorer: inspection doesn't need it.
    private let fast = Mutex<FastRecurrence?>(nil)

    /// - Parameters:
    ///   - weights: shared, not copied; they must not change while the student is in use.
    ///   - precision: of the fast path's recurrence.
    public convenience init(
        _ configuration: StudentConfiguration, weights: StudentWeights, features: StudentFeatures,
        precision: RecurrencePrecision = .serving
    ) {
        self.init(configuration, serving: StudentServingWeights(weights), features: features, precision: precision)
    }

    init(
        _ configuration: StudentConfiguration, serving weights: StudentServingWeights, features: StudentFeatures,
        precision: RecurrencePrecision
    ) {
        self.configuration = configuration
        self.weights = weights
        self.features = features
        self.precision = precision
    }

    public var labels: [String] { configuration.labels }
    public var version: String { configuration.version }
    public var temperature: Float { calibration?.temperature ?? 1 }
    public var deferralThreshold: Float? { calibration?.deferralThreshold }
    public var calibration: Calibration? { configuration.calibration }

    public func makeScorer() -> any LineScorer { makeStudentScorer() }

    public func makeStudentScorer() -> StudentScorer {
        let recurrence = fast.withLock { fast in
            let built = fast ?? FastRecurrence(configuration, weights, precision: precision)
            fast = built
            return built
        }
        return StudentScorer(self, recurrence)
    }
}
