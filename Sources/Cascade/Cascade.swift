import Diagnostics
import Models
import Streams
import Synchronization

/// The student answers every line; the teacher is asked about the lines that the policy finds unsure.
///
/// Answers come in the order of the lines. A line that waits for the teacher holds back the answers behind it, but not
/// the reading, until the bounds of the options are reached.
///
/// If the teacher gives logits that aren't finite numbers, the student's answer stands and says so, with one warning.
/// If the teacher can't be loaded when the first line needs it, reading stops, the lines already read are answered by
/// the student and marked, and the run's outcome carries the error.
public final class Cascade: Sendable {
    public let models: CascadeModels
    public let options: CascadeOptions

    public var student: any LineClassifier { models.student }

    /// The run under way.
    private struct Run {
        var engine: CascadeEngine
        var lane: CascadeLane
    }

    private let current = Mutex<Run?>(nil)

    /// Lines that the run under way has read and not yet answered; 0 without one. From any thread.
    public var linesUnderWay: Int {
        current.withLock { run in run.map { $0.engine.linesUnderWay(in: $0.lane) } ?? 0 }
    }

    /// `temperature` is the student's (see `Calibration`). Refuses a pair whose label sets differ, a policy that needs
    /// a teacher where there is none, and options that can't be.
    public init(
        student: any LineClassifier, temperature: Float = 1, teacher: TeacherSource? = nil,
        policy: DeferralPolicy = .never, options: CascadeOptions = CascadeOptions()
    ) throws(UnderstudyError) {
        models = try CascadeModels(
            student: student, temperature: temperature, teacher: teacher, decider: LineDecider(.fixed(policy)))
        self.options = options
        guard options.threads > 0 else { throw UnderstudyError(.usage, "at least 1 thread is needed") }
        guard (1...LineFramer.greatestMaximumLineBytes).contains(options.maximumLineBytes) else {
            throw UnderstudyError(
                .usage, "the longest line must have from 1 to \(LineFramer.greatestMaximumLineBytes) bytes")
        }
    }

    /// Classifies `source` to its end, or until it is interrupted or nobody takes the answers.
    ///
    /// Error records of lines that can't be classified go to `diagnostics`. Reads on the calling thread; starts
    /// `options.threads` threads for the models and one that writes, and returns when all have ended. `delivered` gets
    /// the counts so far whenever answers have been written, from the thread that writes.
    public func run(
        source: any ByteSource, answers: any ByteSink, diagnostics: any ByteSink,
        delivered: @escaping @Sendable (CascadeTally) -> Void = { _ in }
    ) throws(UnderstudyError) -> CascadeOutcome {
        let teacherFailure = FirstFailure()
        let engine = try CascadeEngine(options: options, models: models) { error in
            teacherFailure.note(error)
            source.interrupt()
        }
        let filter = FilterSource(source, name: options.source)
        let output = FilterOutput(
            answers: answers, diagnostics: diagnostics,
            flawEncoder: FlawEncoder(source: options.source, field: options.input.field),
            labels: student.labels.count, delivered: delivered)
        let lane = try engine.open(
            LaneOptions(
                source: options.source, input: options.input, maximumLineBytes: options.maximumLineBytes),
            source: filter, output: output, routing: FilterRouting(options: options))
        current.withLock { $0 = Run(engine: engine, lane: lane) }
        defer { current.withLock { $0 = nil } }
        try engine.start()
        let writer: WorkerThread
        do throws(UnderstudyError) {
            writer = try WorkerThread(name: "writer") { engine.write(lane) }
        } catch {
            engine.abandon(lane)
            engine.stop()
            engine.join()
            throw error
        }
        let ending = engine.read(lane)
        writer.join()
        engine.stop()
        engine.join()
        engine.close(lane)
        let result = output.result
        let wasClosed = result.outputWasClosed || filter.outputWasClosed
        return CascadeOutcome(
            ending: wasClosed ? .outputClosed : ending.reason == .endOfInput ? .endOfInput : .stopped,
            tally: result.tally, unfinishedBytes: wasClosed ? 0 : ending.unfinishedBytes,
            failure: result.failure ?? ending.failure ?? teacherFailure.error)
    }
}

/// The first of the failures that several threads may meet.
private final class FirstFailure: Sendable {
    private let first = Mutex<UnderstudyError?>(nil)

    func note(_ error: UnderstudyError) { first.withLock { $0 = $0 ?? error } }
    var error: UnderstudyError? { first.withLock { $0 } }
}
