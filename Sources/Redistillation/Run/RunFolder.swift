import Diagnostics
import Foundation

/// Directories of the state that a run makes and removes.
enum RunFolder {
    /// Makes the directory and those above it, if it isn't there.
    ///
    /// Errors: `cannotCreate`, `noSpace`.
    static func make(_ path: String) throws(UnderstudyError) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw UnderstudyError(
                .writing(errno, else: .cannotCreate), "the directory can't be made: \(error.localizedDescription)",
                at: path)
        }
    }

    /// Removes the directory with all that is in it. What can't be removed stays for the next run.
    static func remove(_ path: String) {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Removes the oldest of the files in `directory` whose names end in `suffix`, by the order of `numbers`, but for
    /// the newest `count`.
    static func keepNewest(_ count: Int, in directory: String, prefix: String, suffix: String) {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory) else { return }
        let numbered = names.compactMap { name -> (number: Int64, name: String)? in
            guard name.hasPrefix(prefix), name.hasSuffix(suffix) else { return nil }
            return Int64(name.dropFirst(prefix.count).dropLast(suffix.count)).map { ($0, name) }
        }
        for file in numbered.sorted(by: { $0.number > $1.number }).dropFirst(count) {
            try? FileManager.default.removeItem(atPath: directory + "/" + file.name)
        }
    }
}
