import Glibc

/// The head of an HTTP/1 request, as far as the status server needs it. Source: RFC 9112, sections 2.2, 3 and 5.
package struct RequestHead: Equatable, Sendable {
    package enum Reading: Equatable, Sendable {
        /// The head is incomplete.
        case incomplete
        case malformed
        case complete(RequestHead)
    }

    package var method: String
    /// Without the query.
    package var path: String
    /// The client's name for this server: the value of the Host field in lower case; nil without one.
    package var host: String?

    /// Parses a head at the start of `bytes`.
    package static func read(_ bytes: [UInt8]) -> Reading {
        var end = RequestHeadEnd()
        guard end.isReached(by: bytes) else { return .incomplete }
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)[...]
        guard let first = lines.popFirst(), var head = requestLine(withoutReturn(first)) else { return .malformed }
        for line in lines.lazy.map(withoutReturn) {
            // The empty line that ends the head; a body may follow.
            if line.isEmpty { return .complete(head) }
            guard let (name, value) = field(line) else { return .malformed }
            guard name == "host" else { continue }
            // Different programs could interpret two of them differently (RFC 9112, section 3.2).
            guard head.host == nil else { return .malformed }
            head.host = value
        }
        return .malformed
    }

    /// Whether the client addresses this machine. A page of another site whose name resolves to this machine (DNS
    /// rebinding) can't hide the name that it was loaded from. Clients without a name aren't browsers.
    package var isForThisMachine: Bool {
        guard var name = host?[...], !name.isEmpty else { return true }
        if name.first == "[" {
            guard let end = name.firstIndex(of: "]") else { return false }
            return isPort(name[name.index(after: end)...])
                && StatusAddress.isLoopback(String(name[name.index(after: name.startIndex)..<end]), AF_INET6)
        }
        if let colon = name.firstIndex(of: ":") {
            guard isPort(name[colon...]) else { return false }
            name = name[..<colon]
        }
        if name.last == "." { name.removeLast() }
        return name == "localhost" || StatusAddress.isLoopback(String(name), AF_INET)
    }

    /// Returns whether the text is empty, or a colon with optional digits (RFC 3986, section 3.2.3).
    private func isPort(_ text: Substring) -> Bool {
        text.isEmpty || text.first == ":" && text.count <= 6 && text.dropFirst().utf8.allSatisfy { 0x30...0x39 ~= $0 }
    }

    private static func requestLine(_ line: ArraySlice<UInt8>) -> RequestHead? {
        let parts = line.split(separator: UInt8(ascii: " "), maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 3, isMethod(parts[0]), isTarget(parts[1]), isVersion(parts[2]) else { return nil }
        let path = parts[1].prefix { $0 != UInt8(ascii: "?") }
        return RequestHead(
            method: String(decoding: parts[0], as: UTF8.self), path: String(decoding: path, as: UTF8.self))
    }

    /// Returns a field's name in lower case and its value; nil for a line that isn't a field, such as a continuation
    /// line.
    private static func field(_ line: ArraySlice<UInt8>) -> (name: String, value: String)? {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex else { return nil }
        let name = line[..<colon]
        guard name.allSatisfy(isTokenByte) else { return nil }
        let isSpace: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        var value = line[(colon + 1)...].drop(while: isSpace)
        while let last = value.last, isSpace(last) { value.removeLast() }
        guard value.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == UInt8(ascii: "\t") }) else { return nil }
        return (
            String(decoding: name, as: UTF8.self).lowercased(), String(decoding: value, as: UTF8.self).lowercased()
        )
    }

    private static func withoutReturn(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        line.last == UInt8(ascii: "\r") ? line.dropLast() : line
    }

    private static func isMethod(_ bytes: ArraySlice<UInt8>) -> Bool {
        !bytes.isEmpty && bytes.allSatisfy { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 }
    }

    private static func isTarget(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.first == UInt8(ascii: "/") && bytes.allSatisfy { 0x21...0x7E ~= $0 }
    }

    private static func isVersion(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.elementsEqual("HTTP/1.1".utf8) || bytes.elementsEqual("HTTP/1.0".utf8)
    }

    /// RFC 9110, section 5.6.2.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}

/// Finds the empty line that ends a head in data that arrives in pieces. Each byte is examined once.
struct RequestHeadEnd {
    private var isEmptyLine = false

    /// A bare line feed ends a line as well.
    mutating func isReached(by bytes: some Sequence<UInt8>) -> Bool {
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
}
