import Diagnostics
import Streams

/// Takes a file of human labels into the log: what is right is kept, what is wrong is told by its line.
public struct HumanLabelImport {
    /// Labels kept.
    public private(set) var kept = 0
    /// Lines that couldn't be used.
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

    /// Lines taken in one transaction.
    private static let batch = 256

    /// `place` is the file's name in what `refuse` gets, each with its line's number.
    public init(into store: Store, place: String, refuse: @escaping (UnderstudyError) -> Void) {
        self.store = store
        self.place = place
        self.refuse = refuse
    }

    /// Takes the next line, which is without its end.
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

    /// Keeps what was taken last.
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
            refuse("the models don't know the label \(label); they know \(names)", at: line)
        }
    }

    private mutating func refuse(_ reason: String, at line: Int) {
        refused += 1
        refuse(UnderstudyError(.invalidData, reason, at: "\(place):\(line)"))
    }
}
