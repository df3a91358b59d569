import Cascade
import Configuration
import Diagnostics
import Foundation
import Logging
import Models
import Streams
import Tensors

/// The periodic work of the control thread.
extension DaemonWork {
    /// Rolls back a promoted student if its audits show that it is worse than the previous one, and requests a
    /// re-distillation if the stream has drifted.
    func oversee() {
        guard let redistill = settings.redistill else { return }
        do throws(UnderstudyError) {
            try rollBackIfWorse(redistill)
            try judgeShadow(redistill)
            if let drift = promotionMonitor.wantsRun(redistill.drift) { try askForRun(drift) }
        } catch {
            // The next check tries again.
            daemon.log.report(error, level: .warning, what: "students not looked after")
        }
    }

    private func rollBackIfWorse(_ redistill: RedistillSettings) throws(UnderstudyError) {
        let registry = StudentRegistry(directory: settings.registryDirectory)
        let serving = models.student.version
        guard let due = try promotionMonitor.followPromotion(registry, redistill, serving: serving) else { return }
        let now = Int64(Date().timeIntervalSince1970 * 1e6)
        let (from, to) = try registry.rollback(barring: due.reason, now: now)
        promotionMonitor.noteRollback(due, to: to.version)
        daemon.log.log(
            level: .error, .rolledBack,
            "rolled back from \(from ?? serving) to \(to.version): the promoted student was worse than the previous one, which serves again",
            metadata: ["student": "\(from ?? serving)", "back": "\(to.version)", "reason": "\(due.reason)"])
        // The link's watch notices the change as well; the first request loads the student.
        daemon.control.noteModels()
    }

    /// Writes the file that understudy-redistill.path watches. The daemon itself may not start units.
    private func askForRun(_ drift: DriftReading) throws(UnderstudyError) {
        let path = settings.state.directory + "/redistill.request"
        let index = drift.index.map { NumberText.fixed($0, digits: 3) } ?? ""
        let file = try DurableFile(replacing: path)
        try file.write(Array("the stream has drifted: population stability index \(index)\n".utf8))
        try file.commit()
        daemon.log.log(
            level: .notice, .drifted,
            "drifted, index \(index): the stream has drifted; a re-distillation run is requested",
            metadata: ["index": "\(index)", "file": "\(path)"])
    }
}

/// Shadow mode: the candidate that runs beside the student before it is promoted.
extension DaemonWork {
    /// Promotes or rejects the candidate once it, the student and the teacher have answered enough lines.
    func judgeShadow(_ redistill: RedistillSettings) throws(UnderstudyError) {
        guard let (version, _, tally) = promotionMonitor.shadow.current else { return }
        let registry = StudentRegistry(directory: settings.registryDirectory)
        // It may have been promoted or rejected by a command meanwhile.
        guard try registry.shadow()?.version == version else { return }
        let now = Int64(Date().timeIntervalSince1970 * 1e6)
        let rule = ShadowRule(lines: redistill.shadowLines, confidence: redistill.gate.confidence)
        let words =
            "the teacher agreed on \(tally.bothRight + tally.onlyShadowRight) of \(tally.judged) lines, with "
            + "\(models.student.version) on \(tally.bothRight + tally.onlyStudentRight)"
        // A candidate with invalid logits is rejected without waiting.
        if tally.broken > Self.mostBroken {
            try endShadow(version, registry, "its logits aren't finite numbers for \(tally.broken) lines", now)
            return
        }
        switch rule.verdict(tally) {
        case .undecided: return
        case .passed:
            try registry.promote(version, by: .shadow, now: now)
            promotionMonitor.noteShadow(version, isPromoted: true, reason: words)
            daemon.log.log(
                level: .notice, .shadowJudged,
                "shadow \(version) promoted: the candidate passed shadow mode and is promoted",
                metadata: ["student": "\(version)", "reason": "\(words)"])
            daemon.control.noteModels()
        case .worse: try endShadow(version, registry, words, now)
        }
    }

    private static let mostBroken = 10

    private func endShadow(
        _ version: String, _ registry: StudentRegistry, _ reason: String, _ now: Int64
    ) throws(UnderstudyError) {
        try registry.bar(version, reason: "as a shadow: \(reason)", now: now)
        try registry.setShadow(nil)
        promotionMonitor.noteShadow(version, isPromoted: false, reason: reason)
        daemon.log.log(
            level: .warning, .shadowJudged,
            "shadow \(version) barred: the candidate is worse than the student and is rejected",
            metadata: ["student": "\(version)", "reason": "\(reason)"])
        daemon.control.noteModels()
    }

    /// Watches the registry's link to the candidate.
    func watchShadow() {
        shadowLink?.stop()
        shadowLink = nil
        guard let redistill = settings.redistill, redistill.shadow > 0 else { return }
        let control = daemon.control
        let path = StudentRegistry(directory: settings.registryDirectory).shadowLink
        do throws(UnderstudyError) {
            shadowLink = try LinkWatch(path: path) { control.noteModels() }
        } catch {
            daemon.log.report(error, level: .warning, what: "shadow's link not followed")
        }
    }
}
