import Bytes
import Cascade
import Diagnostics
import Glibc
import Models
import Streams
import TestSupport
import Testing

/// What the cascade must write, worked out one line at a time with nothing shared but the encoders.
private struct Expected {
    var answers: [UInt8] = []
    var errors: [UInt8] = []

    init(
        _ stream: [UInt8], _ options: CascadeOptions, student: HashClassifier, teacher: HashClassifier,
        policy: DeferralPolicy
    ) throws {
        let encoder = AnswerEncoder(
            format: options.format, source: options.source, labels: student.labels, student: student.version,
            teacher: teacher.version, includesLogits: options.includesLogits)
        let flaws = FlawEncoder(source: options.source, field: options.input.field)
        let identity = RecordIdentity(source: options.source)
        let (written, refused) = (ByteBuffer(), ByteBuffer())
        var start = 0
        var number: UInt64 = 0
        while start < stream.count {
            number += 1
            let end = stream[start...].firstIndex(of: 0x0A) ?? stream.count
            var line = Array(stream[start..<end])
            if line.last == 0x0D { line.removeLast() }
            let record = Record(
                offset: UInt64(start), number: number, start: 0, length: UInt32(line.count), chunk: 0,
                kind: line.count > options.maximumLineBytes ? .tooLong : .line)
            let decoder = LineDecoder(form: options.input, maximumLineBytes: options.maximumLineBytes)
            line.withUnsafeBufferPointer { bytes in
                switch decoder.decode(record, bytes) {
                case .blank: break
                case .flaw(let flaw): flaws.append(flaw, line: number, to: refused)
                case .text(let text, let passed):
                    let own = student.logits(Array(text))
                    let asked = teacher.logits(Array(text), order: student.labels)
                    guard let first = own.withUnsafeBufferPointer({ Verdict($0, temperature: 1.5) }),
                        let second = asked.withUnsafeBufferPointer({ Verdict($0, temperature: 1) })
                    else { return }
                    var answer = Answer(student: first)
                    if policy.defers(first) {
                        answer.teacher = .answered(second)
                        answer.isByTeacher = true
                    }
                    own.withUnsafeBufferPointer { own in
                        asked.withUnsafeBufferPointer { asked in
                            encoder.append(
                                answer,
                                for: .init(
                                    id: identity.id(offset: UInt64(start), line: bytes), text: text, passed: passed,
                                    studentLogits: own, teacherLogits: asked), to: written)
                        }
                    }
                }
            }
            start = end + 1
        }
        answers = written.array
        errors = refused.array
    }
}

private func randomStream(_ random: inout SplitMix) -> [UInt8] {
    var stream: [UInt8] = []
    for index in 0..<Int.random(in: 0...600, using: &random) {
        let line: [UInt8]
        switch Int.random(in: 0..<14, using: &random) {
        case 0: line = []
        case 1: line = Array("  ".utf8)
        case 2: line = [0x61, 0xFF]
        case 3: line = [0x61, 0x00]
        case 4: line = [UInt8](repeating: 0x78, count: Int.random(in: 60...300, using: &random))
        case 5: line = Array("{\"text\":\"新闻 \(index)\\n\",\"label\":\(index)}".utf8)
        case 6: line = Array("{\"text\":\(index)}".utf8)
        case 7: line = Array("{\"text\":\"x\"".utf8)
        case 8: line = Array("left\tright \(index)".utf8)
        default: line = Array("第\(index)条：天气晴朗".utf8)
        }
        stream += line + (Bool.random(using: &random) ? [0x0A] : [0x0D, 0x0A])
    }
    if Bool.random(using: &random) { stream += Array("last".utf8) }
    return stream
}

