import CKernels
import Glibc
import Tensors

/// A linear classifier over hashed n-grams: the shortcut's table, or the early exit's.
struct NGramTable: Sendable {
    /// (buckets, C).
    let rows: StoredMatrix

    /// A line of n n-grams adds 1/√n of the sum of their rows, so that long lines don't dominate.
    static func scale(_ count: Int) -> Float { count > 0 ? 1 / Float(count).squareRoot() : 0 }

    /// Adds the scaled sum of the rows of `count` n-grams to the C `values`.
    func add(_ buckets: UnsafePointer<Int32>, count: Int, to values: UnsafeMutablePointer<Float>) {
        let labels = rows.columns
        let scale = Self.scale(count)
        switch rows {
        case .half(_, _, let table):
            us_add_rows_f16(Int32(labels), table.pointer, buckets, Int64(count), scale, values)
        case .single(let table):
            for index in 0..<count {
                let row = table.row(Int(buckets[index]))
                for label in 0..<labels { values[label] += scale * row[label] }
            }
        case .quantised(let table):
            for index in 0..<count {
                let row = Int(buckets[index])
                let factor = scale * table.scales[row]
                let bytes = table.values.pointer + row * labels
                for label in 0..<labels { values[label] += factor * Float(bytes[label]) }
            }
        }
    }
}

/// The early exit in the fast path.
struct ExitClassifier: Sendable {
    let table: NGramTable
    /// (1, C).
    let bias: Matrix
    let exit: EarlyExit
    /// The student's.
    let temperature: Float

    /// Writes the scaled logits of a line's n-grams to `values` (C); true if the line may exit with them.
    func score(_ buckets: UnsafePointer<Int32>, count: Int, into values: UnsafeMutablePointer<Float>) -> Bool {
        let labels = bias.columns
        values.update(from: bias.pointer, count: labels)
        table.add(buckets, count: count, to: values)
        var greatest = -Float.infinity
        for label in 0..<labels {
            values[label] *= exit.scale
            greatest = max(greatest, values[label])
        }
        // The greatest probability is 1 over this sum.
        let bound = 1 / exit.threshold
        var sum: Float = 0
        for label in 0..<labels {
            sum += exp((values[label] - greatest) / temperature)
            if !(sum <= bound) { return false }
        }
        return true
    }
}
