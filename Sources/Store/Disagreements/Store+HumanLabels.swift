import Diagnostics
import GRDB

extension Store {
    /// Keeps what humans say, in one transaction; each entry's outcome in the order given. A line that the log has more
    /// than once, for several models, gets the label everywhere.
    public func setHumanLabels(_ labels: [HumanLabel]) throws(UnderstudyError) -> [HumanLabel.Outcome] {
        try write { database in
            try labels.map { try Self.set($0, in: database) }
        }
    }

    /// `label` nil takes the label back.
    public func setHumanLabel(id: UInt64, label: String?) throws(UnderstudyError) -> HumanLabel.Outcome {
        try setHumanLabels([HumanLabel(id: id, label: label)]).first ?? .unknownID
    }

    private static func set(_ entry: HumanLabel, in database: Database) throws -> HumanLabel.Outcome {
        let find = try database.cachedStatement(
            sql: """
                SELECT disagreement.number, pairing.labels FROM \(DisagreementTable.tables) WHERE disagreement.id = ?
                ORDER BY disagreement.number
                """)
        let rows = try Row.fetchAll(find, arguments: [Int64(bitPattern: entry.id)])
        guard !rows.isEmpty else { return .unknownID }
        var known: [String] = []
        var isKept = false
        for row in rows {
            guard let number = StoredNumber.integer(row, 0), let labels = StoredList.texts(row, 1) else { continue }
            if let label = entry.label, !labels.contains(label) {
                known = labels
                continue
            }
            try database.cachedStatement(sql: "UPDATE disagreement SET human_label = ? WHERE number = ?")
                .execute(arguments: [entry.label.map(StoredText.bytes), number])
            isKept = true
        }
        return isKept ? .kept : .unknownLabel(known: known)
    }
}
