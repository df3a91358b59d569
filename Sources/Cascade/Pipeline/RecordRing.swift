import Streams

/// A queue of records with a fixed capacity. Guarded by the board's lock.
struct RecordRing: Sendable {
    private var storage: [Record]
    private var head = 0
    private(set) var count = 0

    init(capacity: Int) {
        storage = Array(
            repeating: Record(offset: 0, number: 0, start: 0, length: 0, chunk: 0), count: max(capacity, 1))
    }

    var room: Int { storage.count - count }

    /// Appends `records`, which must fit.
    mutating func push(_ records: ArraySlice<Record>) {
        precondition(records.count <= room)
        var place = head + count
        for record in records {
            if place >= storage.count { place -= storage.count }
            storage[place] = record
            place += 1
        }
        count += records.count
    }

    /// Moves records from the front to `taken`: at most `lines`, all of one chunk and one origin, and no more than
    /// `bytes` of text unless a single line is longer.
    mutating func pop(lines: Int, bytes: Int, into taken: inout [Record]) {
        var sum = 0
        var moved = 0
        while moved < min(lines, count) {
            let place = head + moved < storage.count ? head + moved : head + moved - storage.count
            let record = storage[place]
            if moved > 0 {
                let isOther = record.chunk != taken[0].chunk || record.origin != taken[0].origin
                if isOther || sum + record.keptLength > bytes { break }
            }
            sum += record.keptLength
            taken.append(record)
            moved += 1
        }
        head = (head + moved) % storage.count
        count -= moved
    }
}
