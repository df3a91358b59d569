import GRDB

/// The tables of a database, and the migrations from older schemas.
package struct StoreSchema: Sendable {
    /// The number of migrations.
    package var number: Int64
    /// The first release that supports it.
    package var release: String

    package init(number: Int64, release: String) {
        self.number = number
        self.release = release
    }

    /// The schema of this program. A later one adds a migration below and raises the number.
    package static let current = StoreSchema(number: 3, release: "0.6")

    /// Free text is stored as bytes: SQLite's text ends at a NUL, and lines may hold one. Unsigned 64-bit numbers are
    /// stored by their bits. Times are microseconds since 1970.
    static let migrator: DatabaseMigrator = {
        var migrator = DatabaseMigrator().disablingDeferredForeignKeyChecks()
        migrator.registerMigration("1") { database in
            try database.execute(
                sql: """
                    CREATE TABLE schema (
                        one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL, release BLOB NOT NULL,
                        seal INTEGER NOT NULL);
                    CREATE TABLE checkpoint (
                        source BLOB NOT NULL, device INTEGER NOT NULL, inode INTEGER NOT NULL,
                        generation INTEGER NOT NULL, path BLOB NOT NULL, offset INTEGER NOT NULL, line INTEGER NOT NULL,
                        finished INTEGER NOT NULL, unanswered BLOB NOT NULL, mark INTEGER NOT NULL,
                        size INTEGER NOT NULL, modified INTEGER NOT NULL, seal INTEGER NOT NULL,
                        PRIMARY KEY (source, device, inode)) WITHOUT ROWID;
                    CREATE TABLE sink (
                        device INTEGER NOT NULL, inode INTEGER NOT NULL, sink BLOB NOT NULL, path BLOB NOT NULL,
                        length INTEGER NOT NULL, seal INTEGER NOT NULL,
                        PRIMARY KEY (device, inode)) WITHOUT ROWID;
                    CREATE TABLE total (
                        one INTEGER PRIMARY KEY CHECK (one = 1), rows INTEGER NOT NULL, sum INTEGER NOT NULL,
                        seal INTEGER NOT NULL);
                    CREATE TABLE pairing (
                        number INTEGER PRIMARY KEY, student BLOB NOT NULL, teacher BLOB NOT NULL, labels BLOB NOT NULL,
                        UNIQUE (student, teacher, labels));
                    CREATE TABLE disagreement (
                        number INTEGER PRIMARY KEY, id INTEGER NOT NULL, pairing INTEGER NOT NULL,
                        time INTEGER NOT NULL, reason INTEGER NOT NULL, agreed INTEGER NOT NULL, source BLOB NOT NULL,
                        text BLOB NOT NULL, student_label BLOB NOT NULL, teacher_label BLOB NOT NULL,
                        student_confidence REAL, teacher_confidence REAL, student_logits BLOB NOT NULL,
                        teacher_logits BLOB NOT NULL, seal INTEGER NOT NULL, human_label BLOB,
                        UNIQUE (id, pairing));
                    CREATE INDEX disagreement_time ON disagreement (time);
                    CREATE INDEX disagreement_audit ON disagreement (time, agreed) WHERE reason = 1;
                    """)
            try TotalSeal().write(to: database)
        }
        // Runs of re-distillation; rows also store the fingerprint of their teacher's weights, not only its name.
        migrator.registerMigration("2") { database in
            try database.execute(
                sql: """
                    CREATE TABLE run (
                        number INTEGER PRIMARY KEY AUTOINCREMENT, started INTEGER NOT NULL, finished INTEGER,
                        outcome BLOB NOT NULL, dry INTEGER NOT NULL, last_row INTEGER NOT NULL, content BLOB NOT NULL,
                        seal INTEGER NOT NULL);
                    CREATE TABLE pairing_2 (
                        number INTEGER PRIMARY KEY, student BLOB NOT NULL, teacher BLOB NOT NULL, labels BLOB NOT NULL,
                        teacher_fingerprint BLOB NOT NULL,
                        UNIQUE (student, teacher, labels, teacher_fingerprint));
                    INSERT INTO pairing_2 SELECT number, student, teacher, labels, x'' FROM pairing;
                    DROP TABLE pairing;
                    ALTER TABLE pairing_2 RENAME TO pairing;
                    CREATE INDEX disagreement_pairing ON disagreement (pairing, number) WHERE reason = 1;
                    """)
        }
        // Output files are also identified by their birth time and a hash of their content.
        migrator.registerMigration("3") { database in
            try database.execute(
                sql: """
                    ALTER TABLE sink ADD COLUMN born INTEGER NOT NULL DEFAULT 0;
                    ALTER TABLE sink ADD COLUMN mark INTEGER NOT NULL DEFAULT 0;
                    ALTER TABLE sink ADD COLUMN settled INTEGER NOT NULL DEFAULT 0;
                    """)
        }
        return migrator
    }()

    /// The tables whose pages are checked at every start.
    static let vitalTables = ["schema", "checkpoint", "sink", "total"]

    /// Records the schema in the database.
    func write(to database: Database) throws {
        try database.execute(
            sql: "INSERT OR REPLACE INTO schema (one, number, release, seal) VALUES (1, ?, ?, ?)",
            arguments: [number, StoredText.bytes(release), seal])
    }

    /// The schema recorded in the database.
    ///
    /// Throws `StoreDamage` if the record is invalid: a flipped bit must not pass for the schema of a newer program.
    static func read(from database: Database) throws -> StoreSchema {
        guard let row = try Row.fetchOne(database, sql: "SELECT number, release, seal FROM schema"),
            let number = StoredNumber.integer(row, 0), let release = StoredText.text(row, 1)
        else { throw StoreDamage(reason: "its schema version is missing") }
        let schema = StoreSchema(number: number, release: release)
        guard schema.seal == StoredNumber.integer(row, 2) else {
            throw StoreDamage(reason: "its schema version has changed")
        }
        return schema
    }

    /// Compares the tables, indices, views and triggers of a database with those that the migrations up to `number`
    /// create.
    ///
    /// Throws `StoreDamage` if one is missing, changed or foreign: a view in place of a table, or a trigger, would make
    /// later commits fail or change the committed data.
    static func check(_ database: Database, number: Int64) throws {
        let model = try DatabaseQueue()
        let last = migrator.migrations[Int(min(max(1, number), Int64(migrator.migrations.count))) - 1]
        try migrator.migrate(model, upTo: last)
        let wanted = try model.read(parts)
        let found = try parts(database)
        if let part = Set(found.keys).symmetricDifference(wanted.keys).min() {
            throw StoreDamage(reason: "\(part) \(found[part] == nil ? "is missing" : "isn't this program's")")
        }
        if let part = found.keys.sorted().first(where: { found[$0] != wanted[$0] }) {
            throw StoreDamage(reason: "\(part) has changed")
        }
        try model.close()
    }

    /// `table sink` and so on, with the normalised statement that creates it.
    private static func parts(_ database: Database) throws -> [String: String] {
        var parts: [String: String] = [:]
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT CAST(type || ' ' || name AS BLOB), CAST(coalesce(sql, '') AS BLOB) FROM sqlite_master
                WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
                """)
        while let row = try rows.next() {
            guard let part = StoredText.text(row, 0), let sql = StoredText.text(row, 1) else {
                throw StoreDamage(reason: "its list of tables is malformed")
            }
            parts[part] = String(sql.filter { !$0.isWhitespace && $0 != "\"" })
        }
        return parts
    }

    private var seal: Int64 {
        var hash = RowSeal(.schema)
        hash.add(number)
        hash.add(release)
        return hash.value
    }
}
