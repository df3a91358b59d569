import Bytes
import Diagnostics
import Models
import TestSupport
import Testing

/// Vectors: FIPS 180-4 examples (NIST, "SHA_All.pdf") and NIST's byte-oriented long-message example.
@Suite struct FingerprintTests {
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
        ),
        (
            String(repeating: "a", count: 1_000_000),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        ),
    ])
    func standardVectors(message: String, hash: String) {
        #expect(Fingerprint.of(bytes: Array(message.utf8)) == hash)
    }

    @Test func piecesDontMatter() {
        let bytes = (0..<300).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        var whole = SHA256()
        whole.update(bytes)
        for length in 1...130 {
            var pieces = SHA256()
            var start = 0
            while start < bytes.count {
                let end = min(start + length, bytes.count)
                pieces.update(Array(bytes[start..<end]))
                start = end
            }
            #expect(pieces.digest() == whole.digest())
        }
    }

    @Test func modelsDifferByWhatDecidesTheirAnswers() throws {
        let folder = try TemporaryFolder(inMemory: false)
        _ = try folder.write("{}", to: "config.json")
        _ = try folder.write("weights", to: "model.safetensors")
        let first = try Fingerprint.of(model: folder.path)
        // The shell command in docs/models.md, over these two files.
        #expect(first == "4d29798c6e59eb7dfc2b375b8998040ed29cf33c98038b41e9717a6c37f5dad7")
        _ = try folder.write("a card", to: "README.md")
        #expect(try Fingerprint.of(model: folder.path) == first)
        _ = try folder.write("Weights", to: "model.safetensors")
        #expect(try Fingerprint.of(model: folder.path) != first)
        #expect(try Fingerprint.of(file: folder.file("config.json")) == Fingerprint.of(bytes: Array("{}".utf8)))
    }

    @Test func noModelNoFingerprint() throws {
        let folder = try TemporaryFolder(inMemory: false)
        let error = try #require(throws: UnderstudyError.self) { try Fingerprint.of(model: folder.path) }
        #expect(error.code == .missingInput)
    }
}
