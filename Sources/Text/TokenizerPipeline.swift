/// The stages of every Hugging Face tokenizer: extract the added tokens, normalise the text between them, split it into
/// pieces, map the pieces to ids with the model, and add the special tokens around.
struct TokenizerPipeline: Sendable {
    enum Model: Sendable {
        case wordPiece(WordPieceModel)
        case unigram(UnigramModel)
    }

    private let model: Model
    private let normalization: NormalizationPlan
    private let preTokenization: PreTokenizationPlan
    /// Searched in the line as it is.
    private let rawTokens: AddedTokenMatcher
    /// Searched in the normalised text.
    private let normalizedTokens: AddedTokenMatcher
    private let template: TokenTemplate
    private let truncatesLeft: Bool

    init(
        model: Model, normalizers: [NormalizerStep], preTokenizers: [PreTokenizerStep],
        addedTokens: [(token: AddedToken, id: Int32)], template: TokenTemplate, truncatesLeft: Bool
    ) {
        self.model = model
        normalization = NormalizationPlan(normalizers)
        preTokenization = PreTokenizationPlan(steps: preTokenizers)
        self.template = template
        self.truncatesLeft = truncatesLeft
        rawTokens = AddedTokenMatcher(
            addedTokens.filter { !$0.token.isNormalized }.map { ($0.token.content, $0.id, $0.token) })
        let scratch = TokenizerScratch()
        normalizedTokens = AddedTokenMatcher(
            addedTokens.filter(\.token.isNormalized).map { [normalization] in
                _ = $0.token.content.withUnsafeBufferPointer { normalization.normalize($0, scratch: scratch) }
                let text = UnsafeBufferPointer(start: scratch.normalized.base, count: scratch.normalized.count)
                return (Array(text), $0.id, $0.token)
            })
    }

    func encode(
        _ line: UnsafeBufferPointer<UInt8>, maximumLength: Int, scratch: TokenizerScratch, into ids: inout [Int32]
    ) {
        let start = ids.count
        ids.append(contentsOf: template.prefix)
        let maximumLength = max(0, maximumLength)
        let room = max(0, maximumLength - template.suffix.count)
        // Text that can't affect the kept ids needn't be processed.
        let limit = truncatesLeft ? Int.max : start + room
        if rawTokens.isEmpty {
            encodePlain(line, isAtOrigin: true, limit: limit, scratch: scratch, into: &ids)
        } else {
            var position = 0
            var taken = 0
            while ids.count < limit {
                let match = rawTokens.next(in: line, position: &position, taken: taken)
                let textEnd = match?.range.lowerBound ?? line.count
                if textEnd > taken {
                    encodePlain(
                        UnsafeBufferPointer(rebasing: line[taken..<textEnd]), isAtOrigin: taken == 0, limit: limit,
                        scratch: scratch, into: &ids)
                }
                guard let match else { break }
                ids.append(match.id)
                taken = match.range.upperBound
                position = max(position, taken)
            }
        }
        let excess = ids.count - start - room
        if excess > 0 {
            if truncatesLeft {
                let first = min(start + template.prefix.count, ids.count - excess)
                ids.removeSubrange(first..<first + excess)
            } else {
                ids.removeLast(excess)
            }
        }
        ids.append(contentsOf: template.suffix.prefix(maximumLength - (ids.count - start)))
    }

    /// Text without raw added tokens.
    private func encodePlain(
        _ source: UnsafeBufferPointer<UInt8>, isAtOrigin: Bool, limit: Int, scratch: TokenizerScratch,
        into ids: inout [Int32]
    ) {
        let keepsFirst = normalization.normalize(source, scratch: scratch)
        let text = UnsafeBufferPointer(start: scratch.normalized.base, count: scratch.normalized.count)
        let isAtOrigin = isAtOrigin && keepsFirst
        if normalizedTokens.isEmpty {
            encodeNormalized(text, isAtOrigin: isAtOrigin, limit: limit, scratch: scratch, into: &ids)
            return
        }
        var position = 0
        var taken = 0
        while ids.count < limit {
            let match = normalizedTokens.next(in: text, position: &position, taken: taken)
            let textEnd = match?.range.lowerBound ?? text.count
            if textEnd > taken {
                encodeNormalized(
                    UnsafeBufferPointer(rebasing: text[taken..<textEnd]), isAtOrigin: isAtOrigin && taken == 0,
                    limit: limit, scratch: scratch, into: &ids)
            }
            guard let match else { break }
            ids.append(match.id)
            taken = match.range.upperBound
            position = max(position, taken)
        }
    }

    private func encodeNormalized(
        _ source: UnsafeBufferPointer<UInt8>, isAtOrigin: Bool, limit: Int, scratch: TokenizerScratch,
        into ids: inout [Int32]
    ) {
        guard let text = preTokenization.split(source, isAtOrigin: isAtOrigin, scratch: scratch) else { return }
        let pieces = UnsafePointer(scratch.pieces.base)
        var index = 0
        let count = scratch.pieces.count
        while index < count, ids.count < limit {
            let start = Int(pieces[index])
            let length = Int(pieces[index &+ 1]) &- start
            switch model {
            case .wordPiece(let model): model.append(text + start, length, to: &ids)
            case .unigram(let model): model.append(text + start, length, nodes: &scratch.nodes, to: &ids)
            }
            index &+= 2
        }
    }
}
