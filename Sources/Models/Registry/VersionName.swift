/// What a version may be called: it's a directory's name, and stands in every answer.
enum VersionName {
    private static let longest = 100

    static func isValid(_ name: String) -> Bool {
        guard !name.isEmpty, name.utf8.count <= longest, !name.hasPrefix("."), !name.hasPrefix("-") else {
            return false
        }
        if RegistryLink(rawValue: name) != nil || name == RegistryRecord.fileName { return false }
        return name.unicodeScalars.allSatisfy { scalar in
            scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || "-_.+".unicodeScalars.contains(scalar)
        }
    }

    /// `name` as far as it may be one, else `student`.
    static func made(from name: String) -> String {
        let allowed = String(
            String.UnicodeScalarView(
                name.unicodeScalars.filter { isValid("v" + String($0)) }.prefix(25)))
        return isValid(allowed) ? allowed : "student"
    }

    /// The largest number of a version: one more can always be counted.
    static let mostVersions = 1_000_000_000

    /// The number of a version that a run made: `v12`.
    static func number(_ name: String) -> Int? {
        guard name.hasPrefix("v"), name.count > 1, name.dropFirst().utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int(name.dropFirst()), number <= mostVersions
        else { return nil }
        return number
    }
}
