import Bytes
import Diagnostics
import Tensors

/// SHA-256 fingerprints in hexadecimal, of data files and of models; they record what a student was made from.
public enum Fingerprint {
    /// The files that determine a model's answers, in the order in which they are hashed.
    private static let modelFiles = ["config.json", "model.safetensors", "tokenizer.json", "vocab.txt"]

    public static func of(bytes: [UInt8]) -> String {
        var hash = SHA256()
        hash.update(bytes)
        return hash.hexadecimal()
    }

    /// The same value that `sha256sum` prints.
    ///
    /// Errors: `missingInput` for a file that can't be opened.
    public static func of(file path: String) throws(UnderstudyError) -> String {
        let file = try MappedFile(path: path)
        return try file.withBytes { (bytes) throws(UnderstudyError) in
            var hash = SHA256()
            hash.update(bytes)
            return hash.hexadecimal()
        }
    }

    /// The fingerprint of several files in the given order, e.g. all the data of a training run: the hash of the text
    /// of their fingerprints, one per line, without names, so that it doesn't change when a file is moved.
    public static func of(files paths: [String]) throws(UnderstudyError) -> String {
        var lines = ""
        for path in paths { lines += try of(file: path) + "\n" }
        return of(bytes: Array(lines.utf8))
    }

    /// A model directory: the hash of what `sha256sum` prints for its configuration, weights and tokenizer. The model
    /// card and the metrics are not included.
    ///
    /// Errors: `missingInput` when the directory has no config.json.
    public static func of(model directory: String) throws(UnderstudyError) -> String {
        var lines = ""
        for name in modelFiles {
            let path = directory + "/" + name
            if name != modelFiles[0] {
                guard try PathLookup.exists(path) else { continue }
            }
            lines += "\(try of(file: path))  \(name)\n"
        }
        return of(bytes: Array(lines.utf8))
    }
}
