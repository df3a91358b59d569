import Bytes
import Streams
import Testing

private func hash(_ text: String, seed: UInt64 = 0) -> UInt64 {
    Array(text.utf8).withUnsafeBufferPointer { XXHash64.hash($0, seed: seed) }
}

private func id(_ text: String, source: String = "stdin", file: [UInt8] = [], offset: UInt64 = 0) -> UInt64 {
    Array(text.utf8).withUnsafeBufferPointer { RecordIdentity(source: source, file: file).id(offset: offset, line: $0) }
}

@Suite struct RecordIdentityTests {
    /// Values of the reference implementation (xxhsum -H64, and Python's xxhash).
    @Test func theHashIsXXH64() {
        #expect(hash("") == 0xEF46_DB37_51D8_E999)
        #expect(hash("a") == 0xD24E_C4F1_A98C_6E5B)
        #expect(hash("abc") == 0x44BC_2CF5_AD77_0999)
        #expect(hash("Nobody inspects the spammish repetition") == 0xFBCE_A83C_8A37_8BF1)
        #expect(hash("xxhash", seed: 20_141_025) == 0xB559_B98D_844E_0635)
    }

    @Test func anIdHangsOnAllThatMakesIt() {
        let ids = [
            id("line"), id("Line"), id("line", offset: 5), id("line", source: "wire"), id("line", file: [1]),
            id("line", file: [2]), id("", source: "stdin\0a"), id(""),
        ]
        #expect(Set(ids).count == ids.count)
        #expect(id("line", offset: 5) == id("line", offset: 5))
    }

    /// Ids are kept by those who read the output, so they may never change.
    @Test func idsAreWhatTheyWere() {
        #expect(String(id("球队昨晚赢了", offset: 42), radix: 16) == "5fa3e9aa485b7ca6")
    }
}
