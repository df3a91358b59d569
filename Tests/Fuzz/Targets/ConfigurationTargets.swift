import Configuration

extension FuzzTargets {
    /// A configuration file, from bytes to checked settings. An accepted file must have the same settings after it is
    /// printed with its defaults and read again; a refused one must give the place of the error.
    static func configuration(_ bytes: [UInt8]) {
        let environment = ["STATE_DIRECTORY": "/var/lib/understudy", "MODELS": "/models", "EMPTY": ""]
        do throws(ConfigurationErrors) {
            let settings = try ConfigurationFile.read(bytes, path: "fuzz.yaml", environment: environment)
            let text = ResolvedText(settings).description
            do throws(ConfigurationErrors) {
                let again = try ConfigurationFile.read(Array(text.utf8), path: "resolved.yaml", environment: [:])
                hold(again == settings, "printed settings read back as others:\n\(text)")
            } catch {
                hold(false, "printed settings can't be read: \(error)\n\(text)")
            }
        } catch {
            hold(!error.errors.isEmpty, "refused without an error")
            refuse(error)
            for single in error.errors {
                hold((single.line ?? 1) >= 1 && (single.column ?? 1) >= 1, "a place before the file: \(single)")
            }
            glance(bytes, environment)
        }
    }

    /// The commands other than the daemon read as much as possible of an invalid file.
    private static func glance(_ bytes: [UInt8], _ environment: [String: String]) {
        guard let glance = try? ConfigurationGlance(bytes, path: "fuzz.yaml", environment: environment) else { return }
        hold(glance.errors != nil, "a file is refused and passes at a glance")
        _ = try? glance.httpAddress()
        _ = try? glance.stateDirectory()
        _ = try? glance.registryDirectory()
    }
}
