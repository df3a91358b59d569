import Cascade
import Diagnostics
import Glibc
import Models
import Service
import Store
import Streams
import TestSupport
import Testing

private let fileAndLabels = """
      - {name: all, kind: file, path: FOLDER/all.tsv, format: tsv}
      - {name: split, kind: file, path: "FOLDER/{label}.txt", format: tsv}
    """

private func lines(_ lane: Int, _ file: Int, _ count: Int) -> [[UInt8]] {
    (0..<count).map { Array("第\(lane)路第\(file)份第\($0)条：列车提速".utf8) }
}

private func models(asking threshold: Float = 0, auditShare: Double = 0, before: @escaping @Sendable () -> Void = {})
    throws -> CascadeModels
{
    let teacher = threshold > 0 ? TeacherSource(HashClassifier(version: "t", salt: 9, before: before)) : nil
    return try CascadeModels(
        student: HashClassifier(before: before), teacher: teacher,
        decider: LineDecider(.fixed(try DeferralPolicy(.confidence, below: threshold)), auditShare: auditShare))
}

@Suite(.offPool) struct DeliveryTests {
    /// Pitfall 1, and the first promise: whichever commit was the last before a crash, the files up to their committed
    /// lengths hold exactly the answers of the lines that the committed positions call answered. Several lanes, ordered
    /// and not, a teacher, and commits that fail now and then.
    @Test(arguments: 0..<10)
    func everyCommitCoversWhatIsInTheFiles(seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        let delays = Monitor(SplitMix(seed: UInt64(seed) + 99))
        let fails = seed % 5 == 0
        let stage = try Stage(
            fileAndLabels,
            models: models(asking: 0.45) { usleep(delays.withLock { UInt32.random(in: 0...300, using: &$0) }) },
            store: ScriptedStore { fails && $0 % 7 == 3 ? UnderstudyError(.inputOutput, "busy") : nil })
        var sources: [FileLane] = []
        for lane in 0..<3 {
            let files = (0..<Int.random(in: 1...4, using: &random)).map { file in
                var own = lines(lane, file, Int.random(in: 0...80, using: &random))
                for index in own.indices where Int.random(in: 0..<12, using: &random) == 0 {
                    own[index] = Bool.random(using: &random) ? [] : [0x61, 0xFF]
                }
                return FileLane.File(inode: UInt64(lane * 10 + file), lines: own)
            }
            let source = FileLane("s\(lane)", files, seed: UInt64(seed * 3 + lane))
            sources.append(source)
            try stage.open(source, isOrdered: lane != 1)
        }
        stage.finish()
        let history = stage.store.history
        #expect(!history.isEmpty)
        for moment in history {
            var answered: [String] = []
            var refused = 0
            for source in sources {
                for file in source.files {
                    guard let position = moment.positions[FileIdentity(device: 1, inode: file.inode)] else { continue }
                    for (line, offset) in zip(file.lines, file.offsets)
                    where offset < position.offset && !position.unanswered.contains(offset) {
                        if line == [0x61, 0xFF] {
                            refused += 1
                        } else if !line.isEmpty {
                            answered.append(String(decoding: line, as: UTF8.self))
                        }
                    }
                    let next = file.offsets.count { $0 < position.offset } + 1
                    #expect(position.line == UInt64(next))
                    #expect(!position.isFinished || position.offset == UInt64(file.bytes.count))
                }
            }
            func committed(_ name: String) -> [String] {
                stage.texts(name, length: Int(moment.lengths["\(stage.folder.path)/\(name)"] ?? 0))
            }
            answered.sort()
            #expect(committed("all.tsv").sorted() == answered)
            #expect(HashClassifier().labels.flatMap { committed("\($0).txt") }.sorted() == answered)
            #expect(committed("dead.jsonl").count == refused)
        }
        // At the end all is committed, and every source knows.
        let end = try #require(history.last)
        for source in sources {
            for file in source.files {
                let position = try #require(end.positions[FileIdentity(device: 1, inode: file.inode)])
                #expect(position.isFinished && position.unanswered.isEmpty)
            }
            #expect(source.acknowledgements >= source.files.count)
        }
        #expect(Int(end.lengths["\(stage.folder.path)/all.tsv"] ?? 0) == stage.folder.bytes(of: "all.tsv")?.count)
        #expect(stage.outlet.lag.records == 0 && stage.outlet.failure == nil)
    }

