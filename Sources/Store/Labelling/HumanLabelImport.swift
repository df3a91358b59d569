import Bytes
import Diagnostics
import Streams

/// Imports a file of human labels into the log: valid lines are stored, invalid ones are reported by line number.
public struct HumanLabelImport {
    /// The number of labels stored.
    public private(set) var kept = 0
    /// The number of invalid lines.
    public private(set) var refused = 0

    private let store: Store
    private let place: String
    private let refuse: (UnderstudyError) -> Void
    private let reader = HumanLabelReader()
    private var waiting: [(line: Int, entry: Entry)] = []
    private var line = 0

    private enum Entry {
        case label(HumanLabel)
        case problem(String)
    }

    /// Lines per transaction.
    private static let batch = 256

    /// `place` is the file's name in the errors passed to `refuse`, each with its line number.
    public init(into store: Store, place: String, refuse: @escaping (UnderstudyError) -> Void) {
        self.store = store
        self.place = place
        self.refuse = refuse
    }

    /// Processes the next line, given without its line end.
    public mutating func take(_ bytes: UnsafeBufferPointer<UInt8>) throws(UnderstudyError) {
        line += 1
        do throws(HumanLabelReader.Problem) {
            guard let label = try reader.read(bytes) else { return }
            waiting.append((line, .label(label)))
        } catch {
            waiting.append((line, .problem(error.reason)))
        }
        if waiting.count >= Self.batch { try keep() }
    }

    /// Stores the last lines.
    public mutating func finish() throws(UnderstudyError) {
        try keep()
    }

    private mutating func keep() throws(UnderstudyError) {
        let labels = waiting.compactMap { if case .label(let label) = $0.entry { label } else { nil } }
        var outcomes = try labels.isEmpty ? [][...] : store.setHumanLabels(labels)[...]
        for (line, entry) in waiting {
            switch entry {
            case .problem(let reason): refuse(reason, at: line)
            case .label(let label): settle(label, outcomes.popFirst() ?? .unknownID, line)
            }
        }
        waiting.removeAll(keepingCapacity: true)
    }

    private mutating func settle(_ entry: HumanLabel, _ outcome: HumanLabel.Outcome, _ line: Int) {
        switch outcome {
        case .kept: kept += 1
        case .unknownID:
            refuse("the log has no line with the id \(DisagreementListing.identifier(entry.id))", at: line)
        case .unknownLabel(let known):
            let names = known.map(HumanLabelReader.shown).joined(separator: ", ")
            let label = HumanLabelReader.shown(entry.label ?? "")
            refuse("the models don't have the label \(label); they have \(names)", at: line)
        }
    }

    private mutating func refuse(_ reason: String, at line: Int) {
        refused += 1
        refuse(UnderstudyError(.invalidData, reason, at: "\(place):\(line)"))
    }
}

/// Reads human labels from JSON Lines of `{"id":"…","label":"…"}`; other fields are ignored.
public struct HumanLabelReader {
    /// Why a line is invalid.
    public struct Problem: Error, Sendable, Equatable {
        /// A clause for the error message.
        public let reason: String
    }

    private let idField = JSONFields(field: "id")
    private let labelField = JSONFields(field: "label")
    private let value = ByteBuffer()
    private let rest = ByteBuffer()

    public init() {}

    /// nil for an empty line. `line` excludes its line end.
    public func read(_ line: UnsafeBufferPointer<UInt8>) throws(Problem) -> HumanLabel? {
        guard !line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) else { return nil }
        let digits = try field("id", idField, line)
        guard (1...16).contains(digits.count), let id = UInt64(digits, radix: 16), !digits.hasPrefix("+") else {
            throw Problem(reason: "the id \(Self.shown(digits)) isn't a number of up to 16 hexadecimal digits")
        }
        return HumanLabel(id: id, label: try field("label", labelField, line))
    }

    private func field(
        _ name: String, _ reader: JSONFields, _ line: UnsafeBufferPointer<UInt8>
    ) throws(Problem) -> String {
        value.removeAll()
        rest.removeAll()
        if let flaw = reader.read(line, text: value, passed: rest) { throw Problem(reason: flaw.reason(field: name)) }
        guard let text = String(validating: value.bytes, as: UTF8.self) else {
            throw Problem(reason: "the field '\(name)' isn't UTF-8")
        }
        return text
    }

    static func shown(_ text: String) -> String {
        "'" + PrintableText.escaped(PrintableText.cut(text, columns: 60)) + "'"
    }
}
