import GRDB
import Streams

/// The table of checkpoints: one row per file of a source, by device and inode.
enum CheckpointTable {
    static let columns = """
        source, device, inode, generation, path, offset, line, finished, unanswered, mark, size, modified, seal
        """

    /// nil if the row's seal is invalid.
    static func decode(_ row: Row) -> (checkpoint: FileCheckpoint, seal: Int64)? {
        guard let source = StoredText.text(row, 0), let device = StoredNumber.unsigned(row, 1),
            let inode = StoredNumber.unsigned(row, 2), let generation = StoredNumber.unsigned(row, 3),
            let path = StoredText.text(row, 4), let offset = StoredNumber.unsigned(row, 5),
            let line = StoredNumber.unsigned(row, 6), let finished = StoredNumber.integer(row, 7),
            let unanswered = StoredList.numbers(row, 8), let mark = StoredNumber.unsigned(row, 9),
            let size = StoredNumber.unsigned(row, 10), let modified = StoredNumber.integer(row, 11),
            let seal = StoredNumber.integer(row, 12)
        else { return nil }
        let checkpoint = FileCheckpoint(
            source: source, path: path, file: FileIdentity(device: device, inode: inode, generation: generation),
            offset: offset, line: line, isFinished: finished != 0, unanswered: unanswered, mark: mark, size: size,
            modified: modified)
        return self.seal(checkpoint) == seal ? (checkpoint, seal) : nil
    }

    /// Stores a checkpoint unless the table has a later generation of that file.
    static func put(_ checkpoint: FileCheckpoint, in database: Database, total: inout TotalSeal) throws {
        if let known = try find(checkpoint.source, checkpoint.file, in: database) {
            guard known.generation <= checkpoint.file.generation else { return }
            total.remove(known.seal)
        }
        let seal = seal(checkpoint)
        try database.cachedStatement(
            sql: "INSERT OR REPLACE INTO checkpoint (\(columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        ).execute(arguments: [
            StoredText.bytes(checkpoint.source), Int64(bitPattern: checkpoint.file.device),
            Int64(bitPattern: checkpoint.file.inode), Int64(bitPattern: checkpoint.file.generation),
            StoredText.bytes(checkpoint.path), Int64(bitPattern: checkpoint.offset),
            Int64(bitPattern: checkpoint.line), checkpoint.isFinished ? 1 : 0,
            StoredList.bytes(checkpoint.unanswered), Int64(bitPattern: checkpoint.mark),
            Int64(bitPattern: checkpoint.size), checkpoint.modified, seal,
        ])
        total.add(seal)
    }

    /// Removes a checkpoint unless it is of a later generation.
    static func forget(_ file: ForgottenFile, in database: Database, total: inout TotalSeal) throws {
        guard let known = try find(file.source, file.file, in: database), known.generation <= file.file.generation
        else { return }
        try database.cachedStatement(sql: "DELETE FROM checkpoint WHERE source = ? AND device = ? AND inode = ?")
            .execute(arguments: key(file.source, file.file))
        total.remove(known.seal)
    }

    private static func find(
        _ source: String, _ file: FileIdentity, in database: Database
    ) throws -> (generation: UInt64, seal: Int64)? {
        let statement = try database.cachedStatement(
            sql: "SELECT generation, seal FROM checkpoint WHERE source = ? AND device = ? AND inode = ?")
        guard let row = try Row.fetchOne(statement, arguments: key(source, file)) else { return nil }
        guard let generation = StoredNumber.unsigned(row, 0), let seal = StoredNumber.integer(row, 1) else {
            throw StoreDamage(reason: "a checkpoint is malformed")
        }
        return (generation, seal)
    }

    private static func key(_ source: String, _ file: FileIdentity) -> StatementArguments {
        [StoredText.bytes(source), Int64(bitPattern: file.device), Int64(bitPattern: file.inode)]
    }

    private static func seal(_ checkpoint: FileCheckpoint) -> Int64 {
        var hash = RowSeal(.checkpoint)
        hash.add(checkpoint.source)
        hash.add(checkpoint.file.device)
        hash.add(checkpoint.file.inode)
        hash.add(checkpoint.file.generation)
        hash.add(checkpoint.path)
        hash.add(checkpoint.offset)
        hash.add(checkpoint.line)
        hash.add(UInt64(checkpoint.isFinished ? 1 : 0))
        hash.add(checkpoint.unanswered)
        hash.add(checkpoint.mark)
        hash.add(checkpoint.size)
        hash.add(checkpoint.modified)
        return hash.value
    }
}
