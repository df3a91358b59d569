import Cascade
import Configuration
import Diagnostics
import Foundation
import Logging
import Models

/// The candidate that answers beside the student before it is promoted.
extension DaemonWork {
    /// Promotes the shadow, or bars it, once enough lines have been answered by it, the student and the teacher.
    func judgeShadow(_ redistill: RedistillSettings) throws(UnderstudyError) {
        guard let (version, _, tally) = oversight.shadow.current else { return }
        let registry = StudentRegistry(directory: settings.registryDirectory)
        // Somebody may have promoted or barred it meanwhile.
        guard try registry.shadow()?.version == version else { return }
        let now = Int64(Date().timeIntervalSince1970 * 1e6)
        let rule = ShadowRule(lines: redistill.shadowLines, confidence: redistill.gate.confidence)
        let words =
            "the teacher agreed on \(tally.bothRight + tally.onlyShadowRight) of \(tally.judged) lines, with "
            + "\(models.student.version) on \(tally.bothRight + tally.onlyStudentRight)"
        // A student that gives no numbers is not to be waited for.
        if tally.broken > Self.mostBroken {
            try endShadow(version, registry, "its logits aren't finite numbers for \(tally.broken) lines", now)
            return
        }
        switch rule.verdict(tally) {
        case .undecided: return
        case .passed:
            try registry.promote(version, by: .shadow, now: now)
            oversight.noteShadow(version, isPromoted: true, reason: words)
            daemon.log.log(
                level: .notice, .shadowJudged,
                "shadow \(version) promoted: the candidate has shown itself and is promoted",
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
        oversight.noteShadow(version, isPromoted: false, reason: reason)
        daemon.log.log(
            level: .warning, .shadowJudged,
            "shadow \(version) barred: the candidate is worse than the student and is barred",
            metadata: ["student": "\(version)", "reason": "\(reason)"])
        daemon.control.noteModels()
    }

    /// Follows the registry's link to the candidate.
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
