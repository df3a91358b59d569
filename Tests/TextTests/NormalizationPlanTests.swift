import TestSupport
import Testing
import Text

/// The tabulated normalisation against the steps one after the other.
struct NormalizationPlanTests {
    private static let collapse = NormalizerStep.replace(
        .repeated(ScalarClass([0x20...0x20]), minimum: 2, maximum: .max), content: [0x20])

    static let plans: [[NormalizerStep]] = [
        NormalizerStep.bert(cleansText: true, spacesIdeographs: true, stripsAccents: nil, lowercases: true),
        NormalizerStep.bert(cleansText: true, spacesIdeographs: true, stripsAccents: true, lowercases: false),
        NormalizerStep.bert(cleansText: false, spacesIdeographs: false, stripsAccents: false, lowercases: true),
        [.form(.nfkc)], [.form(.nfc)], [.form(.nfkd), .lowercase], [.form(.nfd), .dropCombiningMarks],
        [.strip(left: true, right: true), .form(.nfkc), .lowercase],
        [.prepend([0x5F]), .form(.nfc)],
        [.replace(.text(Array("～".utf8)), content: [0x7E]), .form(.nfkc), collapse],
        [.spaceIdeographs, collapse], [collapse, .lowercase],
        [.replace(.text(Array("ab".utf8)), content: Array("c".utf8)), .lowercase],
    ]

    @Test(arguments: plans.indices)
    func fastPathEqualsSteps(_ index: Int) throws {
        let plan = NormalizationPlan(Self.plans[index])
        var random = SplitMix(seed: UInt64(index))
        let texts = try Goldens.cases().texts + (0..<500).map { _ in Self.randomText(&random) }
        for text in texts {
            let bytes = Array(text.utf8)
            let fast = plan.normalize(bytes)
            let steps = plan.normalizeStepwise(bytes)
            #expect(fast == steps, "\(text.unicodeScalars.map { String($0.value, radix: 16) })")
        }
    }

    /// Mostly letters, spaces and signs, so that the fast path is taken; sometimes anything.
    private static func randomText(_ random: inout SplitMix) -> String {
        let blocks: [ClosedRange<UInt32>] = [
            0x20...0x7E, 0x4E00...0x9FFF, 0xC0...0x24F, 0x3000...0x3040, 0xFF00...0xFFEF, 0x2000...0x206F,
            0x1E00...0x1FFF, 0xAC00...0xD7A3, 0x20...0x20,
        ]
        let isWild = Int.random(in: 0..<8, using: &random) == 0
        var text = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0..<20, using: &random) {
            let block = isWild ? 0...0x10FFFF : blocks[Int.random(in: 0..<blocks.count, using: &random)]
            if let scalar = Unicode.Scalar(UInt32.random(in: block, using: &random)) { text.append(scalar) }
        }
        return String(text)
    }
}
