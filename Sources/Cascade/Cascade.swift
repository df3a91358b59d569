import Diagnostics
import Models
import Streams
import Synchronization

/// The cascade of a filter: the student answers every line, and lines of low certainty are deferred to the teacher.
///
/// Answers keep the order of the lines. A deferred line delays the answers behind it, but not the reading, until a
/// limit of the options is reached.
///
/// If the teacher's logits aren't finite, the student's answer is used and marked, with one warning. If the teacher
/// can't be loaded for the first deferred line, or a model fails to score, reading stops, the student answers the lines
/// already read, and the outcome carries the error.
public final class Cascade: Sendable {
    public let models: CascadeModels
    public let options: CascadeOptions

    public var student: any LineClassifier { models.student }

    /// The current run.
    private struct Run {
        var engine: CascadeEngine
        var lane: CascadeLane
    }

    private let current = Mutex<Run?>(nil)

    /// Number of lines that the current run has read and not yet answered; 0 without one. Thread-safe.
    public var linesUnderWay: Int {
        current.withLock { run in run.map { $0.engine.linesUnderWay(in: $0.lane) } ?? 0 }
    }

    /// `temperature` is the student's (see `Calibration`). Refuses models with different label sets, a policy that
    /// needs a missing teacher, and invalid options.
    public init(
        student: any LineClassifier, temperature: Float = 1, teacher: TeacherSource? = nil,
        policy: DeferralPolicy = .never, options: CascadeOptions = CascadeOptions()
    ) throws(UnderstudyError) {
        models = try CascadeModels(
            student: student, temperature: temperature, teacher: teacher, decider: LineDecider(.fixed(policy)))
        self.options = options
        try CascadeEngine.check(threads: options.threads)
        try LaneOptions.check(maximumLineBytes: options.maximumLineBytes)
    }

    /// Classifies `source` until it ends, is interrupted, or the output is closed.
    ///
    /// Error records of refused lines are written to `diagnostics`. Reads on the calling thread; starts
    /// `options.threads` threads for the models and one writer thread, and returns after all have ended. The writer
    /// thread calls `delivered` with the counts so far after each write.
    public func run(
        source: any ByteSource, answers: any ByteSink, diagnostics: any ByteSink,
        delivered: @escaping @Sendable (CascadeTally) -> Void = { _ in }
    ) throws(UnderstudyError) -> CascadeOutcome {
        let modelFailure = FirstFailure()
        let engine = try CascadeEngine(options: options, models: models) { _, error in
            modelFailure.note(error)
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
            ending: wasClosed ? .outputClosed : ending.cause == .endOfInput ? .endOfInput : .stopped,
            tally: result.tally, disagreements: result.disagreements,
            unfinishedBytes: wasClosed ? 0 : ending.unfinishedBytes,
            failure: result.failure ?? ending.failure ?? modelFailure.error)
    }
}

/// Keeps the first failure of several threads.
private final class FirstFailure: Sendable {
    private let first = Mutex<UnderstudyError?>(nil)

    func note(_ error: UnderstudyError) { first.withLock { $0 = $0 ?? error } }
    var error: UnderstudyError? { first.withLock { $0 } }
}

/// The outcome of a run, with the counts of the written lines.
public struct CascadeOutcome: Sendable {
    public enum Ending: Sendable, Equatable {
        /// The source ended, and every line was answered.
        case endOfInput
        /// Reading was stopped, and every line read by then was answered.
        case stopped
        /// The output was closed; lines in flight were dropped.
        case outputClosed
    }

    public var ending: Ending
    public var tally: CascadeTally
    /// The first disagreements, at most `CascadeSummary.mostDisagreements`.
    public var disagreements: [CascadeSummary.Disagreement]
    /// Bytes read of a line whose end was not reached because reading stopped. It has no answer.
    public var unfinishedBytes: UInt64
    /// The error that ended the run early; nil if there was none.
    public var failure: UnderstudyError?
}
