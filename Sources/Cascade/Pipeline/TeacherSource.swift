import Diagnostics
import Models
import Synchronization

/// A teacher that is loaded when the first line needs it.
///
/// What is cheap to know, its labels and version, is known from the start, so that a pair that doesn't fit is refused
/// before the first line.
public final class TeacherSource: Sendable {
    public let labels: [String]
    public let version: String
    private let remembersFailure: Bool
    private let load: @Sendable () throws(UnderstudyError) -> any LineClassifier
    private let fingerprinting: @Sendable () throws(UnderstudyError) -> String
    private let loaded = Mutex<Loaded>(.not)

    private enum Loaded: Sendable {
        case not
        case ready(any LineClassifier, fingerprint: String)
        case failed(UnderstudyError)
    }

    /// `remembersFailure`: whether a load that failed is never tried again. A filter wants that; a daemon waits for
    /// better times. `fingerprint` is asked for just before each `load`.
    public init(
        labels: [String], version: String, remembersFailure: Bool = true,
        fingerprint: @escaping @Sendable () throws(UnderstudyError) -> String = { () throws(UnderstudyError) in "" },
        load: @escaping @Sendable () throws(UnderstudyError) -> any LineClassifier
    ) {
        self.labels = labels
        self.version = version
        self.remembersFailure = remembersFailure
        self.load = load
        fingerprinting = fingerprint
    }

    /// A teacher that is in memory already.
    public convenience init(_ classifier: any LineClassifier) {
        self.init(labels: classifier.labels, version: classifier.version) { () throws(UnderstudyError) in classifier }
    }

    /// Of the weights that answer; empty before they are loaded, and where nobody wants to know.
    public var fingerprint: String {
        loaded.withLock { state in
            if case .ready(_, let fingerprint) = state { return fingerprint }
            return ""
        }
    }

    /// The teacher, loaded by the first call.
    public func classifier() throws(UnderstudyError) -> any LineClassifier {
        try loaded.withLock { (state) throws(UnderstudyError) -> any LineClassifier in
            switch state {
            case .ready(let classifier, _): return classifier
            case .failed(let error): throw error
            case .not: break
            }
            do throws(UnderstudyError) {
                let fingerprint = try fingerprinting()
                let classifier = try load()
                guard classifier.labels == labels else {
                    throw UnderstudyError(
                        .invalidData, "the teacher's labels changed between the check at the start and its loading")
                }
                state = .ready(classifier, fingerprint: fingerprint)
                return classifier
            } catch {
                if remembersFailure { state = .failed(error) }
                throw error
            }
        }
    }
}
