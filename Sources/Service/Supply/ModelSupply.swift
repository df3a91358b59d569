import Cascade
import Configuration
import Diagnostics
import Models

/// Loads the models that settings name. The command line knows where the embedded ones are.
public struct ModelSupply: Sendable {
    public struct Student: Sendable {
        public var classifier: any LineClassifier
        public var calibration: Calibration?
        /// The directory it came from, links resolved.
        public var directory: String
        /// Of its files; nil: it wasn't computed.
        public var fingerprint: String?

        public init(
            classifier: any LineClassifier, calibration: Calibration?, directory: String, fingerprint: String? = nil
        ) {
            self.fingerprint = fingerprint
            self.classifier = classifier
            self.calibration = calibration
            self.directory = directory
        }
    }

    public var student: @Sendable (ModelSettings.Model) throws(UnderstudyError) -> Student
    public var teacher: @Sendable (ModelSettings.Model) throws(UnderstudyError) -> TeacherSource

    public init(
        student: @escaping @Sendable (ModelSettings.Model) throws(UnderstudyError) -> Student,
        teacher: @escaping @Sendable (ModelSettings.Model) throws(UnderstudyError) -> TeacherSource
    ) {
        self.student = student
        self.teacher = teacher
    }
}
