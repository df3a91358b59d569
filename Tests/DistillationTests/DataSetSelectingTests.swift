import Bytes
import Diagnostics
import Distillation
import Models
import Testing

@Suite struct DataSetSelectingTests {
    /// Rows `text i` for i below `count`, every text `copies` times, labels 0, 1, 2 in turn and every seventh unknown.
    private func made(_ count: Int, copies: Int = 1, prefix: String = "text") -> DataSet {
        let numbers = (0..<count * copies).map { $0 % count }
        return DataSet(
            labels: ["a", "b", "c"], lines: LineBatch(numbers.map { "\(prefix) \($0)" }),
            labelIndices: numbers.map { $0 % 7 == 6 ? -1 : Int32($0 % 3) }, ids: numbers.map { "n\($0)" })
    }

    private func texts(_ set: DataSet) -> [String] { (0..<set.count).map(set.text) }

    @Test(arguments: [false, true])
    func splitsKeepEveryRowOnceAndDuplicatesTogether(stratified: Bool) {
        let set = made(2000, copies: 3)
        let (train, validation) = set.split(validationShare: 0.1, salt: 1, stratified: stratified)
        #expect(train.count + validation.count == 6000)
        #expect(Set(texts(train)).isDisjoint(with: texts(validation)))
        #expect(Set(texts(train)).union(texts(validation)).count == 2000)
        // Binomial (2000, 0.1): standard deviation 13.4, three copies each.
        #expect(abs(validation.count - 600) < (stratified ? 10 : 6 * 40))
        // Rows keep what belongs to them.
        for row in 0..<validation.count {
            #expect("text \(validation.id(row).dropFirst())" == validation.text(row))
        }
        #expect(validation.labels == set.labels)
    }

    @Test func aTextsSideDoesntDependOnTheOtherRows() {
        let few = Set(texts(made(100).split(validationShare: 0.3).validation))
        let many = Set(texts(made(1000).shuffled(seed: 4).split(validationShare: 0.3).validation))
        #expect(few == many.intersection(texts(made(100))))
        #expect(few != Set(texts(made(100).split(validationShare: 0.3, salt: 1).validation)))
        // A larger share only adds.
        #expect(few.isSubset(of: texts(made(100).split(validationShare: 0.5).validation)))
    }

    @Test func extremeSharesAreAllOrNothing() {
        let set = made(50)
        for stratified in [false, true] {
            #expect(set.split(validationShare: 0, stratified: stratified).validation.isEmpty)
            #expect(set.split(validationShare: 1, stratified: stratified).train.isEmpty)
        }
    }

    @Test func stratifiedSplitsTakeTheSameShareOfEachLabel() {
        let set = made(2100)
        let validation = set.split(validationShare: 0.2, stratified: true).validation
        for label in [-1, 0, 1, 2] as [Int32] {
            let all = set.labelIndices.count { $0 == label }
            #expect(validation.labelIndices.count { $0 == label } == Int((Double(all) * 0.2).rounded()))
        }
    }

    @Test func setsAreJoinedAndTakenApart() throws {
        let one = made(10)
        let other = made(5, prefix: "other")
        let joined = try one.concatenated(with: other)
        #expect(texts(joined) == texts(one) + texts(other))
        #expect(joined.labelIndices == one.labelIndices + other.labelIndices)
        #expect(joined.id(12) == "n2")
        #expect(texts(joined.excluding(textsOf: one)) == texts(other))
        #expect(texts(try joined.concatenated(with: one).withoutDuplicates()) == texts(joined))
        let unlabelled = DataSet(labels: [], lines: LineBatch(["x"]), labelIndices: [-1])
        #expect(try unlabelled.concatenated(with: one).labels == ["a", "b", "c"])
        #expect(try one.concatenated(with: unlabelled).id(10).count == 16)
        let strange = DataSet(labels: ["b", "a", "c"], lines: LineBatch(["x"]), labelIndices: [0])
        #expect(throws: UnderstudyError.self) { try one.concatenated(with: strange) }
    }

    @Test func shufflesAreRepeatable() {
        let set = made(100)
        #expect(texts(set.shuffled(seed: 1)) == texts(set.shuffled(seed: 1)))
        #expect(texts(set.shuffled(seed: 1)) != texts(set.shuffled(seed: 2)))
        #expect(Set(texts(set.shuffled(seed: 1))) == Set(texts(set)))
    }

    @Test func labelsAreKeptOrForgotten() {
        let set = made(70)
        #expect(set.labelled().count == 60)
        #expect(set.labelled().labelIndices.allSatisfy { $0 >= 0 })
        #expect(set.withoutLabels().labelledCount == 0)
        #expect(set.withoutLabels().id(3) == "n3")
    }

    @Test func linesAreGatheredWithoutChange() {
        let set = made(20)
        var batch = LineBatch(["left over"])
        set.gather([3, 3, 19], into: &batch)
        var lines: [String] = []
        batch.forEachLine { lines.append(String(decoding: $1, as: UTF8.self)) }
        #expect(lines == ["text 3", "text 3", "text 19"])
    }

    @Test func hashesAreStable() {
        // FNV-1a's published value for "foobar", through the finaliser.
        #expect(StableHash.hash("foobar") == StableHash.mixed(0x8594_4171_f739_67e8))
        #expect(StableHash.hash("") == StableHash.mixed(0xcbf2_9ce4_8422_2325))
        #expect(StableHash.hash("a", salt: 1) != StableHash.hash("a"))
    }
}
