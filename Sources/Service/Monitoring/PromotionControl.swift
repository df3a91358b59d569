import Cascade
import Configuration
import Diagnostics
import Foundation
import Logging
import Models
import Tensors

/// Acts on what the promotion monitor finds: rolls back a promoted student, promotes or rejects a candidate in shadow
/// mode, and requests a re-distillation. Used only by the control thread.
struct PromotionControl {
    let monitor: PromotionMonitor
    let daemon: Daemon

    /// Maximum number of lines with invalid logits of a candidate in shadow mode.
    private static let mostBroken = 10

    /// Rolls back a promoted student if its audits show that it is worse than the previous one, decides about the
    /// candidate in shadow mode, and requests a re-distillation if the stream has drifted.
    ///
    /// - Parameter serving: the version of the student in use.
    func look(_ settings: Settings, serving: String) {
        guard let redistill = settings.redistill else { return }
        let registry = StudentRegistry(directory: settings.registryDirectory)
        do throws(UnderstudyError) {
            try rollBackIfWorse(registry, redistill, serving: serving)
            try judgeShadow(registry, redistill, serving: serving)
            if let drift = monitor.wantsRun(redistill.drift) { try requestRun(drift, in: settings.state.directory) }
        } catch {
            // The next check tries again.
            daemon.log.report(error, level: .warning, what: "students not monitored")
        }
    }

    private func rollBackIfWorse(
        _ registry: StudentRegistry, _ redistill: RedistillSettings, serving: String
    ) throws(UnderstudyError) {
        guard let due = try monitor.followPromotion(registry, redistill, serving: serving) else { return }
        let (from, to) = try registry.rollback(barring: due.reason, now: Self.now)
        monitor.noteRollback(due, to: to.version)
        daemon.log.log(
            level: .error, .rolledBack,
            "rolled back from \(from ?? serving) to \(to.version): the promoted student was worse than the previous one, which serves again",
            metadata: ["student": "\(from ?? serving)", "back": "\(to.version)", "reason": "\(due.reason)"])
        // The link's watch notices the change as well; the first request loads the student.
        daemon.control.noteModels()
    }

    /// Writes the file that understudy-redistill.path watches. The daemon itself may not start units.
    private func requestRun(_ drift: DriftReading, in state: String) throws(UnderstudyError) {
        let path = state + "/redistill.request"
        let index = drift.index.map { NumberText.fixed($0, digits: 3) } ?? ""
        let file = try DurableFile(replacing: path)
        try file.write(Array("the stream has drifted: population stability index \(index)\n".utf8))
        try file.commit()
        daemon.log.log(
            level: .notice, .drifted,
            "drifted, index \(index): the stream has drifted; a re-distillation run is requested",
            metadata: ["index": "\(index)", "file": "\(path)"])
    }

    /// Promotes or rejects the candidate once it, the student and the teacher have answered enough lines.
    private func judgeShadow(
        _ registry: StudentRegistry, _ redistill: RedistillSettings, serving: String
    ) throws(UnderstudyError) {
        guard let (version, _, tally) = monitor.shadow.current else { return }
        // It may have been promoted or rejected by a command meanwhile.
        guard try registry.shadow()?.version == version else { return }
        let rule = ShadowRule(lines: redistill.shadowLines, confidence: redistill.gate.confidence)
        let words =
            "the teacher agreed on \(tally.bothRight + tally.onlyShadowRight) of \(tally.judged) lines, with "
            + "\(serving) on \(tally.bothRight + tally.onlyStudentRight)"
        // A candidate with invalid logits is rejected without waiting.
        if tally.broken > Self.mostBroken {
            try reject(version, registry, "its logits aren't finite numbers for \(tally.broken) lines")
            return
        }
        switch rule.verdict(tally) {
        case .undecided: return
        case .passed:
            try registry.promote(version, by: .shadow, now: Self.now)
            monitor.noteShadow(version, isPromoted: true, reason: words)
            daemon.log.log(
                level: .notice, .shadowJudged,
                "shadow \(version) promoted: the candidate passed shadow mode and is promoted",
                metadata: ["student": "\(version)", "reason": "\(words)"])
            daemon.control.noteModels()
        case .worse: try reject(version, registry, words)
        }
    }

    private func reject(_ version: String, _ registry: StudentRegistry, _ reason: String) throws(UnderstudyError) {
        try registry.bar(version, reason: "in shadow mode: \(reason)", now: Self.now)
        try registry.setShadow(nil)
        monitor.noteShadow(version, isPromoted: false, reason: reason)
        daemon.log.log(
            level: .warning, .shadowJudged,
            "shadow \(version) barred: the candidate is worse than the student and is rejected",
            metadata: ["student": "\(version)", "reason": "\(reason)"])
        daemon.control.noteModels()
    }

    /// Microseconds since 1970.
    private static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1e6) }
}
