import Bytes
import Configuration
import Diagnostics
import Foundation

/// The environment variables `UNDERSTUDY_…` of this program.
enum ProgramEnvironment {
    /// A variable, a description of its values, and the check of a value.
    private struct Variable {
        var name: String
        var allowed: String
        var accepts: @Sendable (String) throws(UnderstudyError) -> Bool
    }

    private static let variables: [Variable] = [
        Variable(name: "UNDERSTUDY_MODELS", allowed: "a directory that holds student and teacher") {
            (value) throws(UnderstudyError) in try PathLookup.kind(of: value) == .directory
        },
        choice("UNDERSTUDY_KERNELS", ["portable", "avx2", "avx512"]),
        choice("UNDERSTUDY_PRECISION", ["f32", "bf16", "i8"]),
        Variable(
            name: "UNDERSTUDY_CRASH_AT",
            allowed: "NAME or NAME:N, where N counts from 1 and NAME is one of "
                + CrashPoint.allCases.map(\.rawValue).joined(separator: ", ")
        ) { (value) in
            let parts = value.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count <= 2, CrashPoint(rawValue: String(parts[0])) != nil else { return false }
            return parts.count == 1 || (Int(parts[1]) ?? 0) >= 1
        },
    ]

    private static func choice(_ name: String, _ words: [String]) -> Variable {
        Variable(name: name, allowed: "one of " + words.joined(separator: ", ")) { words.contains($0) }
    }

    /// Checks the environment of this process. Warnings go to standard error.
    static func checkOurs() throws(UnderstudyError) {
        let environment = ProcessInfo.processInfo.environment
        for warning in warnings(environment) { ClassifyDescriptors.report("warning: \(warning)") }
        try check(environment)
    }

    /// Refuses invalid values, which would otherwise be ignored silently. An empty variable counts as unset.
    ///
    /// Throws `configuration`, with the allowed values; `noPermission` for an inaccessible directory.
    static func check(_ environment: [String: String]) throws(UnderstudyError) {
        for variable in variables {
            guard let value = environment[variable.name], !value.isEmpty else { continue }
            var isAllowed = false
            do throws(UnderstudyError) {
                isAllowed = try variable.accepts(value)
            } catch {
                throw UnderstudyError(error.code, "\(variable.name): \(error)")
            }
            guard isAllowed else {
                throw UnderstudyError(
                    .configuration,
                    "the environment's \(variable.name) is \(Quoting.name(value)); it must be \(variable.allowed)")
            }
        }
    }

    /// Warns about names that are likely misspellings of these. Other names are ignored: a configuration may refer to
    /// variables of its own as ${UNDERSTUDY_…}.
    static func warnings(_ environment: [String: String]) -> [String] {
        let prefix = "UNDERSTUDY_"
        let known = variables.map { String($0.name.dropFirst(prefix.count)) }
        return environment.keys.sorted().compactMap { name in
            guard name.hasPrefix(prefix) else { return nil }
            let rest = String(name.dropFirst(prefix.count))
            guard !known.contains(rest), let near = NearestName.find(rest, among: known) else { return nil }
            return "the environment's \(Quoting.name(name)) has no effect; did you mean \(prefix)\(near)?"
        }
    }
}
