import Diagnostics
import Models
import Streams
import Synchronization

/// One run of a cascade: starts the threads, waits for their end and puts together what came of it.
final class CascadeRun: Sendable {
    private let cascade: Cascade
    private let source: any ByteSource
    private let answers: any ByteSink
    private let diagnostics: any ByteSink
    private let board: CascadeBoard
    private let chunks: ChunkPool
    private let teacherFailure = Mutex<UnderstudyError?>(nil)
    private let written: Mutex<CascadeWriter.Result>

    init(_ cascade: Cascade, source: any ByteSource, answers: any ByteSink, diagnostics: any ByteSink) {
        let options = cascade.options
        self.cascade = cascade
        self.source = source
        self.answers = answers
        self.diagnostics = diagnostics
        board = CascadeBoard(options: options, labels: cascade.student.labels.count)
        // An unfinished line takes at most a quarter of a chunk, so that moving it costs little.
        let unfinished = LineFramer(maximumLineBytes: options.maximumLineBytes).greatestUnfinished
        chunks = ChunkPool(count: options.chunks, chunkBytes: max(options.chunkBytes, 4 * unfinished))
        written = Mutex(CascadeWriter.Result(tally: CascadeTally(labels: cascade.student.labels.count)))
    }

    /// Reads on this thread until the end; returns when every thread has ended.
    func start() throws(UnderstudyError) -> CascadeOutcome {
        var threads: [WorkerThread] = []
        do throws(UnderstudyError) {
            threads.append(try WorkerThread(name: "writer") { self.write() })
            for index in 0..<cascade.options.threads {
                threads.append(try WorkerThread(name: "worker-\(index)") { self.work() })
            }
        } catch {
            board.abandon()
            for thread in threads { thread.join() }
            throw error
        }
        let ending = CascadeReader(
            source: source, board: board, chunks: chunks, maximumLineBytes: cascade.options.maximumLineBytes
        ).run()
        for thread in threads { thread.join() }
        let result = written.withLock { $0 }
        let failure = result.failure ?? ending.failure ?? teacherFailure.withLock { $0 }
        return CascadeOutcome(
            ending: result.outputWasClosed ? .outputClosed : ending.reason, tally: result.tally,
            unfinishedBytes: ending.unfinishedBytes, failure: failure)
    }

    private func work() {
        let worker = CascadeWorker(cascade, board: board, chunks: chunks) { [self] error in
            teacherFailure.withLock { $0 = $0 ?? error }
            source.interrupt()
        }
        worker.run()
    }

    private func write() {
        var writer = CascadeWriter(
            board: board, answers: answers, diagnostics: diagnostics, flawEncoder: cascade.flawEncoder,
            labels: cascade.student.labels.count)
        writer.run()
        written.withLock { $0 = writer.result }
        // The reader may still wait for bytes that nobody would take.
        if writer.result.outputWasClosed || writer.result.failure != nil { source.interrupt() }
    }
}
