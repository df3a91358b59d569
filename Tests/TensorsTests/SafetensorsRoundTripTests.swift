import Diagnostics
import Foundation
import Tensors
import TestSupport
import Testing

/// What the writer writes, the reader reads back.
@Suite struct SafetensorsRoundTripTests {
    let matrix = Matrix(rows: 2, columns: 3, values: [0, -1.5, 0.25, 3, 65504, -0.125] as [Float])

    private func roundTrip(_ type: StoredType) throws -> Matrix {
        let folder = try TemporaryFolder()
        var writer = SafetensorsWriter(metadata: ["format": "pt"])
        writer.add("x", matrix, shape: [2, 3], as: type)
        try writer.write(to: folder.file("a.safetensors"))
        let file = try SafetensorsFile(path: folder.file("a.safetensors"))
        #expect(file.metadata == ["format": "pt"])
        #expect(try file.shape(of: "x") == [2, 3])
        #expect(try file.storedType(of: "x") == type)
        return try file.matrix("x", rows: 2, columns: 3)
    }

    @Test func f32KeepsEveryBit() throws {
        #expect(try roundTrip(.f32).storage.array == matrix.storage.array)
    }

    @Test func f16KeepsWhatItCanHold() throws {
        #expect(try roundTrip(.f16).storage.array == matrix.storage.array)
    }

    @Test func bf16RoundsToEightBits() throws {
        #expect(try roundTrip(.bf16).storage.array == [0, -1.5, 0.25, 3, 65536, -0.125])
    }

    @Test func i8IsWithinHalfAStepOfEachRow() throws {
        let read = try roundTrip(.i8)
        for row in 0..<2 {
            let greatest = (0..<3).map { abs(matrix.row(row)[$0]) }.max() ?? 0
            for column in 0..<3 {
                #expect(abs(read.row(row)[column] - matrix.row(row)[column]) <= greatest / 254 * 1.0001)
            }
        }
    }

    @Test func vectorsScalarsAndEmptyTensors() throws {
        let folder = try TemporaryFolder()
        var writer = SafetensorsWriter()
        writer.add("half", Matrix(rows: 1, columns: 1, values: [2.0]), shape: [1], as: .f16)
        writer.add("bias", Matrix(rows: 1, columns: 3, values: [1, 2, 3] as [Float]), shape: [3], as: .i8)
        writer.add("none", Matrix(rows: 0, columns: 4), shape: [0, 4], as: .i8)
        writer.add("scalar", Matrix(rows: 1, columns: 1, values: [7]), shape: [], as: .f32)
        writer.add("ids", bytes: [1, 0, 0, 0, 0, 0, 0, 0], shape: [1], as: .i64)
        try writer.write(to: folder.file("a.safetensors"))
        let file = try SafetensorsFile(path: folder.file("a.safetensors"))
        #expect(Set(file.names) == ["half", "bias", "bias.scale", "none", "none.scale", "scalar", "ids"])
        #expect(try file.vector("half", count: 1).storage.array == [2])
        let bias = try file.vector("bias", count: 3).storage.array
        #expect(zip(bias, [1, 2, 3] as [Float]).allSatisfy { abs($0 - $1) < 0.02 })
        #expect(try file.matrix("none", rows: 0, columns: 4).count == 0)
        #expect(try file.shape(of: "scalar") == [])
        #expect(try file.withBytes(of: "ids") { Array($0) } == [1, 0, 0, 0, 0, 0, 0, 0])
    }
}
