import Bytes
import Diagnostics
import Glibc

/// Converts lines of another encoding to UTF-8 with iconv(3). Working memory of one thread.
///
/// Big5 has several tables. Taiwan's feeds come from Windows, so code page 950 (the C library's `BIG5`) is tried first:
/// it has the euro sign, and `‧`, `～`, `￥` as people type them, which HKSCS reads as other characters. It has no
/// mapping for Hong Kong's characters, and private-use mappings where ETEN and HKSCS have kana (の is common in Taiwan)
/// and ①; those codes are decoded as `BIG5-HKSCS`. Browsers decode it the same way (WHATWG Encoding, section 'Big5'),
/// within the limits of both tables.
final class LineTranscoder {
    private let encoding: TextEncoding
    private let main: iconv_t
    /// Decodes the codes of Big5 that `main` can't; nil for other encodings.
    private let supplement: iconv_t?
    private let text = ByteBuffer()

    /// Errors: `configuration` if the C library can't convert from the encoding.
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

    /// The last converted line in UTF-8; valid until the next call of `convert`.
    var utf8: UnsafeBufferPointer<UInt8> { text.bytes }

    /// Converts a line. Returns nil on success, otherwise the flaw at the first byte that can't be decoded.
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

    /// Whether code page 950 has no mapping, or a private-use one, for the Big5 code at `place`.
    private static func isSupplement(_ line: UnsafeBufferPointer<UInt8>, _ place: Int) -> Bool {
        switch line[place] {
        case 0x81...0xA0, 0xC7, 0xC8, 0xFA...0xFE: true
        case 0xC6: place + 1 < line.count && line[place + 1] >= 0xA1
        default: false
        }
    }

    private func convert(_ line: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ table: iconv_t) -> LineFlaw? {
        guard let base = line.baseAddress, !range.isEmpty else { return nil }
        // Resets to the initial state, since the line before may have ended in another one.
        iconv(table, nil, nil, nil, nil)
        // iconv declares its input as mutable, but doesn't change it.
        var input: UnsafeMutablePointer<CChar>? = UnsafeMutableRawPointer(
            mutating: UnsafeRawPointer(base + range.lowerBound)
        )
        .assumingMemoryBound(to: CChar.self)
        var left = range.count
        // At most three bytes of UTF-8 for each byte, plus what iconv holds back until the end.
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
