/// What a sequence of normalizers may be, checked when a file is read: each Replace could make ten characters of one, and
/// a dozen of them in a row would fill any memory with a single line.
enum NormalizerLimits {
    /// Files have a handful.
    static let mostSteps = 64
    /// How many bytes the steps may make of one, taken together: more than SentencePiece's map (33) with a Replace that
    /// writes a mark (3) and a Prepend.
    static let greatestGrowth = 1024

    /// What is wrong with the sequence, in a sentence for people; nil if nothing is.
    static func problem(of steps: [NormalizerStep]) -> String? {
        guard steps.count <= mostSteps else {
            return "there are \(steps.count) normalizers; at most \(mostSteps) are possible"
        }
        var growth = 1
        for step in steps {
            let (product, overflow) = growth.multipliedReportingOverflow(by: step.greatestGrowth)
            guard !overflow, product <= greatestGrowth else {
                return "the normalizers could make a text more than \(greatestGrowth) times as long; shorten what they "
                    + "put in"
            }
            growth = product
        }
        return nil
    }
}

extension NormalizerStep {
    /// How many bytes the step may make of one where the file says so; what Unicode says is bounded by itself.
    fileprivate var greatestGrowth: Int {
        func perByte(_ made: Int, of taken: Int) -> Int { max(1, (made + taken - 1) / taken) }
        switch self {
        case .clean, .spaceIdeographs, .form, .dropNonspacingMarks, .dropCombiningMarks, .lowercase, .strip: return 1
        case .prepend(let text): return 1 + text.count
        case .replace(.text(let text), let content): return perByte(content.count, of: max(1, text.count))
        case .replace(.repeated(_, let minimum, _), let content): return perByte(content.count, of: max(1, minimum))
        case .precompiled(let map): return max(1, map.longestReplacement)
        }
    }
}
