import Cascade
import Configuration
import Foundation
import Models
import Service
import Store
import Synchronization
import TestSupport
import Testing

@Suite(.offPool) struct PromotionMonitorTests {
    // MARK: Rollback

    @Test func looksDoubleToTheEnd() {
        let rule = RollbackRule(window: 1000, confidence: 0.99)
        #expect(rule.looks == [50, 100, 200, 400, 800, 1000])
        #expect(rule.look(at: 49) == nil && rule.look(at: 50) == 50 && rule.look(at: 399) == 200)
        #expect(RollbackRule(window: 20, confidence: 0.9).looks == [20])
    }

    /// Against scipy.stats.fisher_exact(..., alternative="less").
    @Test func fishersTest() {
        let new = Agreement(asked: 50, agreed: 40)
        let old = Agreement(asked: 200, agreed: 190)
        #expect(abs(RollbackRule.fisher(new, old) - 0.0016471912) < 1e-9)
        #expect(RollbackRule.fisher(Agreement(asked: 50, agreed: 50), old) > 0.9)
        #expect(RollbackRule.fisher(Agreement(asked: 5, agreed: 0), Agreement(asked: 5, agreed: 5)) - 1.0 / 252 < 1e-9)
    }

    /// A student that is as good as the one before is taken back no more often than the confidence allows, over all
    /// looks; one that is ten points worse nearly always.
    @Test func errorAndPower() {
        var random = SplitMix(seed: 11)
        let rule = RollbackRule(window: 800, confidence: 0.95)
        func share(new: Double, old: Double) -> Double {
            let trials = 600
            var taken = 0
            for _ in 0..<trials {
                let before = Agreement(
                    asked: 800, agreed: (0..<800).count { _ in Double.random(in: 0..<1, using: &random) < old })
                let hits = (0..<800).map { _ in Double.random(in: 0..<1, using: &random) < new }
                for look in rule.looks {
                    let now = Agreement(asked: look, agreed: hits[..<look].count { $0 })
                    if case .worse = rule.verdict(audits: look, new: now, old: before) {
                        taken += 1
                        break
                    }
                }
            }
            return Double(taken) / Double(trials)
        }
        #expect(share(new: 0.9, old: 0.9) < 0.05)
        #expect(share(new: 0.8, old: 0.9) > 0.95)
    }

    @Test func verdicts() {
        let rule = RollbackRule(window: 100, confidence: 0.95)
        let good = Agreement(asked: 100, agreed: 95)
        #expect(rule.verdict(audits: 10, new: Agreement(), old: good) == .following(nextLook: 50))
        #expect(rule.verdict(audits: 60, new: Agreement(asked: 50, agreed: 48), old: good) == .following(nextLook: 100))
        #expect(rule.verdict(audits: 100, new: Agreement(asked: 100, agreed: 94), old: good) == .kept)
        guard case .cannotTell = rule.verdict(audits: 100, new: good, old: Agreement(asked: 9, agreed: 9)) else {
            Issue.record("nine lines tell")
            return
        }
    }

    // MARK: Shadow

    @Test func mcnemarsTest() {
        #expect(ShadowRule.mcnemar(onlyShadow: 0, onlyStudent: 0) == 1)
        #expect(abs(ShadowRule.mcnemar(onlyShadow: 2, onlyStudent: 8) - 56.0 / 1024) < 1e-12)
        var tally = ShadowTally()
        let rule = ShadowRule(lines: 20, confidence: 0.95)
        tally.bothRight = 19
        #expect(rule.verdict(tally) == .undecided)
        tally.onlyShadowRight = 1
        #expect(rule.verdict(tally) == .passed)
        tally.onlyStudentRight = 9
        guard case .worse = rule.verdict(tally) else {
            Issue.record("nine to one isn't worse")
            return
        }
    }

    // MARK: Drift

    @Test func theStabilityIndex() throws {
        #expect(PopulationStability.index(reference: [0.5, 0.5], counts: [50, 50]) == 0)
        let index = try #require(PopulationStability.index(reference: [0.5, 0.5], counts: [75, 25]))
        #expect(abs(index - (0.25 * log(1.5) - 0.25 * log(0.5))) < 1e-12)
        #expect(PopulationStability.index(reference: [0.5, 0.5], counts: [0, 0]) == nil)
        #expect(try #require(PopulationStability.index(reference: [1, 0], counts: [0, 9])).isFinite)
    }

    private func tally(_ labels: [Int], bin: Int) -> CascadeTally {
        var tally = CascadeTally(labels: labels.count)
        tally.studentLabels = labels
        tally.studentConfidences[bin] = labels.reduce(0, +)
        tally.tokens = 100
        tally.unknownTokens = 3
        return tally
    }

