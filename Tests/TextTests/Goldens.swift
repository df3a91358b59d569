import Foundation
import Testing

/// The files that Tests/Goldens/make-tokenizer-goldens.py wrote.
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
