/// Collects the distinct rows of a table that a batch touches, in the order of first sight.
struct TouchedRows {
    private(set) var rows: [Int32] = []
    private var stamps: [Int32]
    private var stamp: Int32 = 0

    init(tableRows: Int) {
        stamps = Array(repeating: 0, count: tableRows)
    }

    mutating func begin() {
        rows.removeAll(keepingCapacity: true)
        stamp += 1
    }

    mutating func insert(_ ids: [Int32]) {
        for id in ids where stamps[Int(id)] != stamp {
            stamps[Int(id)] = stamp
            rows.append(id)
        }
    }
}
