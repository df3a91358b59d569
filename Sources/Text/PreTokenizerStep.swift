import Bytes

/// One pre-tokenizer of a `tokenizer.json`: splits pieces into smaller ones.
enum PreTokenizerStep: Sendable {
    /// WhitespaceSplit: splits at white space, which is removed.
    case whitespaceSplit
    /// Whitespace: the matches of `\w+|[^\w\s]+`.
    case words
    /// BertPreTokenizer: splits at white space, and around every punctuation mark.
    case bert
    /// Metaspace: spaces become `replacement`, and every piece starts with one.
    case metaspace(replacement: [UInt8], scheme: PrependScheme, splits: Bool)

    /// When Metaspace adds its mark before a piece that has none.
    enum PrependScheme: String, Sendable {
        case always, first, never
    }

    /// Appends the parts of `bytes[start..<end]` to `pieces`. Not for Metaspace, which changes the text.
    func cut(
        _ bytes: UnsafePointer<UInt8>, from start: Int, to end: Int, into pieces: inout GrowableBuffer<Int32>
    ) {
        let flags = UnicodeProperties.shared.flags
        var index = start
        var pieceStart = start
        var previousIsWord = false

        func close(at position: Int) {
            if position > pieceStart {
                pieces.append(Int32(truncatingIfNeeded: pieceStart))
                pieces.append(Int32(truncatingIfNeeded: position))
            }
        }

        while index < end {
            let (scalar, length) = UTF8Code.decode(bytes, at: index, end: end)
            let next = index &+ length
            let flag = flags[scalar]
            if flag.contains(.whitespace) {
                close(at: index)
                pieceStart = next
            } else if case .bert = self {
                if flag.contains(.punctuation) {
                    close(at: index)
                    pieceStart = index
                    close(at: next)
                    pieceStart = next
                }
            } else if case .words = self {
                let isWord = flag.contains(.word)
                if isWord != previousIsWord {
                    close(at: index)
                    pieceStart = index
                }
                previousIsWord = isWord
            }
            index = next
        }
        close(at: end)
    }

    /// Metaspace for one piece: writes the changed text to `text` and the bounds of its parts to `pieces`.
    static func markSpaces(
        _ bytes: UnsafePointer<UInt8>, from start: Int, to end: Int, mark: [UInt8], prepends: Bool, splits: Bool,
        text: inout GrowableBuffer<UInt8>, pieces: inout GrowableBuffer<Int32>
    ) {
        guard end > start else { return }
        mark.withUnsafeBufferPointer { mark in
            guard let markBase = mark.baseAddress else { return }

            func isMark(at index: Int) -> Bool {
                guard end &- index >= mark.count else { return false }
                for offset in 0..<mark.count where bytes[index &+ offset] != markBase[offset] { return false }
                return true
            }

            var pieceStart = text.count
            if prepends, bytes[start] != 0x20, !isMark(at: start) { text.append(markBase, mark.count) }
            var index = start
            while index < end {
                let byte = bytes[index]
                let isSpace = byte == 0x20
                if isSpace || byte == markBase[0] && isMark(at: index) {
                    if splits, text.count > pieceStart {
                        pieces.append(Int32(truncatingIfNeeded: pieceStart))
                        pieces.append(Int32(truncatingIfNeeded: text.count))
                        pieceStart = text.count
                    }
                    text.append(markBase, mark.count)
                    index &+= isSpace ? 1 : mark.count
                } else {
                    text.append(byte)
                    index &+= 1
                }
            }
            pieces.append(Int32(truncatingIfNeeded: pieceStart))
            pieces.append(Int32(truncatingIfNeeded: text.count))
        }
    }
}

/// A sequence of pre-tokenizers.
struct PreTokenizationPlan: Sendable {
    let steps: [PreTokenizerStep]

    /// Splits `source` into pieces and writes their bounds to `scratch.pieces`.
    ///
    /// - Parameter isAtOrigin: Whether `source` starts at the start of the line (for Metaspace's scheme `first`).
    /// - Returns: The text that the bounds refer to: `source` itself or, if a step changes text, memory of `scratch`.
    func split(
        _ source: UnsafeBufferPointer<UInt8>, isAtOrigin: Bool, scratch: TokenizerScratch
    ) -> UnsafePointer<UInt8>? {
        scratch.pieces.count = 0
        guard var text = source.baseAddress, !source.isEmpty else { return nil }
        scratch.pieces.append(0)
        scratch.pieces.append(Int32(truncatingIfNeeded: source.count))
        for step in steps {
            scratch.swapPieces()
            scratch.pieces.count = 0
            if case .metaspace(let mark, let scheme, let splits) = step {
                scratch.swapMarked()
                scratch.marked.count = 0
                for index in stride(from: 0, to: scratch.otherPieces.count, by: 2) {
                    let start = Int(scratch.otherPieces.base[index])
                    PreTokenizerStep.markSpaces(
                        text, from: start, to: Int(scratch.otherPieces.base[index + 1]), mark: mark,
                        prepends: scheme == .always || scheme == .first && isAtOrigin && start == 0, splits: splits,
                        text: &scratch.marked, pieces: &scratch.pieces)
                }
                text = UnsafePointer(scratch.marked.base)
            } else {
                for index in stride(from: 0, to: scratch.otherPieces.count, by: 2) {
                    step.cut(
                        text, from: Int(scratch.otherPieces.base[index]), to: Int(scratch.otherPieces.base[index + 1]),
                        into: &scratch.pieces)
                }
            }
        }
        return text
    }
}
