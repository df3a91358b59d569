import ArgumentParser
import Diagnostics
import Foundation
import Glibc
import Service

/// `status`: what a running daemon says about itself.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows how a running daemon is doing.",
        discussion: """
            Asks the daemon at the address that its configuration names under http.listen, and prints what its status \
            page shows. With --json, prints what its /status gives.

            Exit status: 0 if the daemon answered and does its work; 75 if nobody answers, or if it has failed; 77 if \
            this user may not ask it; 78 if the configuration names no address, or is wrong where it should.
            """)

    @Option(help: ArgumentHelp("The daemon's configuration.", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("Ask here instead: 127.0.0.1:9464 or unix:/path.", valueName: "address"))
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

    /// On a terminal in the place of the last one. A daemon that doesn't answer may be restarting: that is shown too.
    private func showAgain(_ address: StatusAddress) throws(UnderstudyError) {
        var text: String
        do throws(UnderstudyError) {
            text = try self.text(StatusClient.status(at: address))
        } catch {
            text = "\(error)\n"
        }
        if let size = StatusTerminal.size {
            // Home, each line cleared to its end, and what is below cleared: nothing flickers.
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
