import Diagnostics
import Models
import Synchronization

/// A teacher that is loaded for its first line.
///
/// Labels and version are cheap to read and known from the start, so that models that don't match are refused before
/// the first line.
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

    /// - Parameters:
    ///   - remembersFailure: whether a failed load is never retried. A filter doesn't retry; a daemon does.
    ///   - fingerprint: called just before each `load`.
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

    /// A teacher that is already loaded.
    public convenience init(_ classifier: any LineClassifier) {
        self.init(labels: classifier.labels, version: classifier.version) { () throws(UnderstudyError) in classifier }
    }

    /// The fingerprint of the loaded weights; empty before loading, or if it isn't computed.
    public var fingerprint: String {
        loaded.withLock { state in
            if case .ready(_, let fingerprint) = state { return fingerprint }
            return ""
        }
    }

    /// Returns the teacher; the first call loads it.
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
                        .invalidData, "the teacher's labels changed between the startup check and loading")
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
