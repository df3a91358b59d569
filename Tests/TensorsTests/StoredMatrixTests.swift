import CKernels
import Tensors
import Testing

@Suite struct StoredMatrixTests {
    private static func random(rows: Int, columns: Int, seed: UInt64) -> Matrix {
        var generator = SeededGenerator(seed: seed)
        return Matrix(
            rows: rows, columns: columns,
            values: (0..<rows * columns).map { _ in Float(generator.next(below: 2001)) / 500 - 2 })
    }

    private static func read(_ stored: StoredMatrix, first: Int, count: Int) -> [Float] {
        [Float](unsafeUninitializedCapacity: count * stored.columns) { out, filled in
            if let base = out.baseAddress { stored.read(first: first, count: count, into: base) }
            filled = count * stored.columns
        }
    }

    @Test(arguments: [(1, 1), (3, 7), (5, 16), (9, 33), (4, 100)])
    func rowsReadAsWhatTheyStandFor(shape: (rows: Int, columns: Int)) {
        let matrix = Self.random(rows: shape.rows, columns: shape.columns, seed: 1)
        let halves = AlignedBuffer(matrix.storage.array.map { HalfPrecision.f16($0) })
        let quantised = QuantisedMatrix(matrix)
        let first = shape.rows / 3
        let count = shape.rows - first
        func rows(_ matrix: Matrix) -> [Float] { Array(matrix.storage.array[(first * shape.columns)...]) }

        #expect(Self.read(.single(matrix), first: first, count: count) == rows(matrix))
        let half = StoredMatrix.half(rows: shape.rows, columns: shape.columns, halves)
        let expected = halves.array[(first * shape.columns)...].map { HalfPrecision.single(fromF16: $0) }
        #expect(Self.read(half, first: first, count: count) == expected)
        #expect(Self.read(.quantised(quantised), first: first, count: count) == rows(quantised.dequantised()))
    }

    @Test func stackedMatricesKeepTheirRows() {
        let parts = [1, 4, 2].map { QuantisedMatrix(Self.random(rows: $0, columns: 5, seed: UInt64($0))) }
        let stacked = QuantisedMatrix(stacking: parts)
        #expect(stacked.rows == 7)
        #expect(stacked.dequantised().storage.array == parts.flatMap { $0.dequantised().storage.array })
    }

    @Test(arguments: [1, 5, 16, 21])
    func rowsOfHalvesAreSummed(columns: Int) {
        let matrix = Self.random(rows: 12, columns: columns, seed: 3)
        let halves = AlignedBuffer(matrix.storage.array.map { HalfPrecision.f16($0) })
        let rows: [Int32] = [3, 0, 11, 3, 7]
        var sums = [Float](repeating: 1, count: columns)
        us_add_rows_f16(Int32(columns), halves.pointer, rows, Int64(rows.count), 0.5, &sums)
        for column in 0..<columns {
            let expected = rows.reduce(Float(1)) {
                $0 + 0.5 * HalfPrecision.single(fromF16: halves[Int($1) * columns + column])
            }
            #expect(abs(sums[column] - expected) < 1e-5)
        }
    }

    @Test(arguments: [1, 15, 50, 128])
    func aProjectionIsTheProductAndTheBias(inputs: Int) {
        defer { us_force_level(us_best_level()) }
        let outputs = 3 * Int(US_PROJECTION_BLOCK)
        let transposed = Self.random(rows: inputs, columns: outputs, seed: 4)
        let bias = Self.random(rows: 1, columns: outputs, seed: 5)
        let x = Self.random(rows: 1, columns: inputs, seed: 6)
        for level in [US_PORTABLE, US_AVX2, US_AVXVNNI, US_AVX512] {
            us_force_level(Int32(level.rawValue))
            var out = [Float](repeating: .nan, count: outputs)
            us_project(Int32(outputs), Int32(inputs), transposed.pointer, bias.pointer, x.pointer, &out)
            for output in 0..<outputs {
                let expected = (0..<inputs).reduce(Double(bias.pointer[output])) {
                    $0 + Double(transposed.row($1)[output]) * Double(x.pointer[$1])
                }
                #expect(abs(Double(out[output]) - expected) < 1e-4)
            }
        }
    }

    @Test func largeBuffersStartAsZeros() {
        let buffer = AlignedBuffer<UInt16>(zeros: 3 << 20)
        #expect(Int(bitPattern: buffer.pointer) % 64 == 0)
        #expect(buffer.array.allSatisfy { $0 == 0 })
    }
}
