import Cascade
import Diagnostics
import Glibc
import Streams
import TestSupport
import Testing

private func bytes(_ text: String) -> ScriptedSource.Step { .bytes(Array(text.utf8)) }

private func cascade(threads: Int = 2, _ change: (inout CascadeOptions) -> Void = { _ in }) throws -> Cascade {
    var options = CascadeOptions()
    options.threads = threads
    options.format = .tsv
    change(&options)
    return try Cascade(student: HashClassifier(), options: options)
}

@Suite(.offPool) struct CascadeStreamTests {
    /// The source gives the next line only after the answer to the one before has been written: a batch that waited
    /// for company would wait for ever. The same with deferred lines.
    @Test(arguments: [0, 1] as [Float])
    func aLoneLineIsAnsweredAtOnce(threshold: Float) throws {
        let poke = Monitor<@Sendable () -> Void>({})
        let answers = CollectingSink(after: { poke.withLock { $0 }() })
        var steps: [ScriptedSource.Step] = []
        for index in 1...50 {
            steps.append(bytes("line \(index)\n"))
            steps.append(.wait { answers.bytes.count { $0 == 0x0A } == index })
        }
        let source = ScriptedSource(steps)
        poke.withLock { $0 = { source.poke() } }
        let cascade = try Cascade(
            student: HashClassifier(), teacher: TeacherSource(HashClassifier(version: "t", salt: 1)),
            policy: DeferralPolicy(.confidence, below: threshold))
        let outcome = try cascade.run(source: source, answers: answers, diagnostics: CollectingSink())
        #expect(outcome.tally.answered == 50)
    }

    @Test func whatWasReadIsAnsweredWhileTheInputPauses() throws {
        let poke = Monitor<@Sendable () -> Void>({})
        let answers = CollectingSink(after: { poke.withLock { $0 }() })
        let block = (0..<777).map { "line \($0)\n" }.joined()
        let source = ScriptedSource([
            bytes(block + "unfinished"), .wait { answers.bytes.count { $0 == 0x0A } == 777 }, bytes(" line\n"),
        ])
        poke.withLock { $0 = { source.poke() } }
        _ = try cascade().run(source: source, answers: answers, diagnostics: CollectingSink())
        #expect(answers.lines.count == 778 && answers.lines.last?.hasPrefix("unfinished line\t") == true)
    }

    @Test func anInterruptedSourceIsDrained() throws {
        let poke = Monitor<@Sendable () -> Void>({})
        let answers = CollectingSink(after: { poke.withLock { $0 }() })
        let source = ScriptedSource([bytes("a\nb\nhalf"), .silence])
        poke.withLock { $0 = { source.interrupt() } }
        let outcome = try cascade().run(source: source, answers: answers, diagnostics: CollectingSink())
        #expect(answers.lines.count == 2)
        #expect(outcome.ending == .stopped && outcome.unfinishedBytes == 4 && outcome.failure == nil)
    }

    @Test func noInputGivesNoOutput() throws {
        let answers = CollectingSink()
        let outcome = try cascade().run(
            source: ScriptedSource([]), answers: answers, diagnostics: CollectingSink())
        #expect(answers.bytes.isEmpty && outcome.ending == .endOfInput && outcome.tally.lines == 0)
    }

    @Test func aClosedOutputEndsTheRunQuietly() throws {
        let answers = CollectingSink(behaviour: { taken in taken > 1000 ? .closed : .written })
        let endless = (0..<100_000).map { "line \($0)\n" }.joined()
        let outcome = try cascade().run(
            source: ScriptedSource([bytes(endless), .silence]), answers: answers, diagnostics: CollectingSink())
        #expect(outcome.ending == .outputClosed && outcome.failure == nil)
        #expect(outcome.tally.answered == answers.lines.count)
    }

    @Test func aFailedWriteIsTheOutcomesError() throws {
        let full = UnderstudyError(.inputOutput, "no space")
        let answers = CollectingSink(behaviour: { _ throws(UnderstudyError) in throw full })
        let outcome = try cascade().run(
            source: ScriptedSource([bytes("a\n"), .silence]), answers: answers, diagnostics: CollectingSink())
        #expect(outcome.failure == full)
    }

