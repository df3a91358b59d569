import Cascade
import Models
import Streams
import TestSupport
import Testing

/// An origin's bytes, and what must be known of its lines.
private struct Text {
    struct Line {
        var offset: UInt64
        var end: UInt64
        var number: UInt64
        /// nil for blank and refused lines.
        var text: String?
    }

    var path: String
    var bytes: [UInt8] = []
    var lines: [Line] = []

    init(_ path: String, random: inout SplitMix) {
        self.path = path
        if Int.random(in: 0..<3, using: &random) == 0 { bytes = [0xEF, 0xBB, 0xBF] }
        let mark = UInt64(bytes.count)
        let count = [0, 1, 2, 50][Int.random(in: 0...3, using: &random)]
        for index in 0..<count {
            let offset = lines.isEmpty ? bytes.count : Int(lines[lines.count - 1].end)
            var text: String? = "\(path)第\(index)行"
            switch Int.random(in: 0..<8, using: &random) {
            case 0: text = nil
            case 1:
                bytes += Array(repeating: 0x78, count: Int.random(in: 201...700, using: &random))
                text = nil
            case 2:
                bytes += [0x61, 0xFF]
                text = nil
            default: bytes += Array((text ?? "").utf8)
            }
            let isLast = index == count - 1 && bytes.count > offset
            if !isLast || Bool.random(using: &random) {
                bytes += Bool.random(using: &random) ? [0x0D, 0x0A] : [0x0A]
            }
            lines.append(
                Line(offset: UInt64(offset), end: UInt64(bytes.count), number: UInt64(index + 1), text: text))
        }
        // A mark and nothing else is a blank line without an end.
        if count == 0, mark > 0 { lines = [Line(offset: mark, end: mark, number: 1, text: nil)] }
    }
}

@Suite(.offPool) struct PositionTests {
    /// Many small files through one lane: wherever it stands, what outputs are told of positions is what a plain count
    /// says, for ordered and unordered lanes.
    @Test(arguments: 0..<60)
    func positionsAreThoseOfAPlainCount(seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        let texts = (0..<Int.random(in: 1...8, using: &random)).map { Text("f\($0)", random: &random) }
        var steps: [ScriptedLane.Step] = []
        for text in texts {
            steps.append(.opened(SourceOrigin(source: "s", path: text.path, file: nil)))
            steps += ScriptedLane.pieces(text.bytes, largest: 150, random: &random)
            steps.append(.finished)
        }
        let isOrdered = seed % 2 == 0
        let running = try RunningEngine(
            try models(HashClassifier(), source(of: HashClassifier(version: "t", salt: 1)))
        ) {
            $0.studentLines = Int.random(in: 1...9, using: &random)
            $0.jobs = Int.random(in: 1...5, using: &random)
        }
        let lane = try running.open(ScriptedLane("s", steps)) { $0.isOrdered = isOrdered }
        running.finish()
        for text in texts {
            let own = lane.output.deliveries.filter { $0.path == text.path }
            let texts = own.flatMap { $0.records[0] }.compactMap { Proof($0)?.text }
            let wanted = text.lines.compactMap(\.text)
            #expect((isOrdered ? texts : texts.sorted()) == (isOrdered ? wanted : wanted.sorted()))
            var unanswered: Set<UInt64> = []
            var answered: Set<UInt64> = []
            var end: UInt64 = 0
            var hasEnded = false
            for delivery in own {
                if !delivery.isRest {
                    #expect(!hasEnded && delivery.end >= end)
                    end = delivery.end
                    hasEnded = delivery.endsOrigin
                    unanswered.formUnion(delivery.unanswered)
                    let next = text.lines.first { $0.offset >= end && $0.end > end }?.number
                    #expect(delivery.nextNumber == next ?? UInt64(text.lines.count) + 1)
                }
                for offset in delivery.answered {
                    let isEnding = delivery.endsOrigin && offset == delivery.end
                    let isNew = answered.insert(offset).inserted
                    #expect(isNew || isEnding)
                }
                #expect(delivery.isRest ? unanswered.isSuperset(of: delivery.answered) : true)
                unanswered.subtract(delivery.answered)
                // What is before the end is answered or known to be unanswered.
                for line in text.lines where line.end <= end {
                    #expect(answered.contains(line.offset) != unanswered.contains(line.offset))
                }
            }
            #expect(hasEnded && unanswered.isEmpty && end == UInt64(text.bytes.count))
        }
    }

    /// A later run begins at the first line without an answer and leaves out those that have one.
    @Test(arguments: 0..<30)
    func aLaterRunAnswersWhatIsLeft(seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        var text = Text("f", random: &random)
        while text.lines.count < 3 { text = Text("f", random: &random) }
        let reached = Int.random(in: 1..<text.lines.count, using: &random)
        let left = text.lines[..<reached].filter { _ in Bool.random(using: &random) }.map(\.offset)
        let start = left.first ?? text.lines[reached].offset
        let firstLine = text.lines.first { $0.offset >= start }?.number ?? 0
        let origin = SourceOrigin(
            source: "s", path: "f", file: nil, start: start, firstLine: firstLine, unanswered: left,
            resumed: text.lines[reached].offset)
        let bytes = Array(text.bytes[Int(start)...])
        let running = try RunningEngine(try models(below: 0)) { $0.studentLines = 5 }
        let lane = try running.open(
            ScriptedLane(
                "s", [.opened(origin)] + ScriptedLane.pieces(bytes, largest: 150, random: &random) + [.finished]))
        running.finish()
        let wanted = text.lines.filter { left.contains($0.offset) || $0.offset >= origin.resumed }
        #expect(lane.output.proofs.map(\.text) == wanted.compactMap(\.text))
        #expect(lane.output.deliveries.last?.end == UInt64(text.bytes.count))
        #expect(lane.output.deliveries.last?.nextNumber == UInt64(text.lines.count) + 1)
    }

    /// Pitfall 1: the bytes of a line without its end are handed back when reading is stopped, not answered.
    @Test func anUnfinishedLineIsHandedBack() throws {
        let running = try RunningEngine(try models(below: 0))
        let origin = SourceOrigin(source: "s", path: "s", file: nil)
        let lane = try running.open(
            ScriptedLane("s", [.opened(origin), .bytes(Array("一\n半行".utf8)), .silence]))
        #expect(lane.output.wait(lines: 1))
        lane.source.interrupt()
        let ending = try #require(lane.join())
        #expect(ending.cause == .stopped && ending.unfinished == Array("半行".utf8) && ending.unfinishedBytes == 6)
        running.finish()
        #expect(lane.output.proofs.map(\.text) == ["一"])
    }
}
