import Diagnostics
import Models
import Testing
import Text

@Suite struct TeacherGoldenTests {
    @Test(arguments: TeacherGolden.names)
    func logitsAreThoseOfPyTorch(name: String) throws {
        let golden = try TeacherGolden.read(name)
        let teacher = try TeacherGolden.teacher(name)
        let logits = teacher.logits(of: golden.batch)
        let expected = golden.logits.flatMap { $0 }
        #expect(logits.count == expected.count)
        for (index, pair) in zip(logits, expected).enumerated() {
            #expect(abs(pair.0 - pair.1) < 1e-4, "logit \(index): \(pair.0), PyTorch says \(pair.1)")
        }
    }

    @Test(arguments: TeacherGolden.names)
    func aLineAloneScoresAsInABatch(name: String) throws {
        let golden = try TeacherGolden.read(name)
        let teacher = try TeacherGolden.teacher(name)
        let together = teacher.logits(of: golden.batch)
        for (index, line) in golden.lines.enumerated() {
            var alone = TokenBatch()
            alone.append(ids: line)
            let labels = teacher.labels.count
            for (a, b) in zip(teacher.logits(of: alone), together[index * labels..<(index + 1) * labels]) {
                #expect(abs(a - b) < 2e-5)
            }
        }
    }

    @Test func threadsDontChangeTheLogits() throws {
        let golden = try TeacherGolden.read("gelu")
        let teacher = try TeacherGolden.teacher("gelu")
        var batch = TokenBatch()
        for _ in 0..<40 { for line in golden.lines { batch.append(ids: line) } }
        let one = teacher.logits(of: batch)
        for threads in 2...4 {
            for (a, b) in zip(teacher.logits(of: batch, threads: threads), one) { #expect(abs(a - b) < 2e-5) }
        }
        for (a, b) in zip(one, golden.logits.flatMap { $0 }) { #expect(abs(a - b) < 1e-4) }
    }

    @Test func textGoesThroughTheTokenizer() throws {
        let teacher = try TeacherGolden.teacher("gelu")
        let lines = ["市场今天小幅上涨", "", "球队赢了"]
        var tokens = TokenBatch()
        let scratch = TokenizerScratch()
        for line in lines {
            var bytes = Array(line.utf8)
            bytes.withUnsafeMutableBufferPointer {
                tokens.append(
                    UnsafeBufferPointer($0), maximumLength: teacher.configuration.maximumLength, with: ByteTokenizer(),
                    scratch: scratch)
            }
        }
        #expect(tokens.length(1) == 2)
        var logits = [Float](repeating: 0, count: lines.count * teacher.labels.count)
        let scorer = teacher.makeScorer(threads: 1)
        logits.withUnsafeMutableBufferPointer { scorer.score(LineBatch(lines), into: $0) }
        #expect(logits == teacher.logits(of: tokens))
    }

    @Test func noLinesAndLinesWithoutTokensAreLegal() throws {
        let teacher = try TeacherGolden.teacher("gelu")
        #expect(teacher.logits(of: TokenBatch()).isEmpty)
        var batch = TokenBatch()
        batch.append(ids: [])
        batch.append(ids: [1, 5, 2])
        batch.append(ids: [])
        let logits = teacher.logits(of: batch)
        var alone = TokenBatch()
        alone.append(ids: [1, 5, 2])
        let labels = teacher.labels.count
        for (a, b) in zip(logits[labels..<2 * labels], teacher.logits(of: alone)) { #expect(abs(a - b) < 2e-5) }
        #expect(logits.allSatisfy { $0.isFinite })
    }
}
