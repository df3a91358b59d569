import Diagnostics
import Foundation
import Models
import Tensors
import TestSupport
import Testing

@Suite struct WordVectorsTests {
    private let folder: TemporaryFolder
    private static let wanted = ["好", "b", "absent", "词"].map { Array($0.utf8) }

    init() throws { folder = try TemporaryFolder() }

    private func read(_ text: String, expectedDimensions: Int? = nil) throws -> WordVectors {
        try WordVectors(
            path: folder.write(text, to: "v.txt"), wanted: Self.wanted, expectedDimensions: expectedDimensions)
    }

    @Test(arguments: [
        "4 2\nb 1 -2\nx 9 9\n词 3e-1 4\n好 0.5 .25\n", "b 1 -2\nx 9 9\n词 3e-1 4\n好 0.5 .25",
        "4 2\r\nb 1 -2 \r\nx 9 9 \r\n词\t3e-1\t4\r\n好  0.5 .25\r\n",
    ])
    func readsBothForms(text: String) throws {
        let vectors = try read(text, expectedDimensions: 2)
        #expect(vectors.isFound == [true, true, false, true])
        #expect(vectors.foundCount == 3)
        #expect(vectors.matrix.storage.array == [0.5, 0.25, 1, -2, 0, 0, 0.3, 4])
    }

    @Test(arguments: [
        ("b 1 2\n词 1\n", 2), ("b 1 2\n词 1 2 3\n", 2), ("b 1 nan\n", 1), ("b 1 inf\n", 1), ("b 1 1e99\n", 1),
        ("b 1 2x\n", 1), ("b 1 2\nb 1 2\n", 2), ("1 2\nb 1 2\nx 1 2\n", 3), ("b 1 2\n\n", 2), ("b\n", 1),
        ("1 0\n", 1), ("1 99999999\n", 1),
    ])
    func refusesWithTheLine(text: String, line: Int) throws {
        let error = try #require(throws: UnderstudyError.self) { try read(text) }
        #expect(error.code == .invalidData)
        #expect(error.place == folder.file("v.txt") + ":\(line)")
    }

    @Test func refusesWholeFiles() throws {
        for text in ["", "3 2\nb 1 2\n", "0 5\n", "9 65536\n"] {
            let error = try #require(throws: UnderstudyError.self) { try read(text) }
            #expect(error.code == .invalidData)
            #expect(error.place == folder.file("v.txt"))
        }
        #expect(throws: UnderstudyError.self) { try read("b 1 2\n", expectedDimensions: 300) }
        let missing = try #require(throws: UnderstudyError.self) {
            try WordVectors(path: folder.file("none"), wanted: Self.wanted)
        }
        #expect(missing.code == .missingInput)
        #expect(throws: UnderstudyError.self) { try WordVectors(path: folder.path, wanted: Self.wanted) }
    }

    /// vectors.txt.gz: 400 words of 20 dimensions written by Tests/Goldens/make-safetensors-goldens.py; word i is `w<i>`, its
    /// number j is (i · 20 + j) / 1024.
    @Test func readsGzip() throws {
        let path = try #require(Bundle.module.path(forResource: "vectors.txt", ofType: "gz", inDirectory: "Goldens"))
        let ids = [399, 0, 277]
        let vectors = try WordVectors(path: path, wanted: ids.map { Array("w\($0)".utf8) })
        #expect(vectors.isFound == [true, true, true])
        for (row, id) in ids.enumerated() {
            #expect((0..<20).allSatisfy { vectors.matrix.row(row)[$0] == Float(id * 20 + $0) / 1024 })
        }
    }

    @Test func refusesADamagedGzip() throws {
        let path = try #require(Bundle.module.path(forResource: "vectors.txt", ofType: "gz", inDirectory: "Goldens"))
        let bytes = Array(try #require(FileManager.default.contents(atPath: path)))
        for length in [20, bytes.count / 2, bytes.count - 1] {
            let cut = try folder.write(Array(bytes[..<length]), to: "cut.gz")
            let error = try #require(throws: UnderstudyError.self) { try WordVectors(path: cut, wanted: Self.wanted) }
            #expect(error.code == .invalidData)
        }
        for position in stride(from: 12, to: bytes.count, by: 501) {
            var flipped = bytes
            flipped[position] ^= 0x10
            let damaged = try folder.write(flipped, to: "damaged.gz")
            let error = try #require(throws: UnderstudyError.self) {
                try WordVectors(path: damaged, wanted: Self.wanted)
            }
            #expect(error.code == .invalidData)
        }
    }

    @Test func damagedTextIsReadOrRefused() throws {
        let whole = Array("3 2\nb 1.25 -2e-3\nx 9 9\n词 3e-1 4\n".utf8)
        var random = SplitMix(seed: 7)
        var taken = 0
        for _ in 0..<1000 {
            var mutant = whole
            let position = Int(random.next() % UInt64(mutant.count))
            switch random.next() % 4 {
            case 0: mutant[position] = UInt8(truncatingIfNeeded: random.next())
            case 1: mutant.removeSubrange(position...)
            case 2: mutant.remove(at: position)
            default: mutant.insert([0x0a, 0x20, 0x00, 0x39][Int(random.next() % 4)], at: position)
            }
            let path = try folder.write(mutant, to: "mutant.txt")
            do throws(UnderstudyError) {
                let vectors = try WordVectors(path: path, wanted: Self.wanted)
                let allFinite = vectors.matrix.storage.array.allSatisfy { $0.isFinite }
                #expect(allFinite)
                taken += 1
            } catch {
                #expect(error.code == .invalidData)
                #expect(error.place?.hasPrefix(path) == true)
            }
        }
        #expect(taken > 0 && taken < 900)
    }
}
