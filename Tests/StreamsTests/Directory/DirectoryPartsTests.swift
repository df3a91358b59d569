import CFiles
import Diagnostics
import Glibc
import Streams
import TestSupport
import Testing

/// The parts of a directory source that need no directory.
@Suite(.offPool) struct DirectoryPartsTests {
    @Test func globsDecideOnThePathRelativeToTheDirectory() {
        let all = NameFilter(include: [], exclude: [])
        let names = ["a", "x/a", ".a", "x/.a", ".x/a", "a.tmp", "a~", "a.swp", "a.part", "tmp", "a.tmp.txt"]
        #expect(names.filter(all.takes) == ["a", "x/a", "tmp", "a.tmp.txt"])
        #expect(names.filter(NameFilter(include: ["*"], exclude: []).takes) == names.filter(all.takes))
        let some = NameFilter(include: ["*.txt", "新闻-[0-9]?.jsonl"], exclude: ["old/*", "*-draft*"])
        let others = [
            "a.txt", "x/y/a.txt", "a.TXT", "a.txt.gz", "old/a.txt", "a-draft.txt", "新闻-12.jsonl", "新闻-1.jsonl",
        ]
        #expect(others.filter(some.takes) == ["a.txt", "x/y/a.txt", "新闻-12.jsonl"])
    }

    @Test func packingIsKnownByTheFirstBytes() {
        #expect(Packing([0x1F, 0x8B, 0x08, 0], isAll: false) == .gzip)
        #expect(Packing([0x28, 0xB5, 0x2F, 0xFD], isAll: false) == .zstd)
        for start: [UInt8] in [[], [0x1F], [0x1F, 0x8B], [0x28], [0x28, 0xB5, 0x2F]] {
            #expect(Packing(start, isAll: false) == nil && Packing(start, isAll: true) == .plain)
        }
        #expect(Packing(Array("(a".utf8), isAll: false) == .plain)
        #expect(Packing([0x1F, 0x8B, 0x07], isAll: false) == .plain)
    }

