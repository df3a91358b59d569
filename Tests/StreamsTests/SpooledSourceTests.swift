import Diagnostics
import Foundation
import Glibc
import Streams
import TestSupport
import Testing

@Suite(.offPool) struct SpooledSourceTests {
    private let scratch: TemporaryFolder
    private let reports = FlowReports()
    private let feed = Feed()
    private var spool: String { scratch.path + "/spool" }

    init() throws { scratch = try TemporaryFolder() }

    private func source(
        _ store: SpoolStore = SpoolStore(), maximum: UInt64 = 1 << 30, segment: UInt64 = 100,
        disk: SpoolDisk = SpoolDisk(),
        piece: Int = 50
    ) throws -> SpooledSource {
        try SpooledSource(
            FeedSource(feed, piece: piece), spool: spool, maximumBytes: maximum, segmentBytes: segment,
            checkpoints: Array(store.checkpoints.values), disk: disk, report: reports.report)
    }

    private func files() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: spool + "/wire").sorted()
    }

    @Test(arguments: 0..<60)
    func everyLineIsAnsweredOnceWhateverHappens(seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        let ordered = Bool.random(using: &random)
        let segment = UInt64.random(in: 1...300, using: &random)
        var store = SpoolStore()
        var expected: [String] = []
        func write() {
            for _ in 0..<Int.random(in: 0...12, using: &random) {
                let text = "\(expected.count)" + String(repeating: "稿", count: Int.random(in: 0...30, using: &random))
                expected.append(text)
                feed.put(text + "\n")
            }
        }
        for _ in 0..<Int.random(in: 0...6, using: &random) {
            // A run that is dropped without a word.
            let source = try source(store, segment: segment)
            let lane = SpoolLane(source, room: Int.random(in: 1...90, using: &random))
            for _ in 0..<Int.random(in: 0...15, using: &random) {
                write()
                for _ in 0..<Int.random(in: 0...20, using: &random) where store.lines.count < expected.count {
                    _ = try lane.step(&store)
                }
                if Bool.random(using: &random) {
                    lane.commit(&store) { ordered || Int.random(in: 0..<3, using: &random) > 0 }
                }
            }
        }
        write()
        feed.end()
        try SpoolLane.drain(source(store, segment: segment), &store)
        #expect(store.answers.sorted() == expected.sorted())
        #expect(reports.all.isEmpty)
        // What is left is the newest segment, and the next run puts an empty one in its place.
        #expect(try files().count == 1)
        var next = store
        try SpoolLane.drain(source(store), &next)
        #expect(next.answers == store.answers)
        #expect(next.checkpoints.count == 1)
    }

    @Test func aPartialLineGoesOnInTheNextRun() throws {
        var store = SpoolStore()
        feed.put("甲报\n乙")
        do {
            let source = try source(segment: 1000)
            let lane = SpoolLane(source, room: 1000)
            // Both pieces have been taken once the reader has seen them.
            while store.lines.isEmpty || feed.taken < 10 { _ = try lane.step(&store) }
            lane.commit(&store)
            source.interrupt()
            #expect(try !lane.step(&store))
        }
        feed.put("报\n")
        feed.end()
        try SpoolLane.drain(source(store, segment: 1000), &store)
        #expect(store.answers == ["甲报", "乙报"])
    }

    @Test func whatWasSpooledAndNotReadStays() throws {
        feed.put("甲\n乙\n")
        do {
            let source = try source()
            try waitUntil { feed.taken >= 8 }
            source.interrupt()
            var store = SpoolStore()
            #expect(try !SpoolLane(source).step(&store))
        }
        feed.end()
        var store = SpoolStore()
        try SpoolLane.drain(source(), &store)
        #expect(store.answers == ["甲", "乙"])
    }

    /// Names that no spool gives: a number after which there is none, one that isn't there, and one with a sign.
    @Test func filesOfOthersAreLeftAlone() throws {
        let names = ["18446744073709551615.seg", "18446744073709551616.seg", "+0000000000000000007.seg"]
        try FileManager.default.createDirectory(atPath: spool + "/wire", withIntermediateDirectories: true)
        for name in names { try Data("别\n".utf8).write(to: URL(fileURLWithPath: spool + "/wire/" + name)) }
        feed.put("甲\n")
        feed.end()
        var store = SpoolStore()
        try SpoolLane.drain(source(), &store)
        #expect(store.answers == ["甲"])
        #expect(reports.all.isEmpty)
        #expect(try Set(names).isSubset(of: files()))
    }

    @Test func aStreamThatEndsWithinALineEndsTheLine() throws {
        feed.put("甲\n乙")
        feed.end()
        var store = SpoolStore()
        try SpoolLane.drain(source(), &store)
        #expect(store.answers == ["甲", "乙"])
        #expect(try Data(contentsOf: URL(fileURLWithPath: spool + "/wire/" + files()[0])).last == 0x0A)
    }

    @Test func aLineWithoutEndIsCut() throws {
        let long = [UInt8](repeating: 0x61, count: 1_500_000)
        feed.put(long + Array("\n短\n".utf8))
        feed.end()
        var store = SpoolStore()
        try SpoolLane.drain(source(piece: 200_000), &store, room: 100_000)
        #expect(store.answers.count == 3)
        #expect(store.answers[0].utf8.count == 100 + 1 << 20)
        #expect(store.answers.dropLast().reduce(0) { $0 + $1.utf8.count } == long.count)
        #expect(store.answers.last == "短")
    }

    @Test func aFullSpoolHoldsTheStreamUp() throws {
        let expected = (0..<3000).map { "第\($0)条" }
        feed.put(expected.map { $0 + "\n" }.joined())
        feed.end()
        let source = try source(maximum: 8192, segment: 1000)
        try waitUntil { feed.taken >= 8192 }
        for _ in 0..<100 { sched_yield() }
        #expect(feed.taken < 8192 + 50)
        var store = SpoolStore()
        let lane = SpoolLane(source, room: 500)
        while try lane.step(&store) { lane.commit(&store) }
        lane.commit(&store)
        #expect(store.answers == expected)
        #expect(reports.all.isEmpty)
    }

    @Test func aFullDiskIsWaitedForAndReportedOnce() throws {
        let room = Monitor(200)
        let disk = SpoolDisk(
            write: { descriptor, bytes, offset in
                let most = room.withLock { room in
                    let most = min(room, bytes.count)
                    room -= most
                    return most
                }
                guard most > 0 else {
                    errno = ENOSPC
                    return -1
                }
                return pwrite(descriptor, bytes.baseAddress, most, off_t(offset))
            },
            reserve: { _, _, _ in
                errno = EOPNOTSUPP
                return -1
            })
        let expected = (0..<60).map { "第\($0)条" }
        feed.put(expected.map { $0 + "\n" }.joined())
        feed.end()
        let source = try source(disk: disk)
        try waitUntil { !reports.all.isEmpty }
        #expect(feed.taken < 200 + 50)
        var store = SpoolStore()
        let lane = SpoolLane(source)
        while store.lines.count < 15 { _ = try lane.step(&store) }
        lane.commit(&store)
        room.withLock { $0 = 1 << 20 }
        while try lane.step(&store) {}
        lane.commit(&store)
        #expect(store.answers == expected)
        #expect(reports.all.map(\.code) == [.noSpace])
    }

    @Test func nothingIsTakenWhileSpaceCannotBeReserved() throws {
        let disk = SpoolDisk(reserve: { _, _, _ in
            errno = ENOSPC
            return -1
        })
        feed.put("甲\n")
        feed.end()
        do {
            let source = try source(disk: disk)
            try waitUntil { !reports.all.isEmpty }
            #expect(feed.taken == 0)
            source.interrupt()
        }
        #expect(feed.taken == 0)
        var store = SpoolStore()
        try SpoolLane.drain(source(), &store)
        #expect(store.answers == ["甲"])
    }

    // MARK: Damage

    /// Three segments of which the first two lines of the first one have been answered.
    private func begin(_ store: inout SpoolStore) throws {
        for index in 0..<12 { feed.put("第\(index)条" + String(repeating: "文", count: 6) + "\n") }
        let lane = SpoolLane(try source(), room: 26)
        while store.lines.count < 2 { _ = try lane.step(&store) }
        lane.commit(&store)
        try waitUntil { feed.taken >= feed.monitor.withLock { $0.bytes.count } }
        feed.end()
    }

    @Test func aSegmentThatIsAnotherIsSetAside() throws {
        var store = SpoolStore()
        try begin(&store)
        let first = spool + "/wire/" + (try files()[0])
        let file = open(first, O_WRONLY)
        pwrite(file, "x", 1, 0)
        close(file)
        try SpoolLane.drain(source(store), &store)
        #expect(store.answers.count == 12 - 2)
        #expect(Set(store.answers).count == store.answers.count)
        #expect(reports.all.map(\.code) == [.invalidData])
        #expect(access(first, F_OK) != 0 && access(first + ".damaged", F_OK) == 0)
        #expect(store.checkpoints.count == 1)
    }

    @Test func aSegmentThatWasCutShortIsSetAside() throws {
        var store = SpoolStore()
        try begin(&store)
        for (index, name) in try files().enumerated() where index > 0 { unlink(spool + "/wire/" + name) }
        truncate(spool + "/wire/" + (try files()[0]), 5)
        feed.monitor.withLock { $0.isEnded = false }
        feed.put("新的\n")
        feed.end()
        try SpoolLane.drain(source(store), &store)
        #expect(store.answers.last == "新的" && store.answers.count == 3)
        #expect(reports.all.map(\.code) == [.invalidData])
        // The number isn't given again.
        #expect(try files() == ["00000000000000000001.seg.damaged", "00000000000000000002.seg"])
    }

    /// It may end in the first half of a line, whose other half would begin the next segment.
    @Test func aNewestSegmentThatCannotBeOpenedEndsTheStart() throws {
        try FileManager.default.createDirectory(
            atPath: spool + "/wire/00000000000000000001.seg", withIntermediateDirectories: true)
        #expect(throws: UnderstudyError.self) { try source(SpoolStore()) }
        #expect(try files() == ["00000000000000000001.seg"])
    }

    @Test func foreignCheckpointsAndFilesAreLeftAlone() throws {
        var store = SpoolStore()
        let foreign = FileCheckpoint(
            source: "other", path: "/x", file: FileIdentity(device: 0, inode: 1), offset: 9, line: 1,
            isFinished: true, mark: 0, size: 9, modified: 0)
        store.checkpoints[foreign.file] = foreign
        feed.put("甲\n")
        feed.end()
        mkdir(spool, 0o700)
        mkdir(spool + "/wire", 0o700)
        close(open(spool + "/wire/note.txt", O_CREAT | O_WRONLY, 0o600))
        try SpoolLane.drain(source(store), &store)
        #expect(store.answers == ["甲"])
        #expect(try files() == ["00000000000000000001.seg", "note.txt"])
    }

    @Test func everySourceHasADirectoryOfItsOwn() throws {
        let names = ["a/b", "a%2fb", "..", "新闻", "A_b-1", String(repeating: "长", count: 100)]
        for name in names {
            _ = try SpooledSource(
                FeedSource(feed, name: name), spool: spool, maximumBytes: 1 << 20, checkpoints: [],
                report: reports.report)
        }
        let made = try FileManager.default.contentsOfDirectory(atPath: spool)
        #expect(made.count == names.count && made.contains("a%2fb") && made.contains("A_b-1"))
    }

    @Test func aSpoolThatCannotBeMadeIsAnError() {
        let error = #expect(throws: UnderstudyError.self) {
            try SpooledSource(
                FeedSource(feed), spool: "/proc/none/spool", maximumBytes: 1 << 20, checkpoints: [],
                report: reports.report)
        }
        #expect(error?.code == .cannotCreate)
    }
}
