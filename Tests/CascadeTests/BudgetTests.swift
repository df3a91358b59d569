import Cascade
import Streams
import TestSupport
import Testing

/// How certain the student is of the next line, by some habit of the stream.
private enum Stream: CaseIterable {
    case stationary, shifting, bursty, constant, sureOfAll

    func certainty(_ index: Int, _ random: inout SplitMix) -> Float {
        let noise = Float.random(in: 0...1, using: &random)
        switch self {
        case .stationary: return noise
        // Every line a little more certain than the ones before, and then all of a sudden much less.
        case .shifting: return min(1, noise * 0.3 + Float(index % 20_000) / 30_000)
        case .bursty: return index / 500 % 4 == 0 ? noise * 0.3 : 0.7 + noise * 0.3
        case .constant: return 0.5
        case .sureOfAll: return 1
        }
    }
}

@Suite struct BudgetThresholdTests {
    /// Of n lines never more than share · n and the bucket go to the teacher, whatever comes; where certainty tells
    /// lines apart the share is also used.
    @Test(arguments: Stream.allCases, [0, 0.01, 0.1, 0.5, 1])
    private func theShareIsKept(stream: Stream, share: Double) {
        var random = SplitMix(seed: 1)
        var budget = BudgetThreshold(share: share)
        var asked = 0
        for index in 0..<60_000 {
            if budget.admits(stream.certainty(index, &random)) { asked += 1 }
            guard Double(asked) <= share * Double(index + 1) + 65 else {
                Issue.record("\(asked) of \(index + 1) lines were asked about")
                return
            }
        }
        // A burst of unsure lines finds no more saved up than the bucket holds.
        let used = stream == .bursty ? 0.5 : 0.8
        if stream != .shifting { #expect(Double(asked) >= used * share * 60_000 - 64) }
        if share == 1 { #expect(asked == 60_000) }
    }

    /// However long every line is more certain than the ones before: a burst of unsure ones finds the bucket and no more.
    @Test func noMoreIsSavedUpThanTheBucketHolds() {
        var budget = BudgetThreshold(share: 0.1)
        for index in 0..<20_000 { _ = budget.admits(0.5 + Float(index) / 100_000) }
        var asked = 0
        for _ in 0..<400 where budget.admits(0) { asked += 1 }
        #expect(asked > 64 && asked <= 64 + 40 + 1)
    }

    @Test func theLeastCertainAreAskedAbout() {
        var random = SplitMix(seed: 2)
        var budget = BudgetThreshold(share: 0.1)
        for _ in 0..<20_000 { _ = budget.admits(Float.random(in: 0...1, using: &random)) }
        #expect(abs(budget.threshold - 0.1) < 0.02)
        for _ in 0..<5000 {
            let certainty = Float.random(in: 0...1, using: &random)
            if budget.admits(certainty) { #expect(certainty < 0.13) }
        }
    }

    @Test func theThresholdFollowsAChange() {
        var random = SplitMix(seed: 3)
        var budget = BudgetThreshold(share: 0.2)
        for _ in 0..<50_000 { _ = budget.admits(Float.random(in: 0...0.5, using: &random)) }
        for _ in 0..<100_000 { _ = budget.admits(Float.random(in: 0.5...1, using: &random)) }
        #expect(abs(budget.threshold - 0.6) < 0.02)
    }

    /// After some 280,000 lines the weights are scaled back, so that they don't overflow: nothing else changes by that.
    @Test func theThresholdStaysRightForMoreLinesThanTheWeightsHaveRoomFor() {
        var random = SplitMix(seed: 5)
        var budget = BudgetThreshold(share: 0.2)
        var asked = 0
        for index in 1...700_000 {
            if budget.admits(Float.random(in: 0...1, using: &random)) { asked += 1 }
            if index % 10_000 == 0, abs(budget.threshold - 0.2) > 0.03 {
                Issue.record("the threshold is \(budget.threshold) after \(index) lines")
                return
            }
        }
        #expect(asked > 130_000 && asked <= 140_065)
    }

    /// In n seconds never more than rate · n lines and the bucket, however many come.
    @Test(arguments: [0.0, 3, 50, 500], [10, 1000, 20_000])
    func theRateIsKept(rate: Double, linesPerSecond: Int) {
        var random = SplitMix(seed: 4)
        var budget = BudgetThreshold(linesPerSecond: rate)
        var asked = 0
        let seconds = 20
        for tick in 0..<(seconds * 10) {
            budget.advance(to: UInt64(tick) * 100_000_000)
            // Lines come in bursts: all of a second's in its first tenths.
            let lines = tick % 10 < 5 ? linesPerSecond / 5 : 0
            for _ in 0..<lines where budget.admits(Float.random(in: 0...1, using: &random)) { asked += 1 }
            #expect(Double(asked) <= rate * Double(tick) / 10 + max(64, rate) + 1)
        }
        if rate == 0 { #expect(asked == 0) }
        let allowed = min(rate, Double(linesPerSecond)) * Double(seconds)
        #expect(Double(asked) >= 0.5 * allowed - 64)
    }

    /// When the stream becomes ten times as fast, a tenth of the share of lines is asked about: the least certain ones.
    @Test func theShareFollowsTheSpeedOfTheStream() {
        var random = SplitMix(seed: 6)
        var budget = BudgetThreshold(linesPerSecond: 20)
        var now: UInt64 = 0
        func stream(linesPerSecond: Int, seconds: Int) {
            for _ in 0..<(seconds * 10) {
                budget.advance(to: now)
                now += 100_000_000
                for _ in 0..<(linesPerSecond / 10) { _ = budget.admits(Float.random(in: 0...1, using: &random)) }
            }
        }
        stream(linesPerSecond: 100, seconds: 60)
        #expect(abs(budget.threshold - 0.2) < 0.03)
        stream(linesPerSecond: 1000, seconds: 60)
        #expect(abs(budget.threshold - 0.02) < 0.01)
    }

    /// A clock that stands still or leaps makes nothing of it.
    @Test func oddClocks() {
        var budget = BudgetThreshold(linesPerSecond: 10)
        budget.advance(to: 1_000)
        for _ in 0..<100 {
            budget.advance(to: 1_000)
            _ = budget.admits(0.1)
        }
        budget.advance(to: .max)
        var asked = 0
        for _ in 0..<1000 where budget.admits(0.1) { asked += 1 }
        #expect(asked <= 64)
    }
}

@Suite struct LineDeciderTests {
    private func asked(_ decider: LineDecider, _ certainties: [Float], ids: [UInt64]) -> [Int: TeacherReason] {
        var found: [Int: TeacherReason] = [:]
        decider.decide(
            count: certainties.count, now: 0,
            line: { (Verdict(label: 0, confidence: certainties[$0], margin: 0, entropy: 0), ids[$0]) },
            ask: { found[$0] = $1 })
        return found
    }

    @Test func unsureLinesAreDeferredAndSomeSureOnesAudited() throws {
        var random = SplitMix(seed: 1)
        let certainties = (0..<5000).map { _ in Float.random(in: 0...1, using: &random) }
        let ids = certainties.map { _ in random.next() }
        let decider = LineDecider(.fixed(try DeferralPolicy(.confidence, below: 0.5)), auditShare: 0.25)
        let found = asked(decider, certainties, ids: ids)
        for index in certainties.indices {
            let wanted: TeacherReason? =
                certainties[index] < 0.5 ? .deferred : ids[index] < 1 << 62 ? .audit : nil
            #expect(found[index] == wanted)
        }
    }

    @Test func allOrNone() throws {
        let ids: [UInt64] = [0, 1, .max / 2, .max - 1]
        let sure: [Float] = [1, 1, 1, 1]
        #expect(asked(LineDecider(.fixed(.never)), sure, ids: ids).isEmpty)
        #expect(LineDecider(.fixed(.never)).neverAsks && LineDecider(.budgetShare(.margin, 0)).neverAsks)
        #expect(LineDecider(.fixed(.never), auditShare: 0.1).neverAsks == false)
        #expect(asked(LineDecider(.fixed(.never), auditShare: 1), sure, ids: ids).count == 4)
        #expect(asked(LineDecider(.fixed(.never), auditShare: 7), sure, ids: ids).count == 4)
        #expect(asked(LineDecider(.fixed(.never), auditShare: -1), sure, ids: ids).isEmpty)
        #expect(asked(LineDecider(.budgetShare(.confidence, 1)), sure, ids: ids).values.allSatisfy { $0 == .deferred })
    }
}

@Suite struct TeacherCircuitTests {
    /// Random calls at random times against the rules written out: after a failure nobody asks for a pause, then one
    /// does; a probe that fails doubles the pause up to a minute, one that succeeds closes.
    @Test(arguments: 0..<100)
    func followsItsRules(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        let first = UInt64.random(in: 0...20_000_000_000, using: &random)
        var circuit = TeacherCircuit(firstPause: first)
        var pause = max(1, first)
        var openUntil: UInt64?
        var isProbing = false
        var openings = 0
        var now: UInt64 = 0
        for _ in 0..<500 {
            now += UInt64.random(in: 0...40_000_000_000, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0:
                let refuses = isProbing || openUntil.map { now < $0 } ?? false
                #expect(circuit.refuses(at: now) == refuses)
            case 1:
                let admits = !isProbing && (openUntil.map { now >= $0 } ?? true)
                #expect(circuit.admits(at: now) == admits)
                if admits, openUntil != nil { (isProbing, openUntil) = (true, nil) }
            case 2:
                circuit.succeeded()
                (isProbing, openUntil, pause) = (false, nil, max(1, first))
            case 3:
                circuit.passedWithoutLines(at: now)
                if isProbing { (isProbing, openUntil) = (false, now) }
            default:
                circuit.failed(at: now)
                guard openUntil == nil else { break }
                if isProbing { pause = min(pause * 2, max(first, 60_000_000_000)) } else { openings += 1 }
                (isProbing, openUntil) = (false, now + pause)
            }
            let state: TeacherCircuit.State = isProbing ? .probing : openUntil.map { .open(until: $0) } ?? .closed
            #expect(circuit.state == state && circuit.openings == openings)
        }
    }
}
