import ArgumentParser
import Configuration
import Diagnostics
import Foundation
import Glibc
import Service

/// `status`: prints the status of a running daemon.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Prints the status of a running daemon.",
        discussion: """
            Asks the daemon at the address that its configuration names under http.listen, and prints what its status \
            page shows. With --json, prints the contents of /status.

            Exit status: 0 if the daemon answered and works; 75 if it doesn't answer or has failed; 77 if \
            this user may not ask it; 78 if the configuration sets no address, or sets it wrongly.
            """)

    @Option(help: ArgumentHelp("The daemon's configuration.", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("Address to ask instead: 127.0.0.1:9464 or unix:/path.", valueName: "address"))
    var listen: String?

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Ask again every two seconds, until interrupted.")
    var watch = false

    func validate() throws {
        guard (config == nil) != (listen == nil) else { throw ValidationError("give either --config or --listen") }
    }

    func run() throws {
        var hasFailed = false
        try reporting { () throws(UnderstudyError) in
            let address = try address()
            guard watch else {
                let status = try StatusClient.status(at: address)
                try show(status)
                hasFailed = status.phase == .failed
                return
            }
            while true {
                try showAgain(address)
                sleep(2)
            }
        }
        if hasFailed { throw ExitCode(UnderstudyError.Code.tryAgain.exitStatus) }
    }

    private func address() throws(UnderstudyError) -> StatusAddress {
        if let listen {
            do throws(UnderstudyError) {
                return try StatusAddress(listen)
            } catch {
                throw UnderstudyError(.usage, "--listen: \(error.message)")
            }
        }
        return try StatusLocation.address(configuration: config ?? "")
    }

    private func show(_ status: ServiceStatus) throws(UnderstudyError) {
        print(try text(status), terminator: "")
    }

    /// Replaces the previous output on the terminal. A daemon that doesn't answer may be restarting, so the failure is
    /// shown and the loop goes on.
    private func showAgain(_ address: StatusAddress) throws(UnderstudyError) {
        var text: String
        do throws(UnderstudyError) {
            text = try self.text(StatusClient.status(at: address))
        } catch {
            text = "\(error)\n"
        }
        if let size = StatusTerminal.size {
            // Moves home, clears each line to its end and the lines below: that avoids flicker.
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false).prefix(size.rows - 1)
            text = "\u{1B}[H" + lines.map { $0 + "\u{1B}[K" }.joined(separator: "\n") + "\u{1B}[J"
        } else if !json {
            text += "\n"
        }
        print(text, terminator: "")
        fflush(nil)
    }

    private func text(_ status: ServiceStatus) throws(UnderstudyError) -> String {
        if json { return String(decoding: try status.json(), as: UTF8.self) }
        let size = StatusTerminal.size
        return StatusText(status, width: size?.columns ?? 80, colours: size != nil && StatusTerminal.hasColours).text
    }
}

/// Finds the address of a daemon's status.
enum StatusLocation {
    /// Returns the address of the daemon with this configuration. Errors elsewhere in the file only cause a warning.
    static func address(configuration path: String) throws(UnderstudyError) -> StatusAddress {
        let glance = try ConfigurationGlance.read(path)
        guard let address = try glance.httpAddress() else {
            if let errors = glance.errors { throw errors.summary }
            throw UnderstudyError(
                .configuration,
                "the daemon doesn't serve its status: set http.listen to 127.0.0.1:9464 or unix:/path", at: path)
        }
        glance.warn()
        return try StatusAddress(address.description)
    }
}

extension ConfigurationGlance {
    /// Throws `configuration` or `noPermission` for a file that can't be read at all.
    static func read(_ path: String) throws(UnderstudyError) -> ConfigurationGlance {
        do {
            return try ConfigurationGlance(path: path, environment: ProcessInfo.processInfo.environment)
        } catch {
            throw error.summary
        }
    }

    /// Prints a warning on standard error if the file has errors elsewhere.
    func warn() {
        if let warning { ClassifyDescriptors.report("warning: \(warning)") }
    }
}

/// Standard output as a terminal.
enum StatusTerminal {
    /// nil if it is no terminal.
    static var size: (columns: Int, rows: Int)? {
        guard isatty(STDOUT_FILENO) == 1 else { return nil }
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 1 else {
            return (80, 24)
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Source: no-color.org.
    static var hasColours: Bool {
        guard EnvironmentVariable.value("NO_COLOR") == nil else { return false }
        return (EnvironmentVariable.value("TERM") ?? "dumb") != "dumb"
    }
}
