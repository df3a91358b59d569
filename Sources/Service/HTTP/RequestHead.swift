/// The first line of an HTTP/1 request; all that the status server needs to know. Source: RFC 9112, sections 3 and 2.2.
package struct RequestHead: Equatable {
    package enum Reading: Equatable {
        /// The head isn't complete yet.
        case incomplete
        case malformed
        case complete(RequestHead)
    }

    package var method: String
    /// Without the query.
    package var path: String

    /// Looks for a complete head at the start of `bytes`.
    package static func read(_ bytes: [UInt8]) -> Reading {
        guard hasEnd(bytes) else { return .incomplete }
        guard let lineEnd = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return .malformed }
        var line = bytes[..<lineEnd]
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        let parts = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard parts.count == 3, isToken(parts[0]), isTarget(parts[1]), isVersion(parts[2]) else { return .malformed }
        let path = parts[1].prefix { $0 != UInt8(ascii: "?") }
        return .complete(
            RequestHead(method: String(decoding: parts[0], as: UTF8.self), path: String(decoding: path, as: UTF8.self)))
    }

    /// An empty line; a bare line feed ends a line too.
    private static func hasEnd(_ bytes: [UInt8]) -> Bool {
        var isEmptyLine = false
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\n"):
                if isEmptyLine { return true }
                isEmptyLine = true
            case UInt8(ascii: "\r"): break
            default: isEmptyLine = false
            }
        }
        return false
    }

    private static func isToken(_ bytes: ArraySlice<UInt8>) -> Bool {
        !bytes.isEmpty && bytes.allSatisfy { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 }
    }

    private static func isTarget(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.first == UInt8(ascii: "/") && bytes.allSatisfy { 0x21...0x7E ~= $0 }
    }

    private static func isVersion(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.elementsEqual("HTTP/1.1".utf8) || bytes.elementsEqual("HTTP/1.0".utf8)
    }
}
