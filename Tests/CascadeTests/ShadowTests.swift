import Cascade
import Diagnostics
import Models
import Streams
import TestSupport
import Testing

/// A candidate in shadow mode: it answers beside the student, and its answers are discarded.
@Suite(.offPool) struct ShadowTests {
    private static let texts = (0..<1200).map { "第\($0)条：展览开幕" }

    private func best(_ classifier: HashClassifier, _ text: String) -> String {
        let logits = classifier.logits(Array(text.utf8))
        let label = logits.indices.max { (logits[$0], $1) < (logits[$1], $0) } ?? 0
        return classifier.labels[label]
    }

    private func run(
        share: Double, isOrdered: Bool = true, shadow: HashClassifier, teacher: HashClassifier, below: Float
    ) throws -> (tally: ShadowTally, proofs: [Proof], student: CascadeTally) {
        let student = HashClassifier()
        let models = try CascadeModels(
            student: student, teacher: TeacherSource(teacher),
            decider: LineDecider(.fixed(try DeferralPolicy(.confidence, below: below)), auditShare: 0.2),
            shadow: try ShadowStudent(shadow, temperature: 1, share: share, labels: student.labels))
        let running = try RunningEngine(models) {
            $0.threads = 2
            // Room for every audit, however slowly the teacher's thread gets its turns.
            $0.teacherLines = Self.texts.count
        }
        var random = SplitMix(seed: 3)
        let lane = try running.open(ScriptedLane("s", lines: Self.texts, largest: 300, random: &random)) {
            $0.isOrdered = isOrdered
        }
        running.finish()
        var tally = ShadowTally()
        var all = CascadeTally(labels: student.labels.count)
        for delivery in lane.output.deliveries {
            tally.add(delivery.tally.shadow)
            all.add(delivery.tally)
        }
        return (tally, lane.output.proofs, all)
    }

    /// Every count against the plain definition; what was answered is as without a shadow.
    @Test(arguments: [true, false])
    func countsAreExact(_ isOrdered: Bool) throws {
        var shadow = HashClassifier(version: "shadow", salt: 7)
        // Another order of the same labels.
        shadow.labels.reverse()
        let teacher = HashClassifier(version: "t", salt: 1)
        let student = HashClassifier()
        let (tally, proofs, all) = try run(
            share: 1, isOrdered: isOrdered, shadow: shadow, teacher: teacher, below: 0.5)
        #expect(proofs.count == Self.texts.count)
        #expect(tally.lines == Self.texts.count && tally.broken == 0)
        #expect(tally.alike == Self.texts.count { best(shadow, $0) == best(student, $0) })
        var wanted = ShadowTally()
        for proof in proofs where proof.by == "teacher" {
            let said = best(teacher, proof.text)
            switch (best(student, proof.text) == said, best(shadow, proof.text) == said) {
            case (true, true): wanted.bothRight += 1
            case (true, false): wanted.onlyStudentRight += 1
            case (false, true): wanted.onlyShadowRight += 1
            case (false, false): wanted.noneRight += 1
            }
        }
        #expect(wanted.judged > 300)
        #expect(
            tally.bothRight == wanted.bothRight && tally.onlyStudentRight == wanted.onlyStudentRight
                && tally.onlyShadowRight == wanted.onlyShadowRight && tally.noneRight == wanted.noneRight)
        // What the student said is counted whoever answered.
        #expect(all.studentLabels.reduce(0, +) == Self.texts.count)
        for (index, label) in student.labels.enumerated() {
            #expect(all.studentLabels[index] == Self.texts.count { best(student, $0) == label })
        }
        #expect(all.studentConfidences.reduce(0, +) == Self.texts.count)
    }

    @Test func aShareOfTheLines() throws {
        let (tally, proofs, _) = try run(
            share: 0.25, shadow: HashClassifier(version: "shadow", salt: 7),
            teacher: HashClassifier(version: "t", salt: 1),
            below: 0)
        #expect(proofs.count == Self.texts.count)
        #expect((200...400).contains(tally.lines))
        let again = try run(
            share: 0.25, shadow: HashClassifier(version: "shadow", salt: 7),
            teacher: HashClassifier(version: "t", salt: 1),
            below: 0)
        #expect(again.tally.lines == tally.lines && again.tally.alike == tally.alike)
    }

    /// Which lines the shadow answers says nothing about which are audited; otherwise it would be judged on its own lines
    /// alone, and those of a larger share never together with the others.
    @Test func theShadowsLinesAreChosenApartFromTheAudited() throws {
        let (tally, _, all) = try run(
            share: 0.25, shadow: HashClassifier(version: "shadow", salt: 7),
            teacher: HashClassifier(version: "t", salt: 1), below: 0)
        #expect(all.audited > 50 && tally.judged > 0)
        #expect(tally.judged * 2 < all.audited)
    }

    /// A shadow that gives no numbers harms nobody.
    @Test func aBrokenShadowIsOnlyCounted() throws {
        var shadow = HashClassifier(version: "shadow", salt: 7)
        shadow.poison = UInt8(ascii: "7")
        let (tally, proofs, all) = try run(
            share: 1, shadow: shadow, teacher: HashClassifier(version: "t", salt: 1), below: 0.3)
        let poisoned = Self.texts.count { $0.contains("7") }
        #expect(tally.broken == poisoned && tally.lines == Self.texts.count - poisoned)
        #expect(proofs.count == Self.texts.count && all.refused == 0)
    }

    @Test func anotherSetOfLabelsIsRefused() {
        var shadow = HashClassifier(version: "shadow", salt: 7)
        shadow.labels[0] = "weather"
        #expect(throws: UnderstudyError.self) {
            try ShadowStudent(shadow, temperature: 1, share: 1, labels: HashClassifier().labels)
        }
    }
}
