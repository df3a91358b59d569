import Diagnostics
import Glibc

/// Turns lines of another encoding into UTF-8 with iconv(3). Working memory of one thread.
///
/// Big5 has no one table. Taiwan's feeds come from Windows, so code page 950 (the C library's `BIG5`) decides where it
/// can: it has the euro sign, and `‧`, `～`, `￥` as people type them, which HKSCS reads as other characters. It has
/// nothing for Hong Kong's characters, and private ones where ETEN and HKSCS put kana (の is common in Taiwan) and ①;
/// those codes go to `BIG5-HKSCS`. This is also how browsers decode it (WHATWG Encoding, section 'Big5'), as far as
/// both tables go.
final class LineTranscoder {
    private let encoding: TextEncoding
    private let main: iconv_t
    /// Decodes the codes of Big5 that `main` can't; nil for other encodings.
    private let supplement: iconv_t?
    private let text = ByteBuffer()

    /// Errors: `configuration` if the C library has no table for the encoding.
    init(_ encoding: TextEncoding) throws(UnderstudyError) {
        self.encoding = encoding
        switch encoding {
        // UTF-16 isn't decoded here: see `UTF16Text`.
        case .utf8, .utf16, .utf16LittleEndian, .utf16BigEndian:
            main = try Self.open("UTF-8")
            supplement = nil
        case .gb18030:
            main = try Self.open("GB18030")
            supplement = nil
        case .big5:
            main = try Self.open("BIG5")
            do { supplement = try Self.open("BIG5-HKSCS") } catch {
                iconv_close(main)
                throw error
            }
        }
    }

    deinit {
        iconv_close(main)
        if let supplement { iconv_close(supplement) }
    }

    /// The last line converted, in UTF-8; valid until the next call of `convert`.
    var utf8: UnsafeBufferPointer<UInt8> { text.bytes }

    /// Converts a line; nil if all is well, otherwise the flaw at the first byte that can't be decoded.
    func convert(_ line: UnsafeBufferPointer<UInt8>) -> LineFlaw? {
        text.removeAll()
        guard let supplement else { return convert(line, 0..<line.count, main) }
        var start = 0
        while start < line.count {
            let isSupplement = Self.isSupplement(line, start)
            var end = start
            while end < line.count, Self.isSupplement(line, end) == isSupplement {
                end = min(end + (line[end] > 0x80 ? 2 : 1), line.count)
            }
            if let flaw = convert(line, start..<end, isSupplement ? supplement : main) { return flaw }
            start = end
        }
        return nil
    }

    /// Whether the Big5 code at `place` is one that code page 950 has nothing or private characters for.
    private static func isSupplement(_ line: UnsafeBufferPointer<UInt8>, _ place: Int) -> Bool {
        switch line[place] {
        case 0x81...0xA0, 0xC7, 0xC8, 0xFA...0xFE: true
        case 0xC6: place + 1 < line.count && line[place + 1] >= 0xA1
        default: false
        }
    }

    private func convert(_ line: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ table: iconv_t) -> LineFlaw? {
        guard let base = line.baseAddress, !range.isEmpty else { return nil }
        // Back to the initial state, in which the line before may not have left it.
        iconv(table, nil, nil, nil, nil)
        // iconv takes what it reads from as mutable, and doesn't change it.
        var input: UnsafeMutablePointer<CChar>? = UnsafeMutableRawPointer(
            mutating: UnsafeRawPointer(base + range.lowerBound)
        )
        .assumingMemoryBound(to: CChar.self)
        var left = range.count
        // At most three bytes of UTF-8 for each byte, and what iconv still holds back at the end.
        let capacity = 3 * left + 16
        let place = text.reserve(capacity)
        var output: UnsafeMutablePointer<CChar>? = UnsafeMutableRawPointer(place).assumingMemoryBound(to: CChar.self)
        var room = capacity
        let failed = iconv(table, &input, &left, &output, &room) == -1
        if failed { return .notInEncoding(at: range.upperBound - left + 1, encoding) }
        iconv(table, nil, nil, &output, &room)
        text.advance(capacity - room)
        return nil
    }

    private static func open(_ name: String) throws(UnderstudyError) -> iconv_t {
        guard let table = iconv_open("UTF-8", name), Int(bitPattern: table) != -1 else {
            throw UnderstudyError(
                .configuration, "the C library can't decode \(name); install its gconv modules")
        }
        return table
    }
}
