/// Mode bits as the file writes them.
enum Permissions {
    /// Three or four octal digits that let the owner read and write; nil for anything else. At most 0o777.
    static func bits(_ digits: String) -> UInt32? {
        guard digits.utf8.count == 3 || digits.utf8.count == 4,
            digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }),
            let bits = UInt32(digits, radix: 8), bits <= 0o777, bits & ownerReadsAndWrites == ownerReadsAndWrites
        else { return nil }
        return bits
    }

    /// Four octal digits.
    static func text(_ bits: UInt32) -> String {
        let digits = String(bits, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    /// The daemon itself opens what it makes for reading and for writing.
    private static let ownerReadsAndWrites: UInt32 = 0o600
}
