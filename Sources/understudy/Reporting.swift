import ArgumentParser
import Diagnostics

extension ParsableCommand {
    /// Does a verb's work; its error is printed here, once, and becomes the exit status.
    func reporting(_ work: () throws(UnderstudyError) -> Void) throws {
        do throws(UnderstudyError) {
            try work()
        } catch {
            ClassifyDescriptors.report("error: \(error)")
            throw ExitCode(error.code.exitStatus)
        }
    }
}
