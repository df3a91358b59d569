import Diagnostics
import Streams

/// Writes finished jobs in order and counts what it has written.
struct CascadeWriter {
    private let board: CascadeBoard
    private let answers: any ByteSink
    private let diagnostics: any ByteSink
    private let flawEncoder: FlawEncoder
    private var diagnosticsAreTaken = true
    private var hasWarned = false

    /// What has been written so far, and why no more.
    struct Result {
        var tally: CascadeTally
        var outputWasClosed = false
        var failure: UnderstudyError?
    }

    private(set) var result: Result

    init(
        board: CascadeBoard, answers: any ByteSink, diagnostics: any ByteSink, flawEncoder: FlawEncoder, labels: Int
    ) {
        self.board = board
        self.answers = answers
        self.diagnostics = diagnostics
        self.flawEncoder = flawEncoder
        result = Result(tally: CascadeTally(labels: labels))
    }

    /// Writes until all is written or nobody takes it; in the latter case the run is abandoned.
    mutating func run() {
        while let job = board.takeFinished() {
            guard write(job) else {
                board.abandon()
                return
            }
            result.tally.add(job.tally)
            board.recycle(job)
        }
    }

    private mutating func write(_ job: CascadeJob) -> Bool {
        if let line = job.firstBrokenAnswer, !hasWarned {
            hasWarned = true
            flawEncoder.appendWarning(
                code: "teacher_skipped", line: line,
                reason: "the teacher's logits aren't finite numbers; the student's answer stands, here and wherever"
                    + " \"teacher\" is \"skipped\"", to: job.diagnostics)
        }
        if job.answers.count > 0 {
            do throws(UnderstudyError) {
                if try answers.write(job.answers.bytes) == .closed {
                    result.outputWasClosed = true
                    return false
                }
            } catch {
                result.failure = error
                return false
            }
        }
        if diagnosticsAreTaken, job.diagnostics.count > 0 {
            // Without anybody to read the diagnostics the answers still matter.
            let outcome = try? diagnostics.write(job.diagnostics.bytes)
            diagnosticsAreTaken = outcome == .written
        }
        return true
    }
}