@Suite(.offPool) struct CascadeModelTests {
    /// Tiny rings, chunks and batches, so that every wait and every border is met.
    @Test(arguments: 0..<120)
    func agreesWithOneLineAtATime(seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        var options = CascadeOptions()
        options.threads = Int.random(in: 1...4, using: &random)
        options.studentLines = Int.random(in: 1...20, using: &random)
        options.studentBytes = Int.random(in: 1...500, using: &random)
        options.teacherLines = Int.random(in: 1...8, using: &random)
        options.studentGrain = Int.random(in: 1...4, using: &random)
        options.pendingLines = Int.random(in: 1...50, using: &random)
        options.jobs = Int.random(in: 1...6, using: &random)
        options.chunks = Int.random(in: 2...3, using: &random)
        options.chunkBytes = Int.random(in: 1...600, using: &random)
        options.maximumLineBytes = Int.random(in: 40...200, using: &random)
        options.input = [.line, .jsonl(field: "text"), .tsv(column: 2)].randomElement(using: &random) ?? .line
        options.format = OutputFormat.allCases.randomElement(using: &random) ?? .jsonl
        options.includesLogits = Bool.random(using: &random)
        let student = HashClassifier()
        let teacher = HashClassifier(labels: student.labels.reversed(), version: "t", salt: 7)
        let policy = try DeferralPolicy(
            DeferralPolicy.Measure.allCases.randomElement(using: &random) ?? .confidence,
            below: [0, 0.3, 0.6, 1].randomElement(using: &random) ?? 0)
        let stream = randomStream(&random)
        let (answers, errors) = (CollectingSink(), CollectingSink())
        let cascade = try Cascade(
            student: student, temperature: 1.5, teacher: source(of: teacher), policy: policy, options: options)
        let outcome = try cascade.run(
            source: ScriptedSource(stream, largest: 200, random: &random), answers: answers, diagnostics: errors)
        let expected = try Expected(stream, options, student: student, teacher: teacher, policy: policy)
        #expect(answers.bytes == expected.answers)
        #expect(errors.bytes == expected.errors)
        #expect(outcome.ending == .endOfInput && outcome.failure == nil)
        #expect(outcome.tally.answered == expected.answers.count { $0 == 0x0A })
        #expect(outcome.tally.refused == expected.errors.count { $0 == 0x0A })
        let lines = stream.count { $0 == 0x0A } + (stream.last == 0x0A || stream.isEmpty ? 0 : 1)
        #expect(outcome.tally.lines == lines)
        #expect(outcome.tally.answered + outcome.tally.refused + outcome.tally.blank == lines)
    }

    /// Slow batches of random length on many threads: answers still come in the order of the lines.
    @Test func orderIsKeptWithRandomDelays() throws {
        let delays = Monitor(SplitMix(seed: 9))
        let pause: @Sendable (Int) -> Void = { _ in
            usleep(delays.withLock { UInt32.random(in: 0...800, using: &$0) })
        }
        var options = CascadeOptions()
        options.threads = 6
        options.studentLines = 8
        options.teacherLines = 4
        options.studentGrain = 1
        options.format = .tsv
        let lines = (0..<4000).map { "line \($0)" }
        let answers = CollectingSink()
        var random = SplitMix(seed: 4)
        let cascade = try Cascade(
            student: HashClassifier(before: pause), teacher: source(of: HashClassifier(salt: 3, before: pause)),
            policy: DeferralPolicy(.confidence, below: 0.5), options: options)
        let outcome = try cascade.run(
            source: ScriptedSource(Array(lines.joined(separator: "\n").utf8), largest: 500, random: &random),
            answers: answers, diagnostics: CollectingSink())
        #expect(answers.lines.map { $0.prefix { $0 != "\t" } } == lines.map { $0[...] })
        #expect(outcome.tally.deferred > 100 && outcome.tally.deferred < 3900)
    }

    @Test func moreLinesThanAnyBufferHolds() throws {
        var options = CascadeOptions()
        options.threads = 2
        options.format = .tsv
        let count = 200_000
        var bytes: [UInt8] = []
        for index in 0..<count { bytes += Array("line \(index)\n".utf8) }
        let answers = CollectingSink()
        let cascade = try Cascade(student: HashClassifier(), options: options)
        let outcome = try cascade.run(
            source: ScriptedSource([.bytes(bytes)]), answers: answers, diagnostics: CollectingSink())
        #expect(outcome.tally.answered == count)
        let lines = answers.lines
        #expect(lines.count == count && lines.last?.hasPrefix("line \(count - 1)\t") == true)
    }
}
