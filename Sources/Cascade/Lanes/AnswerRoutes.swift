import Bytes
import Streams

/// The routes of a lane's answers: which sinks take a line, and in which format.
///
/// The routes are made for one set of models, whose labels and versions the encoders contain. Jobs in flight keep the
/// object that they started with across reloads.
public final class AnswerRoutes: Sendable {
    public struct Route: Sendable {
        public enum Who: String, Sendable, CaseIterable { case anyone = "any", student, teacher }

        public var encoder: any RecordEncoder
        /// Whether the route takes a label, by label index; empty: it takes all.
        public var labels: [Bool]
        public var by: Who
        public var minimumConfidence: Float
        /// Uses one buffer per label instead of one for all.
        public var splitsByLabel: Bool

        public init(
            encoder: any RecordEncoder, labels: [Bool] = [], by: Who = .anyone, minimumConfidence: Float = 0,
            splitsByLabel: Bool = false
        ) {
            self.encoder = encoder
            self.labels = labels
            self.by = by
            self.minimumConfidence = minimumConfidence
            self.splitsByLabel = splitsByLabel
        }

        @inline(__always)
        func takes(_ answer: Answer, _ deciding: Verdict) -> Bool {
            if deciding.confidence < minimumConfidence { return false }
            if !labels.isEmpty, !labels[deciding.label] { return false }
            switch by {
            case .anyone: return true
            case .student: return !answer.isByTeacher
            case .teacher: return answer.isByTeacher
            }
        }
    }

    public let routes: [Route]
    /// Index of each route's first buffer among those of a job.
    public let firstBuffer: [Int]
    let bufferCount: Int
    /// Encodes the records of refused lines; nil: refused lines are only counted.
    public let refusals: (any RefusalEncoder)?
    /// Data by which the lane's output finds the sinks; opaque to the cascade.
    public let context: (any AnyObject & Sendable)?

    public init(
        _ routes: [Route], labels: Int, refusals: (any RefusalEncoder)?, context: (any AnyObject & Sendable)? = nil
    ) {
        self.routes = routes
        self.context = context
        var count = 0
        var first: [Int] = []
        for route in routes {
            first.append(count)
            count += route.splitsByLabel ? labels : 1
        }
        firstBuffer = first
        bufferCount = count
        self.refusals = refusals
    }

    /// Appends the answer to the buffers of all routes that take it.
    func append(_ answer: Answer, for line: AnswerEncoder.Line, to job: CascadeJob) {
        let deciding = answer.deciding
        for (index, route) in routes.enumerated() where route.takes(answer, deciding) {
            let buffer = firstBuffer[index] + (route.splitsByLabel ? deciding.label : 0)
            route.encoder.append(answer, for: line, to: job.outputs[buffer])
            job.outputRecords[buffer] += 1
        }
    }
}

/// Encodes answers in one format.
public protocol RecordEncoder: AnyObject, Sendable {
    func append(_ answer: Answer, for line: AnswerEncoder.Line, to output: ByteBuffer)
}

extension AnswerEncoder: RecordEncoder {}

/// Encodes the records of refused lines.
public protocol RefusalEncoder: Sendable {
    func append(
        _ flaw: LineFlaw, record: Record, origin: SourceOrigin, bytes: UnsafeBufferPointer<UInt8>, to output: ByteBuffer
    )
}

/// Makes the routes of a lane. Called again whenever the models change.
public protocol AnswerRouting: Sendable {
    func routes(for models: CascadeModels) -> AnswerRoutes
}