    @Test func aFailedReadIsTheOutcomesErrorAndLosesNoLine() throws {
        let broken = UnderstudyError(.inputOutput, "bad disk")
        let answers = CollectingSink()
        let outcome = try cascade().run(
            source: ScriptedSource([bytes("a\nb\n"), .fail(broken)]), answers: answers, diagnostics: CollectingSink())
        #expect(outcome.failure == broken && answers.lines.count == 2)
    }

    @Test func answersGoOnWhenNobodyTakesTheDiagnostics() throws {
        let answers = CollectingSink()
        let errors = CollectingSink(behaviour: { _ in .closed })
        let block = (0..<500).map { $0 % 2 == 0 ? "line \($0)\n" : "a\u{0}b\n" }.joined()
        let outcome = try cascade().run(source: ScriptedSource([bytes(block)]), answers: answers, diagnostics: errors)
        #expect(answers.lines.count == 250 && outcome.tally.refused == 250 && outcome.failure == nil)
    }

    /// Reading is never further ahead of writing than the buffers allow.
    @Test func aSlowOutputHoldsBackTheInput() throws {
        let reads = Monitor(0)
        let lead = Monitor(0)
        var steps: [ScriptedSource.Step] = []
        for _ in 0..<2000 {
            steps.append(
                .wait {
                    reads.withLock { $0 += 1 }
                    return true
                })
            steps.append(bytes(String(repeating: "a", count: 99) + "\n"))
        }
        // An answer is a label of four bytes and a newline.
        let answers = CollectingSink(behaviour: { taken in
            usleep(200)
            let ahead = reads.withLock { $0 } - taken / 5
            lead.withLock { $0 = max($0, ahead) }
            return .written
        })
        var options = CascadeOptions()
        options.format = .label
        options.jobs = 2
        options.studentLines = 4
        options.pendingLines = 8
        options.maximumLineBytes = 200
        options.chunkBytes = 1000
        options.chunks = 2
        let cascade = try Cascade(student: HashClassifier(labels: ["left", "down"]), options: options)
        _ = try cascade.run(source: ScriptedSource(steps), answers: answers, diagnostics: CollectingSink())
        #expect(answers.lines.count == 2000)
        // Two jobs of four lines, eight lines pending, one in the reader's hand and one that it reads.
        #expect(lead.withLock { $0 } <= 2 * 4 + 8 + 2)
        #expect(lead.withLock { $0 } > 4)
    }

    @Test func aSequenceMayBeSplitAcrossReads() throws {
        let line = Array("股市今日大涨😀\n".utf8)
        let answers = CollectingSink()
        let steps = (0..<20).flatMap { _ in line.map { ScriptedSource.Step.bytes([$0]) } }
        let outcome = try cascade().run(
            source: ScriptedSource(steps), answers: answers, diagnostics: CollectingSink())
        #expect(outcome.tally.answered == 20 && answers.lines.allSatisfy { $0.hasPrefix("股市今日大涨😀\t") })
    }

    @Test func hugeLinesAreRefusedAndTheStreamGoesOn() throws {
        let huge = [UInt8](repeating: 0x61, count: 1_048_576)
        let answers = CollectingSink()
        let errors = CollectingSink()
        let outcome = try cascade().run(
            source: ScriptedSource([bytes("a\n"), .bytes(huge), bytes("\nb\n"), .bytes(huge)]), answers: answers,
            diagnostics: errors)
        #expect(answers.lines.count == 2 && outcome.tally.refused == 2)
        #expect(
            errors.lines
                == [2, 4].map {
                    "{\"error\":\"too_long\",\"line\":\($0),\"source\":\"stdin\",\"reason\":"
                        + "\"1048576 bytes long; the limit is 65536\"}"
                })
    }

    @Test func realDescriptors() throws {
        signal(SIGPIPE, SIG_IGN)
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        let writing = DescriptorSink(descriptor: ends[1], name: "pipe")
        let feeder = try WorkerThread(name: "feeder") { [ends] in
            for _ in 0..<1000 {
                _ = try? Array("天气\n".utf8).withUnsafeBufferPointer { try writing.write($0) }
            }
            close(ends[1])
        }
        let full = open("/dev/full", O_WRONLY)
        let source = try DescriptorSource(descriptor: ends[0], name: "pipe")
        let outcome = try cascade().run(
            source: source, answers: DescriptorSink(descriptor: full, name: "standard output"),
            diagnostics: CollectingSink())
        close(ends[0])
        close(full)
        feeder.join()
        #expect(outcome.failure?.message == "can't write to standard output: No space left on device")
    }
}
