import Diagnostics
import Models
import Streams
import Synchronization

/// A filter's output: one stream of answers, one of error records. Counts what it has written.
final class FilterOutput: LaneOutput {
    private let answers: any ByteSink
    private let diagnostics: any ByteSink
    private let flawEncoder: FlawEncoder
    private let delivered: @Sendable (CascadeTally) -> Void
    private let state: Mutex<State>

    /// What has been written so far, and why no more.
    struct Result {
        var tally: CascadeTally
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
            delivered(state.result.tally)
            return true
        }
    }

    private func warn(_ job: CascadeJob, _ state: inout State) {
        guard let line = job.firstBrokenAnswer, !state.hasWarned else { return }
        state.hasWarned = true
        flawEncoder.appendWarning(
            code: "teacher_skipped", line: line,
            reason: "the teacher's logits aren't finite numbers; the student's answer stands, here and wherever"
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
            // Without anybody to read the diagnostics the answers still matter.
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

/// Refused lines as error records on the diagnostics stream.
struct FilterRefusals: RefusalEncoder {
    let encoder: FlawEncoder

    func append(
        _ flaw: LineFlaw, record: Record, origin: SourceOrigin, bytes: UnsafeBufferPointer<UInt8>,
        to output: ByteBuffer
    ) {
        encoder.append(flaw, line: record.number, to: output)
    }
}
