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
}