    /// Pitfall 11: while the store takes no commits nothing is delivered; then all goes on and nothing stands twice.
    @Test func aStoreThatFailsStopsDeliveries() throws {
        let isBroken = Monitor(true)
        let store = ScriptedStore { _ in isBroken.withLock { $0 } ? UnderstudyError(.inputOutput, "disk") : nil }
        let stage = try Stage(fileAndLabels, models: models(), store: store)
        let outlet = stage.outlet
        let files = (0..<2).map { FileLane.File(inode: UInt64($0), lines: lines(0, $0, 50)) }
        // The second file comes when the store has failed over the first.
        let source = FileLane("s", files, seed: 1) { outlet.failure != nil }
        try stage.open(source)
        #expect(eventually { outlet.failure != nil })
        source.poke()
        let delivered = stage.texts("all.tsv")
        #expect(!delivered.contains { $0.contains("第1份") })
        #expect(eventually { store.attempts > 2 })
        #expect(stage.texts("all.tsv") == delivered && source.acknowledgements == 0)
        #expect(outlet.lag.nanoseconds > 0)
        #expect(stage.reports.withLock { $0.contains { $0.message.contains("disk") } })
        isBroken.withLock { $0 = false }
        stage.finish()
        let all = files.flatMap(\.lines).map { String(decoding: $0, as: UTF8.self) }
        #expect(stage.texts("all.tsv") == all)
        #expect(store.history.last?.positions.values.allSatisfy(\.isFinished) == true)
    }

    /// Pitfall 12: a file that can't be written to takes the whole job back out of the others; when it can, all is there
    /// once.
    @Test func aFileThatFailsHoldsUpTheWholeJob() throws {
        let sinks = """
              - {name: all, kind: file, path: FOLDER/all.tsv, format: tsv}
              - {name: away, kind: file, path: FOLDER/away/all.tsv, format: tsv}
            """
        let stage = try Stage(sinks, models: models())
        let source = FileLane("s", [FileLane.File(inode: 1, lines: lines(0, 0, 40))], seed: 2)
        try stage.open(source)
        #expect(eventually { stage.reports.withLock { !$0.isEmpty } })
        #expect(stage.folder.bytes(of: "all.tsv")?.isEmpty == true)
        #expect(stage.store.history.allSatisfy { $0.positions.values.allSatisfy { $0.offset == 0 } })
        mkdir(stage.folder.path + "/away", 0o700)
        stage.finish()
        let all = lines(0, 0, 40).map { String(decoding: $0, as: UTF8.self) }
        #expect(stage.texts("all.tsv") == all && stage.texts("away/all.tsv") == all)
        #expect(stage.reports.withLock { $0.count } <= 2)
    }

    @Test func aFileThatMayDropDoesAndCounts() throws {
        let sinks = """
              - {name: all, kind: file, path: FOLDER/all.tsv, format: tsv}
              - {name: away, kind: file, path: FOLDER/away/all.tsv, format: tsv, when_full: drop}
            """
        let stage = try Stage(sinks, models: models())
        try stage.open(FileLane("s", [FileLane.File(inode: 1, lines: lines(0, 0, 40))], seed: 3))
        stage.finish()
        #expect(stage.texts("all.tsv").count == 40)
        let text = PrometheusText.render(stage.metrics.reading().families)
        #expect(text.contains("understudy_sink_dropped_total{sink=\"away\"} 40\n"))
        #expect(text.contains("understudy_sink_records_total{sink=\"away\"} 0\n"))
        #expect(text.contains("understudy_sink_records_total{sink=\"all\"} 40\n"))
        #expect(stage.store.history.last?.positions.values.allSatisfy(\.isFinished) == true)
    }

    @Test func flushReturnsWhenAllIsDurable() throws {
        let isOpen = Monitor(false)
        let store = ScriptedStore { _ in
            isOpen.wait(on: 0) { $0 ? () : nil }
            return nil
        }
        let stage = try Stage(fileAndLabels, models: models(), store: store)
        try stage.open(FileLane("s", [FileLane.File(inode: 1, lines: lines(0, 0, 30))], seed: 4))
        stage.joinLanes()
        #expect(eventually { store.attempts == 1 })
        #expect(stage.outlet.flush(until: Monotonic.nanoseconds + 1_000_000) == false)
        let isDurable = Monitor<Bool?>(nil)
        let outlet = stage.outlet
        let waiting = try WorkerThread(name: "flush") {
            let result = outlet.flush()
            let isAll = store.history.last?.positions.values.allSatisfy(\.isFinished) == true
            isDurable.withLock { $0 = result && isAll }
        }
        isOpen.withLock { $0 = true }
        isOpen.broadcast(0)
        waiting.join()
        #expect(isDurable.withLock { $0 } == true)
        stage.finish()
    }

    /// Giving up ends every wait: deliveries that wait for the store, flushes, the committer.
    @Test func givingUpEndsAllWaiting() throws {
        let store = ScriptedStore { _ in UnderstudyError(.inputOutput, "disk") }
        let stage = try Stage(fileAndLabels, models: models(), store: store)
        let outlet = stage.outlet
        let files = (0..<2).map { FileLane.File(inode: UInt64($0), lines: lines(0, $0, 50)) }
        let source = FileLane("s", files, seed: 5) { outlet.failure != nil }
        try stage.open(source)
        #expect(eventually { outlet.failure != nil })
        source.poke()
        let flushed = Monitor<Bool?>(nil)
        let waiting = try WorkerThread(name: "flush") {
            let result = outlet.flush()
            flushed.withLock { $0 = result }
        }
        outlet.giveUp()
        waiting.join()
        #expect(flushed.withLock { $0 } == false)
        stage.finish()
        #expect(store.history.isEmpty && source.acknowledgements == 0)
        #expect(!stage.texts("all.tsv").contains { $0.contains("第1份") })
    }

