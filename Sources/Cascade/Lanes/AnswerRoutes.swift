import Streams

/// Where the answers of a lane go: which sinks want a line, and how they want it written.
///
/// Made for one set of models, whose labels and versions are in the encoders. A class: jobs in flight keep the routes
/// that they began with, however often the daemon reloads meanwhile.
public final class AnswerRoutes: Sendable {
    public struct Route: Sendable {
        public enum Who: Sendable { case anyone, student, teacher }

        public var encoder: any RecordEncoder
        /// Whether the route takes a label, by its index; empty: all of them.
        public var labels: [Bool]
        public var by: Who
        public var minimumConfidence: Float
        /// One buffer for each label instead of one for all.
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
        func takes(_ answer: Answer, _ deciding: Answer.Opinion) -> Bool {
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
    /// Where each route's buffers begin among those of a job.
    public let firstBuffer: [Int]
    let bufferCount: Int
    /// Writes the record of a line that can't be classified; nil: such lines are only counted.
    public let refusals: (any RefusalEncoder)?
    /// What the lane's output needs to find the sinks again; the cascade doesn't look into it.
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

    /// Appends the answer to the buffers of the routes that take it.
    func append(_ answer: Answer, for line: AnswerEncoder.Line, to job: CascadeJob) {
        let deciding = answer.deciding
        for (index, route) in routes.enumerated() where route.takes(answer, deciding) {
            let buffer = firstBuffer[index] + (route.splitsByLabel ? deciding.label : 0)
            route.encoder.append(answer, for: line, to: job.outputs[buffer])
            job.outputRecords[buffer] += 1
        }
    }
}

/// Writes answers in one form.
public protocol RecordEncoder: AnyObject, Sendable {
    func append(_ answer: Answer, for line: AnswerEncoder.Line, to output: ByteBuffer)
}

extension AnswerEncoder: RecordEncoder {}

/// Writes the records of lines that can't be classified.
public protocol RefusalEncoder: Sendable {
    func append(
        _ flaw: LineFlaw, record: Record, origin: SourceOrigin, bytes: UnsafeBufferPointer<UInt8>, to output: ByteBuffer
    )
}

/// Makes a lane's routes, anew whenever the models change.
public protocol AnswerRouting: Sendable {
    func routes(for models: CascadeModels) -> AnswerRoutes
}
