import Foundation
import GRDB

/// The table of re-distillation runs. What is asked for by SQL has a column of its own; the rest is one JSON value.
enum RunTable {
    static let columns = "number, started, finished, outcome, dry, last_row, content, seal"

    static func put(_ run: RedistillationRun, in database: Database) throws {
        let content = try encoded(run.content)
        try database.execute(
            sql: "INSERT OR REPLACE INTO run (\(columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            arguments: [
                run.number, run.started, run.finished, StoredText.bytes(run.outcome.rawValue), run.isDryRun ? 1 : 0,
                run.lastRow, content, seal(run, content: content),
            ])
    }

    /// nil where the row's seal doesn't hold.
    static func decode(_ row: Row) -> RedistillationRun? {
        guard let number = StoredNumber.integer(row, 0), let started = StoredNumber.integer(row, 1),
            let outcome = StoredText.text(row, 3).flatMap(RedistillationRun.Outcome.init(rawValue:)),
            let dry = StoredNumber.integer(row, 4), let lastRow = StoredNumber.integer(row, 5),
            let content = StoredBytes.read(row, 6, { Data($0) }),
            let decoded = try? JSONDecoder().decode(RedistillationRun.Content.self, from: content)
        else { return nil }
        var run = RedistillationRun(number: number, started: started, isDryRun: dry != 0)
        run.finished = StoredNumber.integer(row, 2)
        run.outcome = outcome
        run.lastRow = lastRow
        run.content = decoded
        return seal(run, content: content) == StoredNumber.integer(row, 7) ? run : nil
    }

    private static func encoded(_ content: RedistillationRun.Content) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return try encoder.encode(content)
    }

    private static func seal(_ run: RedistillationRun, content: Data) -> Int64 {
        var hash = RowSeal(.run)
        hash.add(run.number)
        hash.add(run.started)
        hash.add(run.finished ?? .min)
        hash.add(run.outcome.rawValue)
        hash.add(Int64(run.isDryRun ? 1 : 0))
        hash.add(run.lastRow)
        hash.add(String(decoding: content, as: UTF8.self))
        return hash.value
    }
}
