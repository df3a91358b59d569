import CFiles
import Diagnostics
import Glibc
import Tensors

/// The student that must serve for a change to be made: a decision about one student isn't applied to another that was
/// promoted meanwhile.
public enum ServingExpectation: Sendable, Equatable {
    case any
    /// No version of the registry: the configured student.
    case configured
    case version(String)
}

/// A change of a registry, made under its lock. It leaves a consistent registry if it is killed at any point.
struct RegistryChange {
    let registry: StudentRegistry
    var record: RegistryRecord

    private var directory: String { registry.directory }
    static let removedPrefix = ".removed."

    /// Makes `body`'s change: with the lock, on the record as settled, which is written if it differs afterwards.
    static func make<Value>(
        in registry: StudentRegistry, _ body: (inout RegistryChange) throws(UnderstudyError) -> Value
    ) throws(UnderstudyError) -> Value {
        let directory = registry.directory
        if try !registry.isDirectory(directory) { try DirectoryTree.make(directory) }
        let lock = try RegistryLock(directory: directory)
        defer { withExtendedLifetime(lock) {} }
        var change = RegistryChange(registry: registry, record: try RegistryRecord.read(directory: directory))
        let found = change.record
        try change.settle()
        let value = try body(&change)
        if change.record != found { try change.record.write(directory: directory) }
        return value
    }

    /// Undoes a change that was killed halfway.
    private mutating func settle() throws(UnderstudyError) {
        // The links of this change were never set: the student that served before it still serves.
        let serving = try RegistryLink.current.target(in: directory) ?? Promotion.configured
        while let last = record.promotions.last, last.version != serving,
            last.predecessor ?? Promotion.configured == serving
        {
            record.promotions.removeLast()
        }
        for name in (try? DirectoryTree.entries(of: directory)) ?? [] {
            let isOurs =
                name.hasPrefix(Self.removedPrefix)
                || name.hasPrefix(".\(RegistryRecord.fileName).") && name.hasSuffix(".partial")
            if isOurs { DirectoryTree.remove(directory + "/" + name) }
        }
        StagingDirectory.removeAllLeftovers(in: directory)
    }

    /// Makes a version the serving student, and the one that served before the target of a rollback.
    mutating func promote(
        _ entry: RegistryEntry, by origin: Promotion.Origin, now: Int64, expecting expected: ServingExpectation
    ) throws(UnderstudyError) {
        if let barring = entry.barring {
            guard origin == .person else {
                throw UnderstudyError(
                    .configuration, "version \(entry.version) is rejected: \(PrintableText.escaped(barring.reason))",
                    at: entry.directory)
            }
            record.barred.removeAll { $0.version == entry.version }
        }
        let before = try RegistryLink.current.target(in: directory)
        try check(expected, serving: before)
        guard before != entry.version else { return }
        let isShadow = try RegistryLink.shadow.target(in: directory) == entry.version
        try serve(
            Promotion(time: now, version: entry.version, predecessor: before, origin: origin),
            [(.previous, before), (.current, entry.version)] + (isShadow ? [(.shadow, nil)] : []))
    }

    /// Records the change of the serving student, then sets the links in the given order.
    ///
    /// A kill before `current` is set leaves the old student serving, and a promotion in the record that didn't take
    /// effect, which the next change removes.
    mutating func serve(
        _ promotion: Promotion, _ links: [(link: RegistryLink, version: String?)]
    ) throws(UnderstudyError) {
        record.promotions.append(promotion)
        try record.write(directory: directory)
        CrashPoint.promoting.pass()
        for (place, (link, version)) in links.enumerated() {
            if place == 1 { CrashPoint.flipping.pass() }
            try link.set(version, in: directory)
        }
        CrashPoint.promoted.pass()
    }

    mutating func bar(_ version: String, reason: String, now: Int64) {
        record.barred.removeAll { $0.version == version }
        record.barred.append(RejectedVersion(version: version, reason: reason, time: now))
    }

    func check(_ expected: ServingExpectation, serving: String?) throws(UnderstudyError) {
        switch expected {
        case .any: return
        case .configured: if serving == nil { return }
        case .version(let version): if serving == version { return }
        }
        throw changedMeanwhile()
    }

    func changedMeanwhile() -> UnderstudyError {
        UnderstudyError(
            .tryAgain,
            "another student was promoted, or one was rolled back, meanwhile; nothing was changed: try again",
            at: directory)
    }

    /// Renames the staged directory to its final name.
    mutating func place(
        _ staging: StagingDirectory, _ lineage: StudentLineage
    ) throws(UnderstudyError) -> RegistryEntry {
        let place = directory + "/" + lineage.version
        try RegistryFile.write(lineage, to: staging.path + "/" + StudentLineage.fileName)
        var reason: Int32 = 0
        let isPlaced = UnfinishedDirectories.finish(staging.path) {
            reason = understudy_rename_new(staging.path, place)
            return reason == 0
        }
        guard isPlaced else {
            throw UnderstudyError(
                .writing(reason, else: .cannotCreate),
                reason == EEXIST
                    ? "this name already exists"
                    : "can't be renamed into place: \(String(cString: strerror(reason)))", at: place)
        }
        try DurableFile.synchroniseDirectory(directory)
        if let number = VersionName.number(lineage.version) { record.next = max(record.next, number + 1) }
        return registry.made(lineage.version, record)
    }
}

/// The lock for changes of a registry: flock on `.lock` in its directory. Waits for some seconds, since holders keep it
/// for milliseconds only.
final class RegistryLock {
    private let descriptor: Int32
    private static let patience = 5.0

    /// Errors: `tryAgain` if another process holds it all that time; `cannotCreate`.
    init(directory: String) throws(UnderstudyError) {
        let path = directory + "/.lock"
        let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o660)
        guard opened >= 0 else {
            throw UnderstudyError(
                .writing(errno, else: .cannotCreate), "can't be opened: \(String(cString: strerror(errno)))", at: path)
        }
        let begun = ContinuousClock.now
        while flock(opened, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR, begun.duration(to: .now) < .seconds(Self.patience) else {
                close(opened)
                throw UnderstudyError(.tryAgain, "another process is changing this registry; try again", at: path)
            }
            usleep(20_000)
        }
        // Set last: `deinit` also runs when a complete object's initialiser throws, and would close it a second time.
        descriptor = opened
    }

    deinit { FileLock.release(closing: descriptor) }
}
