import Logging

/// How fields are written for the journal (systemd.journal-fields(7)).
package enum JournalField {
    package static let identifier = "understudy"

    /// The longest field name that the journal takes, in bytes.
    private static let longestName = 64

    package static func make(_ name: String, _ value: String) -> [UInt8] {
        Array(name.utf8) + [UInt8(ascii: "=")] + Array(value.utf8)
    }

    /// `UNDERSTUDY_` and the key in upper case; what a name may not hold becomes `_`.
    package static func name(ofKey key: String) -> String {
        var name = "UNDERSTUDY_"
        for scalar in key.unicodeScalars where name.utf8.count < longestName {
            switch scalar {
            case "A"..."Z", "0"..."9", "_": name.unicodeScalars.append(scalar)
            case "a"..."z": name += scalar.properties.uppercaseMapping
            default: name += "_"
            }
        }
        return name
    }

    /// The syslog priority of a level (RFC 5424 section 6.2.1). Information is 6, debugging 7.
    package static func priority(of level: Logger.Level) -> Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}