    @Test func driftAgainstTheStudentsReference() throws {
        let hour = Mutex<UInt64>(0)
        let monitor = DriftMonitor { hour.withLock { $0 } * 3_600_000_000_000 }
        var confidences = [Double](repeating: 0, count: 20)
        confidences[18] = 1
        monitor.begin(
            student: "v1", labels: ["a", "b"],
            reference: StudentReference(
                labels: ["a", "b"], labelShares: [0.5, 0.5], confidenceShares: confidences, unknownTokenShare: 0.01,
                lines: 900))
        monitor.record(tally([200, 200], bin: 18), student: "v1")
        #expect(monitor.reading(maximumIndex: 0.25).verdict == .unknown)
        #expect(monitor.reading(maximumIndex: 0.25).minimumLines == 1000)
        #expect(monitor.reading(maximumIndex: 0.25, minimumLines: 401).verdict == .unknown)
        #expect(monitor.reading(maximumIndex: 0.25, minimumLines: 400).verdict == .steady)
        monitor.record(tally([300, 300], bin: 18), student: "v1")
        monitor.record(tally([9999, 0], bin: 18), student: "another")
        var reading = monitor.reading(maximumIndex: 0.25)
        #expect(reading.verdict == .steady && reading.lines == 1000 && reading.referenceLines == 900)
        #expect(reading.unknownTokenShare == 0.03 && reading.referenceUnknownTokenShare == 0.01)
        // A day later the old hours are gone, and everything is different.
        hour.withLock { $0 = 30 }
        monitor.record(tally([1000, 20], bin: 3), student: "v1")
        reading = monitor.reading(maximumIndex: 0.25)
        #expect(reading.verdict == .drifting && reading.lines == 1020)
        #expect(try #require(reading.labelIndex) > 0.25 && reading.labels[0].now > 0.9)
    }

    /// Settings with which drift asks for a run.
    private func drift(above index: Double) -> RedistillSettings.Drift {
        var drift = RedistillSettings.Drift()
        (drift.maximumIndex, drift.startsRun) = (index, true)
        return drift
    }

    /// Drift that lasts asks for a run, and again a day later at the earliest; a moment of it doesn't.
    @Test func lastingDriftAsksForARun() throws {
        let folder = try TemporaryFolder()
        let monitor = DriftMonitor { 0 }
        let promotions = PromotionMonitor(store: try Store.open(directory: folder.path) { _ in }, drift: monitor)
        let wish = drift(above: 0.25)
        var flat = [Double](repeating: 0, count: 20)
        flat[10] = 1
        func begin() {
            monitor.begin(
                student: "s", labels: ["a", "b"],
                reference: StudentReference(
                    labels: ["a", "b"], labelShares: [0.5, 0.5], confidenceShares: flat, unknownTokenShare: nil,
                    lines: 300))
        }
        begin()
        monitor.record(tally([1000, 10], bin: 10), student: "s")
        let minute: UInt64 = 60_000_000_000
        #expect(promotions.wantsRun(wish, now: minute) == nil)
        #expect(promotions.wantsRun(wish, now: 9 * minute) == nil)
        begin()
        #expect(promotions.wantsRun(wish, now: 10 * minute) == nil)
        monitor.record(tally([1000, 10], bin: 10), student: "s")
        #expect(promotions.wantsRun(wish, now: 12 * minute) == nil)
        #expect(promotions.wantsRun(drift(above: 9), now: 13 * minute) == nil)
        #expect(promotions.wantsRun(wish, now: 14 * minute) == nil)
        #expect(promotions.wantsRun(wish, now: 25 * minute)?.verdict == .drifting)
        #expect(promotions.wantsRun(wish, now: 26 * minute) == nil)
        #expect(promotions.wantsRun(wish, now: 25 * minute + PromotionMonitor.betweenRequests) != nil)
        #expect(promotions.reading(nil).runsAskedFor == 2)
    }

    /// A reference of few lines would drift by chance alone.
    @Test func aSmallReferenceIsNotComparedWith() {
        func isOwn(_ lines: Int) -> Bool {
            let monitor = DriftMonitor { 0 }
            monitor.begin(
                student: "s", labels: ["a", "b"],
                reference: StudentReference(
                    labels: ["a", "b"], labelShares: [0.5, 0.5],
                    confidenceShares: [Double](repeating: 0.05, count: 20), unknownTokenShare: nil, lines: lines))
            return monitor.reading(maximumIndex: 1).referenceIsOwn
        }
        #expect(isOwn(249) && !isOwn(250))
    }

    @Test func withoutAReferenceTheFirstLinesAreIt() {
        let monitor = DriftMonitor { 0 }
        monitor.begin(student: "s", labels: ["a", "b"], reference: nil)
        monitor.record(tally([4000, 900], bin: 10), student: "s")
        #expect(monitor.reading(maximumIndex: 1).referenceLines == 0)
        monitor.record(tally([80, 20], bin: 10), student: "s")
        var reading = monitor.reading(maximumIndex: 1)
        #expect(reading.referenceIsOwn && reading.referenceLines == 5000 && reading.lines == 0)
        monitor.record(tally([816, 183], bin: 10), student: "s")
        #expect(monitor.reading(maximumIndex: 0.1).verdict == .unknown)
        monitor.record(tally([0, 1], bin: 10), student: "s")
        reading = monitor.reading(maximumIndex: 0.1)
        #expect(reading.verdict == .steady && (reading.labelIndex ?? 1) < 1e-6)
    }
}
