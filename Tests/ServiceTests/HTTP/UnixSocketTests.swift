import Diagnostics
import Foundation
import Glibc
import Service
import TestSupport
import Testing

@Suite(.offPool) struct UnixSocketTests {
    private let routes = StatusRoutes(status: { StatusSamples.ready() }, metrics: { "" }, health: { nil })

    /// A socket's path in a folder of its own, which goes when `body` is done.
    private func withPath<Result>(_ body: (String) throws -> Result) throws -> Result {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        return try body(folder.file("http.sock"))
    }

    private func mode(_ path: String) -> mode_t? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode : nil
    }

    @Test func servesAndCleansUp() throws {
        try withPath { path in
            let server = try StatusServer(address: .unix(path: path), routes: routes, limits: .patient)
            try server.start()
            #expect(mode(path) == S_IFSOCK | 0o660)
            let answer = StatusTestClient.ask(.unix(path: path), "GET /healthz HTTP/1.1\r\n\r\n")
            #expect(answer?.hasSuffix("ok\n") == true)
            server.stop()
            #expect(mode(path) == nil)
        }
    }

    @Test func takesThePlaceOfASocketThatNobodyAnswersAt() throws {
        try withPath { path in
            // What a killed process leaves: bound, then closed without unlink.
            let dead = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
            let bound = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(dead, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            #expect(bound == 0)
            close(dead)
            let server = try StatusServer(address: .unix(path: path), routes: routes, limits: .patient)
            try server.start()
            let answer = StatusTestClient.ask(.unix(path: path), "GET /healthz HTTP/1.1\r\n\r\n")
            #expect(answer?.hasSuffix("ok\n") == true)
            server.stop()
        }
    }

    @Test func leavesALiveSocketAlone() throws {
        try withPath { path in
            let server = try StatusServer(address: .unix(path: path), routes: routes)
            let error = #expect(throws: UnderstudyError.self) {
                try StatusServer(address: .unix(path: path), routes: routes)
            }
            #expect(error?.code == .cannotCreate)
            #expect(mode(path) != nil)
            withExtendedLifetime(server) {}
        }
    }

    @Test func leavesAFileThatIsNoSocketAlone() throws {
        try withPath { path in
            try Data("precious".utf8).write(to: URL(filePath: path))
            let error = #expect(throws: UnderstudyError.self) {
                try StatusServer(address: .unix(path: path), routes: routes)
            }
            #expect(error?.code == .cannotCreate)
            #expect(try Data(contentsOf: URL(filePath: path)) == Data("precious".utf8))
        }
    }

    @Test func leavesTheSocketOfASuccessorAlone() throws {
        try withPath { path in
            let server = try StatusServer(address: .unix(path: path), routes: routes)
            unlink(path)
            let successor = try StatusServer(address: .unix(path: path), routes: routes)
            server.stop()
            #expect(mode(path) != nil)
            withExtendedLifetime(successor) {}
        }
    }

    @Test func saysWhichFolderIsMissing() {
        let error = #expect(throws: UnderstudyError.self) {
            try StatusServer(address: .unix(path: "/nowhere/at/all.sock"), routes: routes)
        }
        #expect(error?.message.contains("/nowhere/at/all.sock") == true)
        #expect(error?.message.contains("directory doesn't exist") == true)
    }
}
