import Bytes
import Diagnostics
import Glibc

/// A file sink's path, which may hold `{label}`, `{source}` and `{date}`.
public struct PathTemplate: Sendable, Equatable {
    private enum Piece: Sendable, Equatable {
        case literal(String)
        case label
        case source
        case date
    }

    /// The names that a path may hold in braces.
    public static let placeholders = ["label", "source", "date"]

    public let text: String
    public let usesLabel: Bool
    public let usesSource: Bool
    public let usesDate: Bool
    /// The number of leading directories without a placeholder; these must exist.
    let fixedDirectories: Int
    private let pieces: [Piece]

    /// Errors: `configuration`.
    public init(_ text: String) throws(UnderstudyError) {
        guard !text.isEmpty, !text.utf8.contains(0) else {
            throw UnderstudyError(.configuration, "the path of a file sink must not be empty or contain a NUL")
        }
        let components = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let last = components.last, !last.isEmpty, last != ".", last != ".." else {
            throw UnderstudyError(.configuration, "the path \(text) names a directory; append a file name")
        }
        self.text = text
        pieces = try Self.parse(text)
        usesLabel = pieces.contains(.label)
        usesSource = pieces.contains(.source)
        usesDate = pieces.contains(.date)
        fixedDirectories = components.dropLast().prefix { !$0.contains("{") }.count
    }

    private static func parse(_ text: String) throws(UnderstudyError) -> [Piece] {
        var pieces: [Piece] = []
        var rest = Substring(text)
        while let brace = rest.firstIndex(of: "{") {
            if brace > rest.startIndex { pieces.append(.literal(String(rest[..<brace]))) }
            let inside = rest[rest.index(after: brace)...]
            guard let end = inside.firstIndex(of: "}") else {
                throw UnderstudyError(.configuration, "the path \(text) has a { without a }")
            }
            switch inside[..<end] {
            case "label": pieces.append(.label)
            case "source": pieces.append(.source)
            case "date": pieces.append(.date)
            case let other:
                throw UnderstudyError(
                    .configuration,
                    "the path \(text) has the unknown placeholder {\(other)}; known are {label}, {source} and {date}")
            }
            rest = inside[inside.index(after: end)...]
        }
        if !rest.isEmpty { pieces.append(.literal(String(rest))) }
        return pieces
    }

    /// The path of one file. Values are escaped first, so that none leads out of its directory.
    public func path(label: String, source: String, date: String) -> String {
        var path = ""
        for piece in pieces {
            switch piece {
            case .literal(let text): path += text
            case .label: path += Self.component(label)
            case .source: path += Self.component(source)
            case .date: path += Self.component(date)
            }
        }
        return path
    }

    /// The directories of `path`, outermost first, that may be created because their names contain placeholders.
    func directoriesToMake(of path: String) -> [String] {
        let components = path.split(separator: "/", omittingEmptySubsequences: false)
        guard components.count - 1 > fixedDirectories else { return [] }
        return (fixedDirectories + 1..<components.count).map { components[..<$0].joined(separator: "/") }
    }

    /// `value` as one component of a path: no '/', no control character, no leading dot, not empty, and short enough.
    ///
    /// A forbidden byte becomes `%` and two upper-case hexadecimal digits (RFC 3986, section 2.1), and so does a `%`
    /// that would read as such an escape; the empty value becomes `%5F`, which no other value does. Different values
    /// have different components.
    public static func component(_ value: String) -> String {
        // File systems allow 255 bytes; the rest is reserved for the text around the placeholder and logrotate's
        // suffix.
        let longest = 200
        let source = Array(value.utf8)
        guard !source.isEmpty else { return "%5F" }
        var bytes: [UInt8] = []
        for (index, byte) in source.enumerated() {
            let isEscape =
                byte == percent && index + 2 < source.count && isHexadecimal(source[index + 1])
                && isHexadecimal(source[index + 2])
            let isLeadingDot = index == 0 && byte == UInt8(ascii: ".")
            if byte < 0x20 || byte == 0x7F || byte == UInt8(ascii: "/") || isEscape || isLeadingDot {
                bytes += [percent, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            } else {
                bytes.append(byte)
            }
        }
        guard bytes.count > longest else { return String(decoding: bytes, as: UTF8.self) }
        // The hash distinguishes values with the same long prefix.
        let mark = String(bytes.withUnsafeBufferPointer { XXHash64.hash($0, seed: 0) }, radix: 16)
        var end = longest - mark.utf8.count - 1
        while end > 0, bytes[end] & 0xC0 == 0x80 { end -= 1 }
        return String(decoding: bytes[..<end], as: UTF8.self) + "-" + mark
    }

    private static let percent = UInt8(ascii: "%")
    private static let digits = Array("0123456789ABCDEF".utf8)

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte & 0xDF)
    }
}

/// A day in local time.
struct LocalDay: Sendable {
    /// Days since 1970-01-01.
    let number: Int
    /// YYYY-MM-DD.
    let text: String
    private let quarter: time_t

    init(containing time: time_t) {
        var time = time
        var fields = tm()
        localtime_r(&time, &fields)
        func padded(_ number: Int32, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        text = "\(padded(fields.tm_year + 1900, 4))-\(padded(fields.tm_mon + 1, 2))-\(padded(fields.tm_mday, 2))"
        quarter = Self.quarter(time)
        (fields.tm_hour, fields.tm_min, fields.tm_sec, fields.tm_isdst) = (0, 0, 0, 0)
        number = timegm(&fields) / 86_400
    }

    /// Whether `time` is known to be in this day without another conversion to local time.
    ///
    /// Offsets from UTC are multiples of a quarter of an hour and change at quarters, so no quarter spans two days.
    func covers(_ time: time_t) -> Bool { Self.quarter(time) == quarter }

    private static func quarter(_ time: time_t) -> time_t {
        let seconds = 15 * 60
        return (time >= 0 ? time : time - seconds + 1) / seconds
    }
}
