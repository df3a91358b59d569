import Diagnostics
import Store
import TestSupport
import Testing

@Suite(.offPool) struct LabelImportTests {
    @Test func theGoodOnesAreKeptAndTheOthersNamed() throws {
        let folder = try TemporaryFolder()
        let store = try Store.open(directory: folder.path) { _ in }
        try store.commit(Commit(disagreements: (1...600 as ClosedRange<UInt64>).map { Samples.row(id: $0 << 56) }))
        var lines = (1...255 as ClosedRange<UInt64>).map {
            "{\"id\":\"\(String($0 << 56, radix: 16))\",\"label\":\"财经\"}"
        }
        lines += [
            "", "{\"label\":\"\\u4f53\\u80b2\",\"id\":\"0100000000000000\",\"note\":[1,2]}\r",
            "{\"id\":\"2\",\"label\":\"体育\"}",
            "{\"id\":\"0200000000000000\",\"label\":\"政治\\u001b\"}", "{\"id\":\"+1\",\"label\":\"体育\"}",
            "{\"id\":7,\"label\":\"体育\"}",
            "{\"id\":\"01\"}", "[]", "{\"id\":\"00000000000000001\",\"label\":\"体育\"}", "{\"id\"",
            "{\"id\":\"\",\"label\":\"\"}",
        ]
        var refused: [UnderstudyError] = []
        var labels = HumanLabelImport(into: store, place: "答案.jsonl") { refused.append($0) }
        for line in lines { try Array(line.utf8).withUnsafeBufferPointer { try labels.take($0) } }
        try [0x7B, 0x22, 0xFF].withUnsafeBufferPointer { try labels.take($0) }
        try labels.finish()
        #expect(labels.kept == 256)
        #expect(labels.refused == 10)
        #expect(refused.map(\.place) == (258...267).map { "答案.jsonl:\($0)" })
        #expect(refused.allSatisfy { !$0.message.contains("\u{1b}") })
        #expect(refused[1].message.contains("'体育', '财经', '科技'"))
        // The later line about the same id counts.
        let first = try #require(try store.disagreements(limit: .max).last { $0.id == 1 << 56 })
        #expect(first.humanLabel == "体育")
    }
}
