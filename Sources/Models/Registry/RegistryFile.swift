import Diagnostics
import Foundation
import Tensors

/// The registry's small JSON files.
enum RegistryFile {
    static func write(_ value: some Encodable, to path: String) throws(UnderstudyError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else {
            throw UnderstudyError(.internalFailure, "can't be written as JSON", at: path)
        }
        let file = try DurableFile(replacing: path)
        try file.write(Array(data) + [0x0A])
        try file.commit()
    }
}
