/// What the database says can't be true: it was damaged behind SQLite's back.
struct StoreDamage: Error {
    /// A clause, e.g. `a row of the table checkpoint has changed`.
    let reason: String
}
