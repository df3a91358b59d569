import Diagnostics
import Glibc
import Logging
import Service
import Streams
import Testing

private final class Collected: Sendable {
    private let lines = Monitor([String]())

    func add(_ line: String) { lines.withLock { $0.append(line) } }

    var all: [String] { lines.withLock { $0 } }
}

private func plain(_ level: ProcessLogLevel, _ collected: Collected, isColoured: Bool = false) -> Logger {
    // 2026-11-25T12:00:00Z
    Logger(label: "test") { _ in
        PlainLogHandler(level: level, isColoured: isColoured, now: { 1_795_608_000 }) { collected.add($0) }
    }
}

private func journal(_ level: ProcessLogLevel, _ collected: Collected) -> Logger {
    Logger(label: "test") { _ in
        JournalLogHandler(level: level) { fields in
            for field in fields { collected.add(String(decoding: field, as: UTF8.self)) }
        }
    }
}

@Suite struct LogHandlerTests {
    @Test func aPlainLineHasTimeLevelMessageAndSortedMetadata() {
        let collected = Collected()
        var logger = plain(ProcessLogLevel(.info), collected)
        logger[metadataKey: "source"] = "wire"
        logger.info("source opened", metadata: ["lines": "12", "path": "/var/a b", "empty": ""])
        logger.critical("gone")
        #expect(
            collected.all == [
                "2026-11-25T12:00:00Z info     source opened empty=\"\" lines=12 path=\"/var/a b\" source=wire\n",
                "2026-11-25T12:00:00Z critical gone source=wire\n",
            ])
    }

    @Test func textFromOutsideCantBreakALine() {
        let collected = Collected()
        plain(ProcessLogLevel(.info), collected).info(
            "a\nb\u{1b}[31m", metadata: ["k\r": "x\t\u{85}\u{202e}\u{2028}\"=球队"])
        #expect(
            collected.all == [
                #"2026-11-25T12:00:00Z info     a\nb\u{1b}[31m k\r="x\t\u{85}\u{202e}\u{2028}\"=球队""# + "\n"
            ])
    }

    @Test func coloursAreForTerminals() {
        let collected = Collected()
        plain(ProcessLogLevel(.info), collected, isColoured: true).error("no")
        #expect(collected.all == ["\u{1b}[2m2026-11-25T12:00:00Z\u{1b}[0m \u{1b}[1;31merror\u{1b}[0m    no\n"])
    }

    @Test func theLevelCanChangeForLoggersThatExist() {
        let collected = Collected()
        let level = ProcessLogLevel(.warning)
        let logger = plain(level, collected)
        logger.info("unheard")
        level.current = .debug
        logger.debug("heard")
        level.current = .error
        logger.warning("unheard")
        #expect(collected.all.count == 1)
    }

    @Test(arguments: zip(Logger.Level.allCases, [7, 7, 6, 5, 4, 3, 2]))
    func prioritiesOfLevels(level: Logger.Level, priority: Int) {
        let collected = Collected()
        journal(ProcessLogLevel(.trace), collected).log(level: level, "m")
        #expect(collected.all.contains("PRIORITY=\(priority)"))
    }

    @Test func theJournalGetsMetadataAsFields() {
        let collected = Collected()
        journal(ProcessLogLevel(.info), collected).log(
            level: .notice, .reloaded, "球队\n二", metadata: ["source": "wi\u{0}re\n", "queue-depth µ": "3"],
            file: "Service/A.swift", function: "f()", line: 9)
        #expect(
            collected.all == [
                "MESSAGE=球队\n二", "PRIORITY=5", "SYSLOG_IDENTIFIER=understudy", "CODE_FILE=Service/A.swift",
                "CODE_LINE=9", "CODE_FUNC=f()", "MESSAGE_ID=\(DaemonEvent.reloaded.rawValue)",
                "UNDERSTUDY_QUEUE_DEPTH__=3", "UNDERSTUDY_SOURCE=wi\u{0}re\n",
            ])
    }

    @Test func fieldNamesAreLegal() {
        for key in ["", "a", "_x", "ß", "Ünï", "a.b", "9", String(repeating: "长", count: 100), "\u{0}="] {
            let name = JournalField.name(ofKey: key)
            #expect(name.hasPrefix("UNDERSTUDY_") && name.utf8.count <= 64)
            #expect(name.utf8.allSatisfy { (65...90).contains($0) || (48...57).contains($0) || $0 == 95 })
        }
    }

    @Test func errorsAreReportedWithCodeAndPlace() {
        let collected = Collected()
        plain(ProcessLogLevel(.info), collected).report(
            UnderstudyError(.configuration, "there is no key 'sink'", at: "a.yaml:3:1"), event: .reloadRefused)
        #expect(
            collected.all == [
                "2026-11-25T12:00:00Z error    reload refused: there is no key 'sink' code=configuration"
                    + " place=a.yaml:3:1\n"
            ])
    }

    @Test func errorsNameWhatHappened() {
        let collected = Collected()
        let log = plain(ProcessLogLevel(.info), collected)
        log.report(UnderstudyError(.inputOutput, "can't be read"), what: "source wire failed")
        log.report(UnderstudyError(.inputOutput, "can't be read"))
        log.report(UnderstudyError(.noSpace, "no space left"))
        let time = "2026-11-25T12:00:00Z error    "
        #expect(
            collected.all == [
                time + "source wire failed: can't be read code=input/output\n",
                time + "can't be read code=input/output\n", time + "disk full: no space left code=\"no space\"\n",
            ])
    }

    @Test func anErrorForWantOfRoomIsAnEventByItself() {
        let event = "MESSAGE_ID=\(DaemonEvent.diskFull.rawValue)"
        for number in [ENOSPC, EDQUOT, EFBIG, EIO] {
            let collected = Collected()
            let code = UnderstudyError.Code.writing(number, else: .inputOutput)
            journal(ProcessLogLevel(.info), collected).report(UnderstudyError(code, "the file can't be written to"))
            #expect(collected.all.contains(event) == (number != EIO))
        }
        let collected = Collected()
        journal(ProcessLogLevel(.info), collected).report(UnderstudyError(.noSpace, "no"), event: .reloadRefused)
        #expect(collected.all.contains("MESSAGE_ID=\(DaemonEvent.reloadRefused.rawValue)"))
        #expect(!collected.all.contains(event))
    }

    @Test func eventIdentifiersAreDistinctAndWellFormed() {
        let ids = DaemonEvent.allCases.map(\.rawValue)
        #expect(Set(ids).count == ids.count)
        #expect(ids.allSatisfy { $0.utf8.count == 32 && $0.allSatisfy(\.isHexDigit) })
    }

    @Test func theJournalStreamIsKnownByDeviceAndInode() throws {
        let null = open("/dev/null", O_WRONLY | O_CLOEXEC)
        try #require(null >= 0)
        defer { close(null) }
        var status = stat()
        try #require(fstat(null, &status) == 0)
        #expect(DaemonLogs.isJournal(null, stream: "\(status.st_dev):\(status.st_ino)"))
        #expect(!DaemonLogs.isJournal(null, stream: "\(status.st_dev):\(status.st_ino + 1)"))
        #expect(!DaemonLogs.isJournal(null, stream: nil))
        #expect(!DaemonLogs.isJournal(-1, stream: "0:0"))
    }
}
