import Diagnostics
import Streams
import TestSupport
import Testing

@Suite struct PathTemplateTests {
    @Test func putsValuesInTheirPlaces() throws {
        let template = try PathTemplate("/var/log/{source}/{label}-{date}.jsonl")
        #expect(template.usesLabel && template.usesSource && template.usesDate)
        #expect(
            template.path(label: "体育", source: "wire", date: "2026-11-25") == "/var/log/wire/体育-2026-11-25.jsonl")
        let plain = try PathTemplate("/var/log/a}.jsonl")
        #expect(!plain.usesLabel && !plain.usesSource && !plain.usesDate)
        #expect(plain.path(label: "x", source: "y", date: "z") == "/var/log/a}.jsonl")
    }

    @Test(arguments: ["", "/", "/var/", "a/..", "{", "a{label", "{lable}", "{}", "{Label}", "{label }", "a\0b"])
    func refusesWhatIsNoTemplate(_ text: String) throws {
        let error = #expect(throws: UnderstudyError.self) { try PathTemplate(text) }
        #expect(error?.code == .configuration)
    }

    @Test func anUnknownPlaceholderIsNamed() throws {
        let error = #expect(throws: UnderstudyError.self) { try PathTemplate("/x/{lable}.jsonl") }
        #expect(error?.message.contains("{lable}") == true && error?.message.contains("{label}") == true)
    }

    @Test(
        arguments: [
            ("sports", "sports"), ("", "%5F"), (".", "%2E"), ("..", "%2E."), (".hidden", "%2Ehidden"), ("a/b", "a%2Fb"),
            ("a_b", "a_b"), ("../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd"), ("a\0b\nc\u{7F}", "a%00b%0Ac%7F"),
            ("{date}", "{date}"), ("50%", "50%"), ("50%off", "50%off"), ("a%2Fb", "a%252Fb"), ("a%2fb", "a%252fb"),
        ])
    func noValueLeadsOutOfItsDirectory(_ value: String, _ component: String) {
        #expect(PathTemplate.component(value) == component)
    }

    @Test func longValuesAreCutBetweenCharactersAndKeptApart() {
        let one = PathTemplate.component(String(repeating: "闻", count: 100))
        let other = PathTemplate.component(String(repeating: "闻", count: 101))
        #expect(one.utf8.count <= 200 && other.utf8.count <= 200)
        #expect(one != other)
        #expect(one.hasPrefix("闻闻") && !one.unicodeScalars.contains("\u{FFFD}"))
        #expect(PathTemplate.component(String(repeating: "a", count: 200)) == String(repeating: "a", count: 200))
    }

    @Test func anyValueIsOneComponent() {
        var random = SplitMix(seed: 4)
        var seen: [String: String] = [:]
        let alphabet: [UInt8] = [0, 10, 46, 47, 65, 0x7F, 0xE9, 0x97, 0xBB]
        for _ in 0..<2000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0...300, using: &random) {
                bytes.append(alphabet[Int.random(in: 0..<alphabet.count, using: &random)])
            }
            let value = String(decoding: bytes, as: UTF8.self)
            let component = PathTemplate.component(value)
            #expect(seen.updateValue(value, forKey: component).map { $0 == value } != false)
            #expect((1...200).contains(component.utf8.count))
            #expect(!component.hasPrefix("."))
            #expect(!component.utf8.contains { $0 < 0x20 || $0 == 0x7F || $0 == UInt8(ascii: "/") })
        }
    }

    /// Labels that differ never share a file: all short values over what escapes are made of.
    @Test func differentValuesHaveDifferentComponents() {
        let alphabet = ["%", "2", "F", "f", "/", "_", "5", "."]
        var values = [""]
        var all = values
        for _ in 0..<4 {
            values = values.flatMap { value in alphabet.map { value + $0 } }
            all += values
        }
        #expect(Set(all.map(PathTemplate.component)).count == all.count)
    }
}
