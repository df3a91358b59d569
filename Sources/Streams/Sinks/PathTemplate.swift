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

    public let text: String
    public let usesLabel: Bool
    public let usesSource: Bool
    public let usesDate: Bool
    /// So many of the path's first directories are named without a placeholder: they have to be there already.
    let fixedDirectories: Int
    private let pieces: [Piece]

    /// Errors: `configuration`.
    public init(_ text: String) throws(UnderstudyError) {
        guard !text.isEmpty, !text.utf8.contains(0) else {
            throw UnderstudyError(.configuration, "the path of a file sink must be a path; it is empty or holds a NUL")
        }
        let components = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let last = components.last, !last.isEmpty, last != ".", last != ".." else {
            throw UnderstudyError(.configuration, "the path \(text) names a directory; give it a file name")
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
                throw UnderstudyError(.configuration, "the path \(text) has a { without its }")
            }
            switch inside[..<end] {
            case "label": pieces.append(.label)
            case "source": pieces.append(.source)
            case "date": pieces.append(.date)
            case let other:
                throw UnderstudyError(
                    .configuration,
                    "the path \(text) has the placeholder {\(other)}; there are {label}, {source} and {date}")
            }
            rest = inside[inside.index(after: end)...]
        }
        if !rest.isEmpty { pieces.append(.literal(String(rest))) }
        return pieces
    }

    /// The path of one file. Values are made fit for a path first, so that none leads out of its directory.
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

    /// The directories of `path`, outermost first, that may be made because their names come from placeholders.
    func directoriesToMake(of path: String) -> [String] {
        let components = path.split(separator: "/", omittingEmptySubsequences: false)
        guard components.count - 1 > fixedDirectories else { return [] }
        return (fixedDirectories + 1..<components.count).map { components[..<$0].joined(separator: "/") }
    }

    /// `value` as one component of a path: no '/', no control character, no leading dot, not empty, and short enough.
    public static func component(_ value: String) -> String {
        // File systems allow 255 bytes; the rest is for what stands around the placeholder and logrotate's suffix.
        let longest = 200
        var bytes = value.utf8.map { byte in
            byte < 0x20 || byte == 0x7F || byte == UInt8(ascii: "/") ? underscore : byte
        }
        if bytes.isEmpty { return "_" }
        if bytes[0] == UInt8(ascii: ".") { bytes[0] = underscore }
        guard bytes.count > longest else { return String(decoding: bytes, as: UTF8.self) }
        // The hash keeps two values apart that are the same for so long.
        let mark = String(bytes.withUnsafeBufferPointer { XXHash64.hash($0, seed: 0) }, radix: 16)
        var end = longest - mark.utf8.count - 1
        while end > 0, bytes[end] & 0xC0 == 0x80 { end -= 1 }
        return String(decoding: bytes[..<end], as: UTF8.self) + "-" + mark
    }

    private static let underscore = UInt8(ascii: "_")
}
