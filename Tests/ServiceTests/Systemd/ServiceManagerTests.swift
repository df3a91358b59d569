import Glibc
import Service
import Streams
import TestSupport
import Testing

/// Serialized, since the environment belongs to the whole process.
@Suite(.offPool, .serialized) struct ServiceManagerTests {
    @Test func aRealSocketGetsTheExactMessages() throws {
        let socket = try DatagramSocket()
        setenv("NOTIFY_SOCKET", socket.path, 1)
        setenv("WATCHDOG_USEC", "30000000", 1)
        setenv("WATCHDOG_PID", "\(getpid())", 1)
        let manager = ServiceManager()
        defer { for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] { unsetenv(name) } }
        #expect(manager.isPresent)
        #expect(manager.watchdogInterval == .seconds(30))

        manager.ready(status: "12 lines/s")
        #expect(socket.next() == "READY=1\nSTATUS=12 lines/s")
        manager.status("two\nlines and \u{1b}[1m")
        #expect(socket.next() == "STATUS=two lines and  [1m")
        manager.watchdog()
        #expect(socket.next() == "WATCHDOG=1")
        manager.extendTimeout(by: .milliseconds(1500))
        #expect(socket.next() == "EXTEND_TIMEOUT_USEC=1500000")
        manager.stopping()
        #expect(socket.next() == "STOPPING=1")

        let before = Self.monotonicMicroseconds()
        manager.reloading()
        let after = Self.monotonicMicroseconds()
        let lines = try #require(socket.next()).split(separator: "\n")
        #expect(lines.first == "RELOADING=1" && lines.count == 2)
        let time = try #require(lines.last.flatMap { UInt64($0.dropFirst("MONOTONIC_USEC=".count)) })
        #expect(lines.last?.hasPrefix("MONOTONIC_USEC=") == true)
        #expect((before...after).contains(time))
        #expect(socket.next() == nil)
    }

    @Test func withoutAManagerNothingHappens() {
        unsetenv("NOTIFY_SOCKET")
        unsetenv("WATCHDOG_USEC")
        let manager = ServiceManager()
        #expect(!manager.isPresent)
        #expect(manager.watchdogInterval == nil)
        manager.ready(status: "unheard")
        manager.reloading()
        manager.watchdog()
    }

    @Test func aWatchdogForAnotherProcessIsNotOurs() {
        setenv("WATCHDOG_USEC", "30000000", 1)
        setenv("WATCHDOG_PID", "1", 1)
        defer { for name in ["WATCHDOG_USEC", "WATCHDOG_PID"] { unsetenv(name) } }
        #expect(ServiceManager().watchdogInterval == nil)
    }

    @Test func messagesGoThroughAnInjectedSender() {
        let sent = Monitor([String]())
        let manager = ServiceManager(watchdogInterval: nil, monotonicMicroseconds: { 77 }) { state in
            sent.withLock { $0.append(state) }
        }
        manager.reloading()
        manager.ready(status: "")
        manager.extendTimeout(by: .zero - .seconds(1))
        #expect(
            sent.withLock { $0 } == [
                "RELOADING=1\nMONOTONIC_USEC=77", "READY=1\nSTATUS=", "EXTEND_TIMEOUT_USEC=0",
            ])
    }

    private static func monotonicMicroseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1_000
    }
}
