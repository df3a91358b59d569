import Diagnostics
import Foundation
import Tensors
import Testing

/// Files that Python's safetensors wrote.
@Suite struct SafetensorsGoldenTests {
    private let file: SafetensorsFile
    private let ramp = (0..<15).map { Float($0 - 7) / 16 }

    init() throws { file = try SafetensorsFile(path: golden("every-type.safetensors")) }

    @Test func listsNamesTypesAndMetadata() throws {
        #expect(file.names.count == 16)
        #expect(file.metadata == ["format": "pt", "made by": "Python"])
        let types: [(String, StoredType)] = [
            ("f64", .f64), ("i64", .i64), ("i32", .i32), ("i16", .i16), ("u8", .u8), ("bool", .bool),
            ("f8_e4m3", .f8e4m3), ("f8_e5m2", .f8e5m2), ("f32", .f32), ("f16", .f16), ("bf16", .bf16), ("i8", .i8),
        ]
        for (name, type) in types { #expect(try file.storedType(of: name) == type) }
        #expect(try file.shape(of: "f64") == [3, 2])
        #expect(try file.shape(of: "scalar") == [])
        #expect(try file.shape(of: "empty") == [0, 4])
    }

    @Test(arguments: ["f32", "f16", "bf16"])
    func readsAsSingle(name: String) throws {
        #expect(try file.matrix(name, rows: 5, columns: 3).storage.array == ramp)
    }

    @Test func readsScaledBytes() throws {
        #expect(try file.matrix("i8", rows: 2, columns: 3).storage.array == [63.5, -63.5, 0, 0.25, -0.5, 0.75])
        let stored = try file.quantised("i8", rows: 2, columns: 3)
        #expect(stored.values.array == [127, -127, 0, 1, -2, 3])
        #expect(stored.scales.array == [0.5, 0.25])
        #expect(try file.vector("名字", count: 2).storage.array == [1, 2])
    }

    @Test func namesFileTensorAndCause() {
        func message(_ body: () throws -> Void) -> String {
            do { try body() } catch { return "\(error)" }
            return "no error"
        }
        let path = file.path
        #expect(
            message { _ = try file.matrix("f32", rows: 3, columns: 5) }
                == "\(path): tensor \"f32\": its shape is [5, 3], but [3, 5] is needed")
        #expect(
            message { _ = try file.vector("f32", count: 15) }
                == "\(path): tensor \"f32\": its shape is [5, 3], but [15] is needed")
        #expect(message { _ = try file.shape(of: "x\n") } == "\(path): tensor \"x\\n\": it is missing from the file")
        #expect(
            message { _ = try file.matrix("i64", rows: 3, columns: 2) }
                == "\(path): tensor \"i64\": it is stored as I64; F32, F16, BF16 or I8 is needed")
        #expect(
            message { _ = try file.quantised("f32", rows: 5, columns: 3) }
                == "\(path): tensor \"f32\": it is stored as F32, but I8 is needed")
    }

    @Test func aMissingFileIsMissingInput() throws {
        for path in ["/nowhere/model.safetensors", "/tmp", "/dev/null"] {
            let error = try #require(throws: UnderstudyError.self) { try SafetensorsFile(path: path) }
            #expect(error.code == .missingInput)
            #expect(error.place == path)
        }
    }
}
