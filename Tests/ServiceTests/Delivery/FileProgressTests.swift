import Service
import Streams
import TestSupport
import Testing

@Suite struct FileProgressTests {
    /// Jobs of an unordered source in any order of late lines, cuts at any time, forgotten where that is allowed: the
    /// position says exactly which lines are answered.
    @Test(arguments: 0..<200)
    func agreesWithASetOfLines(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        let file = FileIdentity(device: 1, inode: 2)
        let count = Int.random(in: 1...60, using: &random)
        // An earlier run had come to `resumed` and left some lines.
        let resumed = Int.random(in: 0...count, using: &random)
        let left = (0..<resumed).filter { _ in Int.random(in: 0..<4, using: &random) == 0 }
        let start = left.first ?? resumed
        let origin = SourceOrigin(
            source: "s", path: "f", file: file, start: UInt64(start * 10), firstLine: UInt64(start + 1),
            unanswered: left.map { UInt64($0 * 10) }, resumed: UInt64(resumed * 10), resumedLine: UInt64(resumed + 1))
        var answered = Set(0..<resumed).subtracting(left)
        var todo = left + Array(resumed..<count)
        var late: [[Int]] = []
        var progress: FileProgress?
        func check(_ progress: FileProgress) {
            let position = progress.position
            let said = Set((0..<count).filter { UInt64($0 * 10) < position.offset })
                .subtracting(position.unanswered.map { Int($0 / 10) })
            #expect(said == answered)
            #expect(position.unanswered == position.unanswered.sorted())
            #expect(Set(position.unanswered).count == position.unanswered.count)
            #expect(position.line == position.offset / 10 + 1)
            #expect(!position.isFinished || answered.count == count)
        }
        while !todo.isEmpty || !late.isEmpty {
            if !todo.isEmpty, late.isEmpty || Bool.random(using: &random) {
                let job = Array(todo.prefix(Int.random(in: 1...7, using: &random)))
                todo.removeFirst(job.count)
                let waits = job.filter { _ in Int.random(in: 0..<3, using: &random) == 0 }
                var now = progress ?? FileProgress(origin)
                let end = job[job.count - 1] + 1
                now.advance(
                    origin, to: UInt64(end * 10), line: UInt64(end + 1), hasEnded: end == count,
                    left: waits.map { UInt64($0 * 10) })
                for line in job where !waits.contains(line) {
                    now.settle(UInt64(line * 10))
                    answered.insert(line)
                }
                if !waits.isEmpty { late.append(waits) }
                progress = now
            } else {
                let rest = late.remove(at: Int.random(in: 0..<late.count, using: &random))
                var now = progress ?? FileProgress(origin)
                for line in rest {
                    now.settle(UInt64(line * 10))
                    answered.insert(line)
                }
                progress = now
            }
            guard let now = progress else { continue }
            check(now)
            if Bool.random(using: &random), now.canBeForgotten { progress = nil }
        }
        var last = progress ?? FileProgress(origin)
        last.advance(origin, to: UInt64(count * 10), line: UInt64(count + 1), hasEnded: true, left: [])
        check(last)
        #expect(last.position.isFinished)
    }
}
