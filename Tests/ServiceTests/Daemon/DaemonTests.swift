import Cascade
import Configuration
import Diagnostics
import Glibc
import Logging
import Service
import Streams
import TestSupport
import Testing

/// A whole daemon in this process, on a folder of its own, with a student that needs no files.
final class Stand: Sendable {
    let folder: TemporaryFolder
    private let text: Monitor<String>
    private let daemon: Monitor<Daemon?>
    private let outcome = Monitor<UnderstudyError?>(nil)
    private let thread = Monitor<WorkerThread?>(nil)
    private let messages = Monitor([String]())

    init(_ text: String) throws {
        folder = try TemporaryFolder(inMemory: false)
        self.text = Monitor(text)
        daemon = Monitor(nil)
        for name in ["in", "other"] { mkdir(folder.path + "/" + name, 0o700) }
    }

    var path: String { folder.path }
    func set(_ text: String) { self.text.withLock { $0 = text } }
    func count(_ message: String) -> Int { messages.withLock { $0.count { $0.hasPrefix(message) } } }

    func start() throws {
        let path = folder.path
        let supply = ModelSupply(
            student: { _ throws(UnderstudyError) in
                ModelSupply.Student(classifier: HashClassifier(), calibration: nil, directory: path)
            },
            teacher: { _ throws(UnderstudyError) in TeacherSource(HashClassifier(version: "t", salt: 1)) })
        let (text, messages, outcome) = (text, messages, outcome)
        let started = Daemon(
            Daemon.Surroundings(
                settings: { () throws(ConfigurationErrors) in
                    let text = text.withLock { $0 }.split(separator: "FOLDER").joined(separator: path)
                    return try ConfigurationFile.read(Array(text.utf8), path: "test.yaml", environment: [:])
                },
                supply: supply, version: "1", inherited: InheritedDescriptors([]),
                manager: ServiceManager(watchdogInterval: nil, monotonicMicroseconds: { 0 }) { message in
                    messages.withLock { $0.append(message) }
                },
                log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
        let running = try WorkerThread(name: "daemon") {
            do throws(UnderstudyError) { try started.run() } catch { outcome.withLock { $0 = error } }
        }
        daemon.withLock { $0 = started }
        thread.withLock { $0 = running }
    }

    func reload() { daemon.withLock { $0 }?.control.reload() }

    /// Waits for the end; what went wrong.
    func stop() -> UnderstudyError? {
        daemon.withLock { $0 }?.control.stop()
        thread.withLock { $0 }?.join()
        daemon.withLock { $0 = nil }
        return outcome.withLock { $0 }
    }

    /// Puts a file of numbered lines into a directory, under its name when it is whole.
    func put(_ name: String, into directory: String = "in", lines: Int) {
        let text = (0..<lines).map { "\(name)第\($0)条\n" }.joined()
        let file = open("\(path)/\(directory)/.new", O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        _ = write(file, text, text.utf8.count)
        close(file)
        rename("\(path)/\(directory)/.new", "\(path)/\(directory)/\(name)")
    }

    func answers(_ name: String = "all.tsv") -> [String] {
        String(decoding: folder.bytes(of: name) ?? [], as: UTF8.self).split(separator: "\n").map {
            String($0.prefix { $0 != "\t" })
        }
    }

    static func lines(_ name: String, _ count: Int) -> [String] { (0..<count).map { "\(name)第\($0)条" } }
}

private func settings(directory: String = "in", sinks: String = "", rest: String = "") -> String {
    """
    models: {student: FOLDER}
    sources: [{name: drops, kind: directory, path: FOLDER/\(directory)}]
    sinks:
      - {name: all, kind: file, path: FOLDER/all.tsv, format: tsv}
    \(sinks)
    state: {directory: FOLDER/state, commit_interval_milliseconds: 5}
    \(rest)
    """
}

@Suite(.offPool) struct DaemonTests {
    @Test func whatOneRunLeavesTheNextAnswers() throws {
        let stand = try Stand(settings())
        var wanted: [String] = []
        for run in 0..<3 {
            stand.put("甲\(run)", lines: 40)
            try stand.start()
            stand.put("乙\(run)", lines: 40)
            wanted += Stand.lines("甲\(run)", 40) + Stand.lines("乙\(run)", 40)
            if run < 2 { #expect(eventually { stand.answers().count == wanted.count }) }
            if run == 2 { #expect(eventually { stand.answers().count > wanted.count - 80 }) }
            #expect(stand.stop() == nil)
        }
        try stand.start()
        #expect(eventually { stand.answers().count == wanted.count })
        #expect(stand.stop() == nil)
        #expect(stand.answers().sorted() == wanted.sorted())
    }

    /// Pitfall 9: hundreds of reloads, good and bad in turns, while lines come. None is swallowed: the last one is in
    /// force; no line is lost or doubled.
    @Test func aStormOfReloads() throws {
        let stand = try Stand(settings())
        try stand.start()
        #expect(eventually { stand.count("READY=1") == 1 })
        for round in 0..<300 {
            switch round % 3 {
            case 0: stand.set(settings() + "\nnonsense: 1\n")
            case 1: stand.set(settings(rest: "log: {level: debug}"))
            default: stand.set(settings())
            }
            stand.reload()
            if round % 30 == 0 { stand.put("文\(round)", lines: 50) }
        }
        stand.set(settings(sinks: "  - {name: late, kind: file, path: FOLDER/late.tsv, format: tsv}"))
        stand.reload()
        stand.put("末", lines: 10)
        #expect(eventually { stand.answers().count == 510 })
        // The file may have been answered before the reload came about; another one isn't.
        #expect(eventually { !stand.folder.names.filter { $0 == "late.tsv" }.isEmpty })
        stand.put("终", lines: 10)
        #expect(eventually { stand.answers().count == 520 })
        #expect(stand.stop() == nil)
        #expect(Set(stand.answers()).count == 520)
        #expect(stand.count("RELOADING=1") == stand.count("READY=1") - 1)
    }

    /// A source whose new place isn't there stays at the old one; when it is, the next reload takes it there.
    @Test func aSourceThatCannotMoveStays() throws {
        let stand = try Stand(settings())
        try stand.start()
        stand.put("甲", lines: 20)
        #expect(eventually { stand.answers().count == 20 })
        stand.set(settings(directory: "missing"))
        stand.reload()
        #expect(eventually { stand.count("RELOADING=1") == 1 && stand.count("READY=1") == 2 })
        stand.put("乙", lines: 20)
        #expect(eventually { stand.answers().count == 40 })
        stand.put("丙", into: "other", lines: 20)
        stand.set(settings(directory: "other"))
        stand.reload()
        #expect(eventually { stand.answers().count == 60 })
        #expect(stand.stop() == nil)
        #expect(stand.answers() == Stand.lines("甲", 20) + Stand.lines("乙", 20) + Stand.lines("丙", 20))
    }

    /// A sink that nobody empties doesn't keep the daemon from stopping; its lines are left to the next run.
    @Test func aStuckSinkDoesNotStopTheStop() throws {
        let fifo = "  - {name: pipe, kind: fifo, path: FOLDER/pipe}"
        let stand = try Stand(settings(sinks: fifo, rest: "shutdown: {drain_seconds: 1}"))
        try stand.start()
        #expect(eventually { stand.folder.names.contains("pipe") })
        // Somebody who holds the pipe and never reads; it takes 64 KiB.
        let reader = open(stand.path + "/pipe", O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        defer { close(reader) }
        stand.put("甲", lines: 3000)
        var request = pollfd(fd: reader, events: Int16(POLLIN), revents: 0)
        #expect(poll(&request, 1, Int32(patience * 1000)) == 1)
        #expect(stand.stop()?.code == .tryAgain)
        #expect(stand.answers().count < 3000)
        stand.set(settings())
        try stand.start()
        #expect(eventually { stand.answers().count == 3000 })
        _ = stand.stop()
        #expect(stand.answers() == Stand.lines("甲", 3000))
    }
}
