import Cascade
import Configuration
import Diagnostics
import Foundation
import Logging
import Models
import Streams
import Tensors

/// What the control thread does now and then while lines are answered.
extension DaemonWork {
    /// Takes a promoted student back if the audit says that it's worse than the one before, and asks for a run of
    /// re-distillation if the stream has drifted.
    func oversee() {
        guard let redistill = settings.redistill else { return }
        do throws(UnderstudyError) {
            try rollBackIfWorse(redistill)
            try judgeShadow(redistill)
            if let drift = oversight.wantsRun(redistill.drift) { try askForRun(drift) }
        } catch {
            // The next look tries again.
            daemon.log.report(error, level: .warning, what: "students not looked after")
        }
    }

    private func rollBackIfWorse(_ redistill: RedistillSettings) throws(UnderstudyError) {
        let registry = StudentRegistry(directory: settings.registryDirectory)
        let serving = models.student.version
        guard let due = try oversight.followPromotion(registry, redistill, serving: serving) else { return }
        let now = Int64(Date().timeIntervalSince1970 * 1e6)
        let (from, to) = try registry.rollback(barring: due.reason, now: now)
        oversight.noteRollback(due, to: to.version)
        daemon.log.log(
            level: .error, .rolledBack,
            "rolled back from \(from ?? serving) to \(to.version): the promoted student is worse than the one before, which answers again",
            metadata: ["student": "\(from ?? serving)", "back": "\(to.version)", "reason": "\(due.reason)"])
        // The link's watch sees the flip as well; whoever comes first loads the student.
        daemon.control.noteModels()
    }

    /// A file that understudy-redistill.path waits for: the daemon itself has no right to start a unit.
    private func askForRun(_ drift: DriftReading) throws(UnderstudyError) {
        let path = settings.state.directory + "/redistill.request"
        let index = drift.index.map { NumberText.fixed($0, digits: 3) } ?? ""
        let file = try DurableFile(replacing: path)
        try file.write(Array("the stream has drifted: population stability index \(index)\n".utf8))
        try file.commit()
        daemon.log.log(
            level: .notice, .drifted,
            "drifted, index \(index): the stream has drifted; a run of re-distillation is asked for",
            metadata: ["index": "\(index)", "file": "\(path)"])
    }
}
