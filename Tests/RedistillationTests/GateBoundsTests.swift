import Redistillation
import Store
import Testing

/// Where each of the gate's bounds lies, to the line: on it a candidate is let in, beyond it refused.
@Suite struct GateBoundsTests {
    private func failed(_ evidence: GateEvidence) -> [String] {
        Gate(GateTests.settings).decide(evidence).failed.map(\.name)
    }

    private func verdict(_ name: String, _ evidence: GateEvidence) -> GateCriterion.Result? {
        Gate(GateTests.settings).decide(evidence).criteria.first { $0.name == name }?.result
    }

    @Test func linesOfTheHoldout() {
        for (count, wanted) in [(100, GateCriterion.Result.passed), (99, .failed)] {
            let evidence = GateTests.evidence(count: count, candidate: { _ in true }, serving: { $0 % 5 != 0 })
            #expect(verdict("holdout_lines", evidence) == wanted)
        }
    }

    @Test func heldOutLinesOfTheLog() {
        for (count, wanted) in [(20, []), (19, ["agreement"])] as [(Int, [String])] {
            var evidence = GateTests.evidence(candidate: { $0 % 10 != 0 }, serving: { $0 % 5 != 0 })
            evidence.heldOutTeacher = [Int32](repeating: 0, count: count)
            evidence.candidate?.heldOut = evidence.heldOutTeacher
            evidence.serving?.heldOut = [1] + evidence.heldOutTeacher.dropFirst()
            #expect(failed(evidence) == wanted)
        }
    }

    /// A class loses as much as is allowed, and a line more, while the other gains far more: the class's own lines count.
    @Test func recallOfTheClassThatLosesMost() {
        for (lost, wanted) in [(25, []), (26, ["recall"])] as [(Int, [String])] {
            let evidence = GateTests.evidence(
                candidate: { $0 % 2 == 1 || $0 >= 2 * lost }, serving: { $0 % 2 == 0 || $0 % 5 != 0 })
            #expect(failed(evidence) == wanted)
        }
    }

    /// Two students that differ on 100 of 600 lines, half one way and half the other: at 95 % confidence on one side the
    /// candidate has lost 2.7 points at worst, which is allowed; of a two-sided interval the bound would be 3.3.
    @Test func theWorstCaseIsOneSided() {
        let evidence = GateTests.evidence(
            count: 600, candidate: { $0 >= 100 || $0 % 4 > 1 }, serving: { $0 >= 100 || $0 % 4 < 2 })
        #expect(failed(evidence) == [])
    }

    /// One line in a thousand is chance, not a student that does better without a teacher.
    @Test func aTwinThatIsBetterByChanceRefusesNothing() {
        var evidence = GateTests.evidence(candidate: { $0 % 10 != 0 }, serving: { $0 % 5 != 0 })
        evidence.alone = evidence.candidate?.logits
        evidence.alone?.replaceSubrange(0..<2, with: [2, -2])
        #expect(failed(evidence) == [])
    }

    @Test func logitsOfTheServingStudentMustBeNumbers() {
        var evidence = GateTests.evidence(candidate: { $0 % 10 != 0 }, serving: { $0 % 5 != 0 })
        evidence.serving?.logits[3] = .nan
        #expect(failed(evidence) == ["training"])
    }

    /// A decision that measured nothing lets nothing in.
    @Test func nothingMeasuredIsNoPass() {
        #expect(!GateDecision(criteria: []).isPassed)
        let unmeasured = GateCriterion(
            name: "accuracy", title: "Accuracy", measured: "—", threshold: "", result: .unmeasured, note: "")
        #expect(!GateDecision(criteria: [unmeasured]).isPassed)
    }
}