    /// The mark that is kept as bytes stream by is that of the bytes on the disk.
    @Test func marksAreTheSameHoweverTheyAreMade() throws {
        var random = SplitMix(seed: 5)
        let directory = try TestDirectory()
        for round in 0..<30 {
            let bytes = (0..<Int.random(in: 0...6000, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            try directory.append("\(round)", bytes)
            let file = OpenFile(open(directory.path("\(round)"), O_RDONLY | O_CLOEXEC))
            var mark = FileMark()
            var marks: Set<UInt64> = []
            while mark.offset < bytes.count {
                let start = Int(mark.offset)
                let most = round % 2 == 0 ? 3000 : 300
                let end = min(bytes.count, start + Int.random(in: 1...most, using: &random))
                bytes[start..<end].withUnsafeBytes { mark.append($0) }
                let hash = mark.hash(born: 7)
                #expect(try FileMark(file, upTo: UInt64(end))?.hash(born: 7) == hash)
                #expect(marks.insert(hash).inserted)
            }
            #expect(try FileMark(file, upTo: UInt64(bytes.count) + 1) == nil)
            #expect(mark.hash(born: 7) != mark.hash(born: 8))
        }
    }

    @Test func aHoleIsFoundWhereALineShouldStart() {
        func beginning(_ block: [UInt8], isLineStart: Bool = true, isInHole: Bool = false) -> HoleSearch.Beginning {
            block.withUnsafeBytes {
                HoleSearch.beginning(of: $0, .byte, at: 0, isLineStart: isLineStart, isInHole: isInHole)
            }
        }
        #expect(beginning(Array("ab\nc".utf8)) == .data(4))
        #expect(beginning([0, 0, 0, 0, 0x61]) == .hole(4))
        #expect(beginning([0, 0, 0, 0x61]) == .data(4), "three NULs are part of a line")
        #expect(beginning([0, 0, 0, 0x61], isInHole: true) == .hole(3))
        #expect(beginning([0, 0, 0, 0, 0x61], isLineStart: false) == .data(5))
        #expect(beginning([0x61, 0x0A, 0, 0, 0, 0, 0x62]) == .data(2))
        #expect(beginning([0x61, 0x0A, 0]) == .data(2), "the hole may go on in the next block")
        #expect(beginning([0x61, 0, 0, 0, 0, 0x0A]) == .data(6))
    }

    @Test func aHoleInUTF16ConsistsOfPairs() {
        func beginning(_ block: [UInt8], at offset: UInt64 = 0, isInHole: Bool = false) -> HoleSearch.Beginning {
            block.withUnsafeBytes {
                HoleSearch.beginning(of: $0, .littleEndian, at: offset, isLineStart: true, isInHole: isInHole)
            }
        }
        #expect(beginning([0, 0, 0, 0, 0x61, 0]) == .hole(4))
        #expect(beginning([0, 0, 0x61, 0]) == .data(4))
        #expect(beginning([0, 0, 0x61, 0], isInHole: true) == .hole(2))
        #expect(beginning([0x0A, 0, 0, 0, 0, 0, 0x61, 0]) == .data(2))
        #expect(beginning([0x61, 0, 0, 0, 0], at: 1) == .data(5), "the pairs are at even offsets of the file")
    }

    @Test func theSameReportIsPassedOnOnceAnHour() {
        let passed = Monitor<[UnderstudyError]>([])
        let reports = DirectoryReports { error in passed.withLock { $0.append(error) } }
        let hour: UInt64 = 3_600_000_000_000
        for (place, now) in [("a", 0), ("a", hour - 1), ("b", hour - 1), ("a", hour), ("a", hour + 1)]
            as [(String, UInt64)]
        {
            reports(UnderstudyError(.inputOutput, "it fails", at: place), now: now)
        }
        #expect(passed.withLock { $0.map(\.place) } == ["a", "b", "a"])
    }

    @Test func aFailedLookIsTakenAgainAfterLongerPauses() {
        var calls = DirectoryCalls()
        calls.status = { _, _, _ in EIO }
        let failed = Result { () throws(CannotTell) in try FileStatus(path: "/", calls) }
        guard case .failure(let why) = failed else {
            Issue.record("the call fails")
            return
        }
        let looks = RetriedLooks(limits: DirectoryLimits(retryNanoseconds: 100), reports: DirectoryReports { _ in })
        looks.put("a", .name(.changed), why, now: 0)
        looks.put("b", .directory, why, now: 50)
        #expect(looks.due(at: 99).isEmpty)
        #expect(looks.due(at: 150).map(\.path) == ["a", "b"])
        // The second failure of a name: what tells more is kept, and the pause is twice as long.
        let first = looks.due(at: 100)
        looks.put("a", .name(.left), why, now: 100)
        for look in first { looks.settle(look.path, after: look.failures) }
        #expect(looks.due(at: 299).map(\.path) == ["b"])
        #expect(looks.due(at: 300).first?.what == .name(.changed))
        looks.put("a", .root, why, now: 300)
        #expect(looks.due(at: 10_000).map(\.what) == [.root, .directory])
        for look in looks.due(at: 10_000) { looks.settle(look.path, after: look.failures) }
        #expect(looks.isEmpty)
    }

    /// Whether the device of a checkpoint was renumbered is told by the file that it names.
    @Test func checkpointsAreFoundUnderTheNewNumberOfTheirDevice() throws {
        func earlier(_ number: Int32) -> EarlierRuns {
            var calls = DirectoryCalls()
            calls.status = { path, _, status in
                (status.device, status.inode) = (9, 5)
                return number
            }
            let kept = (0...1).map { (generation: UInt64) in
                FileCheckpoint(
                    source: "drops", path: "/drops/\(generation)",
                    file: FileIdentity(device: 1, inode: 5, generation: generation), offset: 0, line: 1,
                    isFinished: false, mark: 0, size: 0, modified: 0)
            }
            return EarlierRuns(kept.reversed(), directory: "/drops", calls: calls)
        }
        let (old, new) = (FileStatus.Node(device: 1, inode: 5), FileStatus.Node(device: 9, inode: 5))
        let renumbered = earlier(0)
        #expect(try renumbered.load(on: 9) == [FileIdentity(device: 1, inode: 5, generation: 0)])
        #expect(renumbered.path(of: new) == "/drops/1" && renumbered.path(of: old) == nil)
        for number in [ENOENT, EACCES, ELOOP] {
            let elsewhere = earlier(number)
            #expect(try elsewhere.load(on: 9).count == 1)
            #expect(elsewhere.path(of: old) == "/drops/1")
            #expect(elsewhere.takeMissing(on: 9).isEmpty && elsewhere.takeMissing(on: 1).count == 1)
        }
        let unknown = earlier(EIO)
        #expect(throws: CannotTell.self) { try unknown.load(on: 9) }
        #expect(unknown.path(of: old) == nil)
    }
}
