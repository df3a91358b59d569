import Diagnostics

/// A registry as text.
public struct RegistryListing: Sendable {
    public var entries: [RegistryEntry]
    public var current: String?
    public var previous: String?
    public var shadow: String?
    /// Total size in bytes of each version's files, by version.
    public var bytes: [String: Int]

    public init(_ registry: StudentRegistry) throws(UnderstudyError) {
        entries = try registry.entries()
        current = try registry.current()?.version
        previous = try registry.previous()?.version
        shadow = try registry.shadow()?.version
        bytes = [:]
        for entry in entries { bytes[entry.version] = DirectoryTree.bytes(entry.directory) }
    }

    /// A version's role: `current`, `previous`, `shadow`, `barred`, `damaged`, or none of these.
    public func role(_ entry: RegistryEntry) -> String {
        if entry.version == current { return entry.flaw == nil ? "current" : "current, damaged" }
        if entry.flaw != nil { return "damaged" }
        if entry.barring != nil { return "barred" }
        if entry.version == shadow { return "shadow" }
        return entry.version == previous ? "previous" : ""
    }

    /// A table, newest version first.
    public var text: String {
        let heads = ["version", "", "created (UTC)", "parent", "accuracy", "log lines", "by people", "size"]
        let rows = entries.reversed().map { entry in
            let lineage = entry.lineage
            return [
                PrintableText.escaped(entry.version), role(entry), lineage.map { TimeText.minute($0.createdAt) } ?? "?",
                lineage?.parent.map(PrintableText.escaped) ?? "-",
                lineage?.holdoutAccuracy.map { NumberText.percent($0) } ?? "-",
                lineage.map { NumberText.grouped($0.logRows) } ?? "-",
                lineage.map { NumberText.grouped($0.humanLabels) } ?? "-",
                "\(NumberText.fixed(Double(bytes[entry.version] ?? 0) / 1e6, digits: 1)) MB",
            ]
        }
        return PrintableText.table([heads] + rows, leftAligned: [0, 1, 2, 3])
    }

    /// One version with all details.
    public func text(of entry: RegistryEntry, history: [Promotion], verdict: String) -> String {
        var rows: [[String]] = [["version", PrintableText.escaped(entry.version)]]
        func add(_ name: String, _ value: String?) {
            if let value, !value.isEmpty { rows.append([name, value]) }
        }
        add("role", role(entry))
        add("directory", PrintableText.escaped(entry.directory))
        if let barring = entry.barring {
            add("barred", "\(TimeText.minute(barring.time)): \(PrintableText.escaped(barring.reason))")
        }
        add("flaw", entry.flaw.map(PrintableText.escaped))
        add("files", verdict)
        if let lineage = entry.lineage {
            add("fingerprint", PrintableText.escaped(lineage.fingerprint))
            add("created", TimeText.minute(lineage.createdAt) + " UTC")
            add("run", lineage.run.map(String.init))
            add("parent", lineage.parent.map(PrintableText.escaped))
            add("parent's fingerprint", lineage.parentFingerprint.map(PrintableText.escaped))
            add("teacher", lineage.teacher.map(PrintableText.escaped))
            add("teacher's fingerprint", lineage.teacherFingerprint.map(PrintableText.escaped))
            add("log lines", NumberText.grouped(lineage.logRows))
            if let first = lineage.firstRowTime, let last = lineage.lastRowTime {
                add("answered", "\(TimeText.minute(first)) to \(TimeText.minute(last)) UTC")
            }
            add("labelled by people", NumberText.grouped(lineage.humanLabels))
            add("replayed lines", NumberText.grouped(lineage.replayRows))
            add("train file", lineage.trainFingerprint.map(PrintableText.escaped))
            add("holdout file", lineage.holdoutFingerprint.map(PrintableText.escaped))
            add("seed", lineage.seed.map(String.init))
            add("accuracy on the holdout", lineage.holdoutAccuracy.map { NumberText.percent($0, digits: 2) })
        }
        for promotion in history where promotion.version == entry.version {
            let before = promotion.predecessor.map { " after \(PrintableText.escaped($0))" } ?? ""
            add("promoted", "\(TimeText.minute(promotion.time)) UTC \(promotion.origin.words)\(before)")
        }
        return PrintableText.table(rows, leftAligned: [0, 1])
    }
}

extension Promotion.Origin {
    /// The origin of the promotion as text.
    public var words: String {
        switch self {
        case .run(let number): "by run \(number)"
        case .shadow: "after shadow mode"
        case .rollback: "by a rollback"
        case .person: "by a person"
        }
    }
}