    /// A flow that takes everything, and holds up what contains a text until it is let through.
    private final class Turnstile: FlowSink {
        let name = "flow"
        private let text: String
        private let state = Monitor((isReached: false, isOpen: false))

        init(holding text: String) { self.text = text }

        func deliver(_ bytes: UnsafeBufferPointer<UInt8>, records: Int) -> FlowOutcome {
            guard String(decoding: bytes, as: UTF8.self).contains(text) else { return .delivered }
            state.withLock { $0.isReached = true }
            _ = eventually { state.withLock { $0.isOpen } }
            return .delivered
        }

        func interrupt() {}

        func open() { state.withLock { $0.isOpen = true } }
        var isReached: Bool { state.withLock { $0.isReached } }
    }

    /// A job that is on its way to its files when its lane is abandoned isn't kept either.
    @Test func theLastJobOfAnAbandonedLaneIsNotKept() throws {
        let flow = Turnstile(holding: "第0路第1份")
        let stage = try Stage(
            fileAndLabels + "\n  - {name: flow, kind: fifo, path: FOLDER/pipe, format: tsv}", models: models(),
            flows: ["flow": flow])
        let own = (0..<2).map { FileLane.File(inode: UInt64($0), lines: lines(0, $0, 5)) }
        let source = FileLane("s", own, seed: 6)
        try stage.open(source)
        // Flows come before files.
        #expect(eventually { flow.isReached })
        stage.abandon(source)
        flow.open()
        stage.finish()
        let texts = stage.texts("all.tsv")
        #expect(texts.contains { $0.contains("第0路第0份") } && !texts.contains { $0.contains("第0路第1份") })
    }

    /// A lane that is given up while it waits keeps nothing any more, and the others go on.
    @Test func anAbandonedLaneKeepsNothing() throws {
        let isBroken = Monitor(true)
        let store = ScriptedStore { _ in isBroken.withLock { $0 } ? UnderstudyError(.inputOutput, "disk") : nil }
        let stage = try Stage(fileAndLabels, models: models(), store: store)
        let outlet = stage.outlet
        let own = (0..<2).map { FileLane.File(inode: UInt64($0), lines: lines(0, $0, 20)) }
        let others = (0..<2).map { FileLane.File(inode: UInt64($0 + 10), lines: lines(1, $0, 20)) }
        let given = FileLane("given", own, seed: 6) { outlet.failure != nil }
        let other = FileLane("other", others, seed: 7) { outlet.failure != nil }
        try stage.open(given)
        try stage.open(other)
        #expect(eventually { outlet.failure != nil })
        stage.abandon(given)
        given.poke()
        other.poke()
        isBroken.withLock { $0 = false }
        stage.finish()
        let texts = stage.texts("all.tsv")
        #expect(!texts.contains { $0.contains("第0路第1份") })
        #expect(texts.count { $0.contains("第1路") } == 40)
    }

    // MARK: Disagreements

    @Test func theTeachersAnswersBecomeRows() throws {
        let stage = try Stage(fileAndLabels, models: models(asking: 0.6, auditShare: 1)) { $0.teacherLines = 100 }
        let own = lines(0, 0, 60)
        try stage.open(FileLane("s", [FileLane.File(inode: 1, lines: own)], seed: 8))
        stage.finish()
        let (student, teacher) = (HashClassifier(), HashClassifier(version: "t", salt: 9))
        let rows = stage.store.rows
        #expect(Set(rows.map(\.id)).count == rows.count && rows.count > 10)
        for row in rows {
            let (one, two) = (student.logits(Array(row.text.utf8)), teacher.logits(Array(row.text.utf8)))
            let own = try #require(one.withUnsafeBufferPointer { Verdict($0, temperature: 1) })
            let other = try #require(two.withUnsafeBufferPointer { Verdict($0, temperature: 1) })
            #expect(row.studentLogits == one && row.teacherLogits == two && row.labels == student.labels)
            #expect(row.studentLabel == student.labels[own.label] && row.teacherLabel == student.labels[other.label])
            #expect(row.studentConfidence == own.confidence && row.teacherConfidence == other.confidence)
            #expect(row.reason == (own.confidence < 0.6 ? .deferred : .audit))
            #expect(row.source == "s" && row.student == "s" && row.teacher == "t" && row.time > 0)
        }
        let unsure = own.filter { line in
            (student.logits(line).withUnsafeBufferPointer { Verdict($0, temperature: 1) }?.confidence ?? 1) < 0.6
        }
        #expect(
            rows.filter { $0.reason == .deferred }.map(\.text) == unsure.map { String(decoding: $0, as: UTF8.self) })
    }
}
