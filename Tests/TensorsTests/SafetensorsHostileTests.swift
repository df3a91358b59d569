import Diagnostics
import Foundation
import Tensors
import TestSupport
import Testing

/// Files made to break a reader: every one must be refused by a sentence, or be read.
@Suite struct SafetensorsHostileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func file(header: String, data: Int = 0, statedLength: UInt64? = nil) -> [UInt8] {
        let length = statedLength ?? UInt64(header.utf8.count)
        return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + Array(header.utf8)
            + [UInt8](repeating: 0, count: data)
    }

    private func refusal(_ bytes: [UInt8]) throws -> UnderstudyError {
        let path = try folder.write(bytes, to: "hostile.safetensors")
        let error = try #require(throws: UnderstudyError.self) { try SafetensorsFile(path: path) }
        #expect(error.code == .invalidData)
        #expect(error.place == path)
        return error
    }

    /// Opens the file and reads every tensor in every way; only errors as values may come out.
    private func tryAll(_ bytes: [UInt8]) throws -> Bool {
        let path = try folder.write(bytes, to: "mutant.safetensors")
        do throws(UnderstudyError) {
            let file = try SafetensorsFile(path: path)
            for name in file.names {
                let shape = try file.shape(of: name)
                if shape.count == 1 { _ = try file.vector(name, count: shape[0]) }
                if shape.count == 2 { _ = try file.matrix(name, rows: shape[0], columns: shape[1]) }
                _ = try file.withBytes(of: name) { $0.reduce(0) { $0 &+ Int($1) } }
            }
            return true
        } catch {
            #expect(error.code == .invalidData)
            #expect(error.place == path)
            #expect(!error.message.contains("\n"))
            return false
        }
    }

    @Test(arguments: [
        (
            #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
            8, #"the data of tensor "b" overlaps another tensor's"#
        ),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8, #"4 bytes before tensor "a" belong to none"#),
        (
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 8,
            "4 bytes at the end of the file belong to no tensor"
        ),
        (
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 3,
            #"tensor "a": its data ends at byte 4 of 3; truncated file or wrong header"#
        ),
        (
            #"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#, 8,
            #"tensor "a": it has 8 bytes, but F32 [3] needs 12"#
        ),
        (
            #"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,8]}}"#, 8,
            #"tensor "a": shape is missing or not an array of whole numbers from 0"#
        ),
        (
            #"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#, 0,
            #"tensor "a": the shape [4294967296, 4294967296] is too large"#
        ),
        (
            #"{"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}}"#, 0,
            #"tensor "a": the shape [4611686018427387904] is too large"#
        ),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[8,4]}}"#, 8, #"tensor "a": its data ends before it starts"#),
        (
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,18446744073709551616]}}"#, 8,
            #"tensor "a": data_offsets is missing or not an array of two whole numbers from 0"#
        ),
        (#"{"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}"#, 4, #"tensor "a": the dtype "F31" is not known"#),
        (#"{"a":{"shape":[1],"data_offsets":[0,4]}}"#, 4, #"tensor "a": dtype is missing or not a string"#),
        (
            #"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":1}}"#, 0,
            #"tensor "a": its entry has the unknown key "x""#
        ),
        (
            #"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#,
            0, #"the header is not valid JSON at byte 53: the key "a" is repeated"#
        ),
        (#"{"a":[]}"#, 0, #"tensor "a": its entry is not a JSON object"#),
        (#"{"__metadata__":{"a":1}}"#, 0, #"the value of "a" in __metadata__ is not a string"#),
        (#"{"__metadata__":[]}"#, 0, "__metadata__ is not a JSON object"),
        (#" {}"#, 0, "the header doesn't start with an opening brace; this is not a safetensors file"),
        (#"[]"#, 0, "the header doesn't start with an opening brace; this is not a safetensors file"),
        ("", 0, "the header doesn't start with an opening brace; this is not a safetensors file"),
        (#"{"a":"#, 0, "the header is not valid JSON at byte 5: unexpected end of the document"),
        ("{}\0", 0, "the header is not valid JSON at byte 2: unexpected text after the document"),
    ])
    func saysWhatIsWrong(header: String, data: Int, message: String) throws {
        #expect(try refusal(file(header: header, data: data)).message == message)
    }

    @Test(arguments: [UInt64.max, 1 << 63, 1 << 32, 100_000_001, 3])
    func refusesHeaderLengths(length: UInt64) throws {
        _ = try refusal(file(header: "{}", statedLength: length))
    }

    @Test func refusesShortFilesAndBadUTF8() throws {
        for count in 0..<8 { _ = try refusal([UInt8](repeating: 0, count: count)) }
        var bytes = file(header: #"{"ab":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#)
        bytes[10] = 0xc3
        #expect(try refusal(bytes).message == "the header is not valid JSON at byte 1: a string is not UTF-8")
    }

    @Test func takesThePaddedAndTheEmpty() throws {
        for header in ["{}", "{}      ", #"{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}"#] {
            #expect(try tryAll(file(header: header)))
        }
    }

    @Test func deepNestingIsNoStackOverflow() throws {
        let deep = "{\"a\":" + String(repeating: "[", count: 1_000_000)
        #expect(try refusal(file(header: deep)).message.hasSuffix("values are nested too deeply"))
    }

    @Test(arguments: [StoredType.f32, .f16, .bf16])
    func refusesNumbersThatAreNot(type: StoredType) throws {
        for pattern: UInt16 in [0x7fff, 0xff80, 0xffc0] {
            let bytes = (0..<2 * type.byteCount).map { index in
                index < type.byteCount ? 0 : UInt8(truncatingIfNeeded: pattern >> (8 * (index % 2)))
            }
            var writer = SafetensorsWriter()
            writer.add("w", bytes: bytes, shape: [2], as: type)
            try writer.write(to: folder.file("nan.safetensors"))
            let file = try SafetensorsFile(path: folder.file("nan.safetensors"))
            let error = try #require(throws: UnderstudyError.self) { try file.vector("w", count: 2) }
            #expect(error.code == .invalidData)
            #expect(error.message.hasPrefix("tensor \"w\": value 1 is "))
        }
    }

    @Test func refusesBadScales() throws {
        func read(_ add: (inout SafetensorsWriter) -> Void) throws {
            var writer = SafetensorsWriter()
            writer.add("w", bytes: [1, 2, 3, 4], shape: [2, 2], as: .i8)
            add(&writer)
            try writer.write(to: folder.file("i8.safetensors"))
            let file = try SafetensorsFile(path: folder.file("i8.safetensors"))
            let error = try #require(throws: UnderstudyError.self) { try file.matrix("w", rows: 2, columns: 2) }
            #expect(error.code == .invalidData)
        }
        let huge = Matrix(rows: 1, columns: 2, values: [1, .greatestFiniteMagnitude])
        try read { _ in }
        try read { $0.add("w.scale", Matrix(rows: 1, columns: 3), shape: [3], as: .f32) }
        try read { $0.add("w.scale", Matrix(rows: 1, columns: 2), shape: [2], as: .f16) }
        try read { $0.add("w.scale", huge, shape: [2], as: .f32) }
        try read { $0.add("w.scale", bytes: [0, 0, 128, 127, 0, 0, 0, 0], shape: [2], as: .f32) }
    }

    @Test func aFileCutWhileItIsOpenIsAnError() throws {
        var writer = SafetensorsWriter()
        writer.add("w", Matrix(rows: 4096, columns: 4), shape: [4096, 4], as: .f32)
        try writer.write(to: folder.file("w.safetensors"))
        let file = try SafetensorsFile(path: folder.file("w.safetensors"))
        try #require(FileHandle(forWritingAtPath: folder.file("w.safetensors"))).truncate(atOffset: 100)
        let error = try #require(throws: UnderstudyError.self) { try file.matrix("w", rows: 4096, columns: 4) }
        #expect(error.code == .inputOutput)
    }

    @Test func cutAnywhere() throws {
        let whole = Array(try #require(FileManager.default.contents(atPath: golden("every-type.safetensors"))))
        for length in stride(from: 0, to: whole.count, by: 16) { #expect(try !tryAll(Array(whole[..<length]))) }
        #expect(try !tryAll(whole + [0]))
    }

    /// A file of the types that are read as matrices.
    private func readable() throws -> [UInt8] {
        var writer = SafetensorsWriter(metadata: ["format": "pt"])
        let matrix = Matrix(rows: 2, columns: 3, values: [1, -2, 3, 0.5, 0, 100] as [Float])
        for type in [StoredType.f32, .f16, .bf16, .i8] {
            writer.add("weight.\(type)", matrix, shape: [2, 3], as: type)
            writer.add("bias.\(type)", matrix, shape: [6], as: type)
        }
        try writer.write(to: folder.file("readable.safetensors"))
        return Array(try #require(FileManager.default.contents(atPath: folder.file("readable.safetensors"))))
    }

    @Test func changedAnywhere() throws {
        let golden = Array(try #require(FileManager.default.contents(atPath: golden("every-type.safetensors"))))
        let readable = try readable()
        #expect(try tryAll(readable))
        var random = SplitMix(seed: 20_240_917)
        var taken = 0
        for round in 0..<4000 {
            var mutant = round % 4 == 0 ? golden : readable
            for _ in 0...Int(random.next() % 3) {
                let position = Int(random.next() % UInt64(mutant.count))
                switch random.next() % 4 {
                case 0: mutant[position] = UInt8(truncatingIfNeeded: random.next())
                case 1: mutant[position] ^= 1 << UInt8(random.next() % 8)
                case 2: mutant.remove(at: position)
                default: mutant.insert(UInt8(ascii: "0") + UInt8(random.next() % 10), at: position)
                }
            }
            if try tryAll(mutant) { taken += 1 }
        }
        // Changes in names and in the numbers' digits can't be noticed, all others are.
        #expect(taken > 0 && taken < 1000)
    }
}
