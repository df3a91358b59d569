import Configuration
import Diagnostics
import Foundation
import Models
import Store
import Streams
import Synchronization

/// Monitors the student after its promotion, and the drift of the stream.
///
/// The control thread calls it periodically while lines are answered. It reads the store and the registry, so a restart
/// changes nothing. Any thread may get the results.
package final class PromotionMonitor: Sendable {
    /// Interval of the checks of the store, in nanoseconds.
    static let interval: UInt64 = 5_000_000_000
    /// Minimum duration of drift before a run is requested, and minimum time between two requests, in nanoseconds.
    package static let sustained: UInt64 = 600_000_000_000
    package static let betweenRequests: UInt64 = 86_400_000_000_000

    struct State: Sendable {
        var reading = MonitoringReading()
        var driftingSince: UInt64?
        var lastRequest: UInt64?
    }

    package let drift: DriftMonitor
    let shadow = ShadowCounts()
    private let state = Mutex(State())
    private let store: Store

    package init(store: Store, drift: DriftMonitor = DriftMonitor()) {
        self.store = store
        self.drift = drift
    }

    /// Returns the results for the status page and the metrics.
    package func reading(_ settings: RedistillSettings?) -> MonitoringReading {
        var reading = state.withLock { $0.reading }
        reading.drift = drift.reading(
            maximumIndex: settings?.drift.maximumIndex ?? RedistillSettings.customaryDriftIndex,
            minimumLines: settings?.drift.minimumLines ?? RedistillSettings.customaryDriftLines)
        reading.shadow = shadow.current.map {
            ShadowReading($0.tally, version: $0.version, share: $0.share, wanted: settings?.shadowLines ?? 0)
        }
        return reading
    }

    func noteShadow(_ version: String, isPromoted: Bool, reason: String) {
        state.withLock { state in
            state.reading.shadowOutcomes.append(
                ShadowOutcome(
                    version: version, isPromoted: isPromoted, time: Date().timeIntervalSince1970, reason: reason))
        }
    }

    // MARK: Promotions

    /// A required rollback with its reason.
    struct Due: Sendable {
        var version: String
        var reason: String
    }

    /// Checks the audits of the student last promoted by a run or by the daemon.
    func followPromotion(
        _ registry: StudentRegistry, _ settings: RedistillSettings, serving: String
    ) throws(UnderstudyError) -> Due? {
        guard settings.rollback.audits > 0, let current = try registry.current(), current.version == serving,
            let promotion = try registry.history().last, promotion.version == serving,
            let predecessor = promotion.predecessor, promotion.origin.isAutomatic
        else {
            // The outcome of a rollback remains in the reading.
            state.withLock { if $0.reading.promotion?.verdict != .rolledBack { $0.reading.promotion = nil } }
            return nil
        }
        let rule = RollbackRule(window: settings.rollback.audits, confidence: settings.rollback.confidence)
        let all = try store.auditAgreement(student: serving, limit: settings.rollback.audits, oldestFirst: true)
        let new = try store.auditAgreement(student: serving, limit: rule.look(at: all.asked) ?? 0, oldestFirst: true)
        let old = try store.auditAgreement(student: predecessor, limit: settings.rollback.audits)
        var reading = PromotionReading(
            version: serving, predecessor: predecessor, promotedAt: Double(promotion.time) / 1e6,
            audits: .init(all), predecessorAudits: .init(old))
        var due: Due?
        switch rule.verdict(audits: all.asked, new: new, old: old) {
        case .cannotTell(let why):
            reading.sentence = "can't be compared with \(predecessor): \(why)"
        case .following(let next):
            reading.verdict = .following
            reading.sentence = "\(all.asked) lines audited, the next check is at \(next)"
        case .kept:
            reading.verdict = .kept
            reading.sentence = "as good as \(predecessor) over \(rule.window) audited lines; no longer monitored"
        case .worse(let probability):
            let reason =
                "the teacher agreed on \(new.agreed) of \(new.asked) audited lines, with \(predecessor) on "
                + "\(old.agreed) of \(old.asked); the probability of this by chance is 1 in "
                + NumberText.grouped(Int(min(1e9, 1 / max(probability, 1e-9))))
            reading.sentence = reason
            due = Due(version: serving, reason: reason)
        }
        state.withLock { [reading] in $0.reading.promotion = reading }
        return due
    }

    func noteRollback(_ due: Due, to version: String) {
        state.withLock { state in
            state.reading.promotion?.verdict = .rolledBack
            state.reading.rollbacks.append(
                RollbackReading(
                    from: due.version, to: version, time: Date().timeIntervalSince1970, reason: due.reason))
        }
    }

    // MARK: Drift

    /// Returns the reading if a run should be requested: the stream has drifted for a while, and no run was requested
    /// within a day.
    package func wantsRun(_ settings: RedistillSettings.Drift, now: UInt64 = Monotonic.nanoseconds) -> DriftReading? {
        let reading = drift.reading(maximumIndex: settings.maximumIndex, minimumLines: settings.minimumLines)
        return state.withLock { state -> DriftReading? in
            guard settings.startsRun, reading.verdict == .drifting else {
                state.driftingSince = nil
                return nil
            }
            let since = state.driftingSince ?? now
            state.driftingSince = since
            guard now &- since >= Self.sustained else { return nil }
            if let last = state.lastRequest, now &- last < Self.betweenRequests { return nil }
            state.lastRequest = now
            state.reading.runsAskedFor += 1
            return reading
        }
    }
}

extension Promotion.Origin {
    /// Whether the promotion was automatic. A manual promotion is not rolled back.
    var isAutomatic: Bool {
        switch self {
        case .run, .shadow: true
        case .rollback, .person: false
        }
    }
}
