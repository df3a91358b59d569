import Foundation
import Testing

/// The files that scripts/make-tokenizer-goldens.py wrote.
enum Goldens {
    struct Cases: Decodable {
        let texts: [String]
        /// Ids of every text, by tokenizer.
        let ids: [String: [[Int32]]]
    }

    struct NGrams: Decodable {
        let bits: Int
        let texts: [String]
        let buckets: [[Int32]]
    }

    static let directory = Bundle.module.resourceURL?.appendingPathComponent("Goldens").path ?? "Goldens"

    static func read<Value: Decodable>(_ name: String) throws -> Value {
        try JSONDecoder().decode(Value.self, from: Data(contentsOf: URL(filePath: "\(directory)/\(name)")))
    }

    static func cases() throws -> Cases { try read("cases.json") }

    static func path(_ tokenizer: String) -> String { "\(directory)/\(tokenizer)" }
}

/// A directory that goes when this object goes.
final class TemporaryDirectory {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "/understudy-text-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ contents: [UInt8], to name: String) throws {
        try Data(contents).write(to: URL(filePath: "\(path)/\(name)"))
    }

    func write(_ contents: String, to name: String) throws { try write(Array(contents.utf8), to: name) }
}

/// A small generator of repeatable random numbers (SplitMix64).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
