/// Addresses as the file writes them.
enum AddressText {
    /// What is wrong with an address.
    enum Flaw: Error, Equatable {
        case shape
        case port
        case network
        case socketPath
    }

    /// nil for anything that `parse` refuses.
    static func address(_ text: String) -> ListenAddress? {
        try? parse(text).get()
    }

    static func parse(_ text: String) -> Result<ListenAddress, Flaw> {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst("unix:".count))
            let fits = path.utf8.count <= longestSocketPath
            return path.hasPrefix("/") && fits ? .success(.unix(path: path)) : .failure(.socketPath)
        }
        guard let colon = text.lastIndex(of: ":") else { return .failure(.shape) }
        let digits = text[text.index(after: colon)...]
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]"), host.count > 2 {
            host = host.dropFirst().dropLast()
            guard host.contains(":") else { return .failure(.shape) }
        } else if host.isEmpty || host.contains(":") {
            return .failure(.shape)
        }
        guard isLoopback(host) else { return .failure(.network) }
        guard let port = StrictNumber.whole(String(digits)), (1...Int(UInt16.max)).contains(port) else {
            return .failure(.port)
        }
        return .success(.loopback(host: String(host), port: UInt16(port)))
    }

    /// sockaddr_un's 108 bytes less the closing zero.
    static let longestSocketPath = 107

    private static func isLoopback(_ host: Substring) -> Bool {
        if host == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0] == "127" else { return false }
        return parts.allSatisfy { part in
            guard let number = StrictNumber.whole(String(part)) else { return false }
            return number <= 255
        }
    }
}
