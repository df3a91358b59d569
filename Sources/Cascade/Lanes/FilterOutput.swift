import Bytes
import Diagnostics
import Models
import Streams
import Synchronization

/// A filter's output: a stream of answers and one of error records. Counts the written lines.
final class FilterOutput: LaneOutput {
    private let answers: any ByteSink
    private let diagnostics: any ByteSink
    private let flawEncoder: FlawEncoder
    private let delivered: @Sendable (CascadeTally) -> Void
    private let state: Mutex<State>

    /// The counts so far, and the error that ended the output.
    struct Result {
        var tally: CascadeTally
        /// The first disagreements, for the summary.
        var disagreements: [CascadeSummary.Disagreement] = []
        var outputWasClosed = false
        var failure: UnderstudyError?
    }

    private struct State {
        var result: Result
        var diagnosticsAreTaken = true
        var hasWarned = false
    }

    init(
        answers: any ByteSink, diagnostics: any ByteSink, flawEncoder: FlawEncoder, labels: Int,
        delivered: @escaping @Sendable (CascadeTally) -> Void
    ) {
        self.delivered = delivered
        self.answers = answers
        self.diagnostics = diagnostics
        self.flawEncoder = flawEncoder
        state = Mutex(State(result: Result(tally: CascadeTally(labels: labels))))
    }

    var result: Result { state.withLock { $0.result } }

    func deliver(_ job: CascadeJob) -> Bool {
        state.withLock { state in
            warn(job, &state)
            guard write(job, &state) else { return false }
            state.result.tally.add(job.tally)
            note(job, &state.result)
            delivered(state.result.tally)
            return true
        }
    }

    /// Keeps the job's disagreements while the summary has room for more.
    private func note(_ job: CascadeJob, _ result: inout Result) {
        guard job.tally.disagreements > 0, result.disagreements.count < CascadeSummary.mostDisagreements else { return }
        job.forEachTeacherAnswer { seen in
            guard seen.student.label != seen.teacher.label,
                result.disagreements.count < CascadeSummary.mostDisagreements
            else { return }
            result.disagreements.append(
                CascadeSummary.Disagreement(
                    text: String(decoding: seen.text, as: UTF8.self), student: seen.student.label,
                    teacher: seen.teacher.label))
        }
    }

    private func warn(_ job: CascadeJob, _ state: inout State) {
        guard let line = job.firstBrokenAnswer, !state.hasWarned else { return }
        state.hasWarned = true
        flawEncoder.appendWarning(
            code: "teacher_skipped", line: line,
            reason: "the teacher's logits aren't finite numbers; the student's answer is used here and where"
                + " \"teacher\" is \"skipped\"", to: job.refusals)
    }

    private func write(_ job: CascadeJob, _ state: inout State) -> Bool {
        if let output = job.outputs.first, output.count > 0 {
            do throws(UnderstudyError) {
                if try answers.write(output.bytes) == .closed {
                    state.result.outputWasClosed = true
                    return false
                }
            } catch {
                state.result.failure = error
                return false
            }
        }
        if state.diagnosticsAreTaken, job.refusals.count > 0 {
            // If the diagnostics are closed, the answers are still written.
            let outcome = try? diagnostics.write(job.refusals.bytes)
            state.diagnosticsAreTaken = outcome == .written
        }
        return true
    }
}

/// A filter's routes: every answer goes to the one output.
struct FilterRouting: AnswerRouting {
    var options: CascadeOptions

    func routes(for models: CascadeModels) -> AnswerRoutes {
        let encoder = AnswerEncoder(
            format: options.format, source: options.source, labels: models.student.labels,
            student: models.student.version, teacher: models.teacher?.version, includesLogits: options.includesLogits)
        return AnswerRoutes(
            [AnswerRoutes.Route(encoder: encoder)], labels: models.student.labels.count,
            refusals: FilterRefusals(encoder: FlawEncoder(source: options.source, field: options.input.field)))
    }
}

/// Writes refused lines as error records to the diagnostics stream.
struct FilterRefusals: RefusalEncoder {
    let encoder: FlawEncoder

    func append(
        _ flaw: LineFlaw, record: Record, origin: SourceOrigin, bytes: UnsafeBufferPointer<UInt8>,
        to output: ByteBuffer
    ) {
        encoder.append(flaw, line: record.number, to: output)
    }
}

/// A byte stream as a lane's source, with a single origin.
final class FilterSource: StreamSource {
    let name: String
    private let bytes: any ByteSource
    private let hasBegun = Atomic(false)
    private let closed = Atomic(false)

    init(_ bytes: any ByteSource, name: String) {
        self.bytes = bytes
        self.name = name
    }

    /// Whether reading ended because the output was closed.
    var outputWasClosed: Bool { closed.load(ordering: .relaxed) }

    func read(into room: UnsafeMutableRawBufferPointer) throws(UnderstudyError) -> SourceEvent {
        if !hasBegun.exchange(true, ordering: .relaxed) {
            return .opened(SourceOrigin(source: name, path: name, file: nil))
        }
        switch try bytes.read(into: room) {
        case .bytes(let count): return .bytes(count)
        case .end: return .end
        case .stopped: return .stopped
        case .outputClosed:
            closed.store(true, ordering: .relaxed)
            return .stopped
        }
    }

    func interrupt() { bytes.interrupt() }
}
