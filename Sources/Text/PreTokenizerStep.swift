/// One pre-tokenizer of a `tokenizer.json`: cuts pieces into smaller ones.
enum PreTokenizerStep: Sendable {
    /// WhitespaceSplit: cuts at white space, which goes.
    case whitespaceSplit
    /// Whitespace: the matches of `\w+|[^\w\s]+`.
    case words
    /// BertPreTokenizer: cuts at white space, and around every punctuation mark.
    case bert
    /// Metaspace: spaces become `replacement`, and every piece starts with one.
    case metaspace(replacement: [UInt8], scheme: PrependScheme, splits: Bool)

    /// When Metaspace puts its mark before a piece that has none.
    enum PrependScheme: String, Sendable {
        case always, first, never
    }

    /// Appends the parts of `bytes[start..<end]` to `pieces`. Not for Metaspace, which writes text of its own.
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

    /// Metaspace on one piece: writes the changed text to `text` and the parts' bounds in it to `pieces`.
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
