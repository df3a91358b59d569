import Models
import Testing

@Suite struct PackedSequencesTests {
    @Test func everyTokenIsReadOncePerDirectionInOrder() {
        let lengths = [3, 0, 5, 5, 1]
        var offsets: [Int32] = [0]
        for length in lengths { offsets.append(offsets[offsets.count - 1] + Int32(length)) }
        var plan = PackedSequences()
        plan.plan(offsets: offsets)
        #expect(plan.order == [2, 3, 0, 4, 1])
        #expect(plan.steps == 5)
        #expect((0..<plan.steps).map { plan.active($0) } == [4, 3, 3, 2, 2])
        #expect(plan.forwardTokens.sorted() == (0..<14).map { Int32($0) })
        #expect(plan.backwardTokens.sorted() == (0..<14).map { Int32($0) })
        // Line 2 owns tokens 3..<8 and is the longest: rank 0 at every step.
        #expect((0..<5).map { plan.forwardTokens[plan.start($0)] } == [3, 4, 5, 6, 7])
        #expect((0..<5).map { plan.backwardTokens[plan.start($0)] } == [7, 6, 5, 4, 3])
    }

    @Test func noLinesAndOnlyEmptyLines() {
        var plan = PackedSequences()
        plan.plan(offsets: [0])
        #expect(plan.steps == 0)
        plan.plan(offsets: [0, 0, 0])
        #expect(plan.steps == 0)
        #expect(plan.order == [0, 1])
    }
}
