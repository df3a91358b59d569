import Foundation
import Glibc
import Synchronization

/// A process with pipes for its standard descriptors; what it writes is collected as it comes.
final class Running {
    private let process = Process()
    private let input = Pipe()
    private let output: Collector
    private let errors: Collector

    /// Reads a pipe to its end on a thread of its own, and lets others wait for what has come.
    private final class Collector: Sendable {
        private let bytes = Mutex<Data>(Data())
        private let ended = DispatchSemaphore(value: 0)
        private let grown = DispatchSemaphore(value: 0)

        init(_ handle: FileHandle) {
            // One of its own: the number of a handle that is closed meanwhile may belong to another pipe by the next read.
            let descriptor = dup(handle.fileDescriptor)
            Thread.detachNewThread { [self] in
                var piece = [UInt8](repeating: 0, count: 65_536)
                while true {
                    let count = read(descriptor, &piece, piece.count)
                    if count <= 0 { break }
                    bytes.withLock { $0.append(contentsOf: piece[..<count]) }
                    grown.signal()
                }
                close(descriptor)
                ended.signal()
                grown.signal()
            }
        }

        func waitForLines(_ count: Int) {
            while bytes.withLock({ $0.count { $0 == 0x0A } }) < count { grown.wait() }
        }

        func waitForEnd() -> String {
            ended.wait()
            return String(decoding: bytes.withLock { $0 }, as: UTF8.self)
        }
    }

    private let outputPipe = Pipe()
    private let errorPipe = Pipe()

    init(_ path: String, _ arguments: [String], environment: [String: String] = [:]) throws {
        signal(SIGPIPE, SIG_IGN)
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = input
        process.standardOutput = outputPipe
        process.standardError = errorPipe
        try process.run()
        output = Collector(outputPipe.fileHandleForReading)
        errors = Collector(errorPipe.fileHandleForReading)
    }

    func send(_ bytes: [UInt8]) {
        try? input.fileHandleForWriting.write(contentsOf: Data(bytes))
    }

    func closeInput() {
        try? input.fileHandleForWriting.close()
    }

    func waitForOutputLines(_ count: Int) {
        output.waitForLines(count)
    }

    func send(signal number: Int32) {
        kill(process.processIdentifier, number)
    }

    func wait() -> Program.Result {
        let written = output.waitForEnd()
        let reported = errors.waitForEnd()
        process.waitUntilExit()
        return Program.Result(
            status: process.terminationStatus, wasKilled: process.terminationReason == .uncaughtSignal,
            output: written, errors: reported)
    }
}
