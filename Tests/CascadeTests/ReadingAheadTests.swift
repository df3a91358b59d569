import Cascade
import Diagnostics
import Foundation
import Streams
import Synchronization
import TestSupport
import Testing

/// Gives lines of 16 bytes for as long as they are wanted, as many as there is room for, and counts them.
private final class EndlessSource: ByteSource {
    static let lineBytes = 16
    private let count = Atomic(0)
    private let isInterrupted = Atomic(false)

    var given: Int { count.load(ordering: .sequentiallyConsistent) }

    func read(into room: UnsafeMutableRawBufferPointer) throws(UnderstudyError) -> ReadOutcome {
        if isInterrupted.load(ordering: .sequentiallyConsistent) { return .stopped }
        let lines = room.count / Self.lineBytes
        var number = given
        for line in 0..<lines {
            let text = String(number)
            let padded = String(repeating: "0", count: Self.lineBytes - 1 - text.utf8.count) + text + "\n"
            let place = UnsafeMutableRawBufferPointer(
                rebasing: room[(line * Self.lineBytes)..<((line + 1) * Self.lineBytes)])
            place.copyBytes(from: padded.utf8)
            number += 1
        }
        count.store(number, ordering: .sequentiallyConsistent)
        return .bytes(lines * Self.lineBytes)
    }

    func interrupt() { isInterrupted.store(true, ordering: .sequentiallyConsistent) }
}

@Suite(.offPool) struct ReadingAheadTests {
    private struct Finding: Sendable {
        var given = 0
        var underWay = 0
        var answered = 0
        var ending: CascadeOutcome.Ending?
    }

    /// A filter whose teacher never answers, until reading stops by itself; then it is interrupted, and the teacher
    /// answers.
    private static func stall(threads: Int, deferring share: Float) throws -> Finding {
        let isOpen = Monitor(false)
        let teacher = HashClassifier(
            version: "t", salt: 1, before: { _ in let _: Bool = isOpen.wait(on: 0) { $0 ? true : nil } })
        var options = CascadeOptions()
        options.threads = threads
        options.boundReadingAhead()
        let cascade = try Cascade(
            student: HashClassifier(), teacher: TeacherSource(teacher),
            policy: DeferralPolicy(.confidence, below: share), options: options)
        let source = EndlessSource()
        let outcome = Mutex<CascadeOutcome?>(nil)
        let run = try WorkerThread(name: "filter") {
            let result = try? cascade.run(source: source, answers: CollectingSink(), diagnostics: CollectingSink())
            outcome.withLock { $0 = result }
        }
        // Reading has stopped when nothing has come for a while. On a slow machine that may be seen too early, and then
        // the bounds below hold all the more.
        var before = -1
        while before != source.given || before == 0 {
            before = source.given
            usleep(500_000)
        }
        var finding = Finding()
        finding.underWay = cascade.linesUnderWay
        source.interrupt()
        isOpen.withLock { $0 = true }
        isOpen.broadcast(0)
        run.join()
        finding.given = source.given
        outcome.withLock { outcome in
            finding.answered = outcome?.tally.answered ?? 0
            finding.ending = outcome?.ending
        }
        return finding
    }

    /// Runs the blocking part on a thread of its own.
    private static func find(threads: Int, deferring share: Float) async throws -> Finding {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(with: Result { try stall(threads: threads, deferring: share) })
            }
        }
    }

    @Test(arguments: [(1, 1), (2, 1), (2, 0.3), (12, 1)] as [(Int, Float)])
    func aStuckTeacherStopsTheReadingSoon(threads: Int, share: Float) async throws {
        let found = try await Self.find(threads: threads, deferring: share)
        let read = CascadeOptions.filterReadBytes / EndlessSource.lineBytes
        let lines = max(CascadeOptions.filterLinesAhead, CascadeOptions.filterLinesAheadPerThread * threads)
        #expect(found.given > 0 && found.given <= lines + read, "\(found)")
        #expect(found.answered == found.given && found.ending == .stopped, "\(found)")
        #expect(found.underWay > 0 && found.underWay <= lines + read, "\(found)")
        // With every line deferred none is delivered while the teacher is stuck.
        if share == 1 { #expect(found.underWay <= found.given) }
    }

    /// Many more lines than are ever under way go through, in order.
    @Test func theBoundsLoseNoLine() async throws {
        let text = (0..<60_000).map { "line \($0)\n" }.joined()
        let answers = CollectingSink()
        var options = CascadeOptions()
        options.threads = 3
        options.format = .tsv
        options.boundReadingAhead()
        let cascade = try Cascade(
            student: HashClassifier(), teacher: TeacherSource(HashClassifier(version: "t", salt: 1)),
            policy: DeferralPolicy(.confidence, below: 0.4), options: options)
        let answered: Int = try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        try cascade.run(
                            source: ScriptedSource([.bytes(Array(text.utf8))]), answers: answers,
                            diagnostics: CollectingSink()
                        ).tally.answered
                    })
            }
        }
        #expect(answered == 60_000)
        #expect(answers.lines.enumerated().allSatisfy { $1.hasPrefix("line \($0)\t") })
    }
}
