import Configuration
import TestSupport

/// Files that are right, made at random from the blocks of options.
struct RandomDocument {
    private var random: SplitMix
    private var paths = 0

    init(seed: UInt64) { random = SplitMix(seed: seed) }

    mutating func text() -> String {
        var text = ""
        for block in Settings.block.facts.blocks {
            switch block.shape {
            case .list(let noun):
                text += "\(block.name):\n"
                for index in 0...Int.random(in: 0...3, using: &random) {
                    // One standard input is the most, so that the first alone may be one.
                    text += "  - " + mapping(block, name: "\(noun)-\(index)", isFirst: index == 0) + "\n"
                }
            case .mapping:
                if Bool.random(using: &random) { text += "\(block.name): \(mapping(block, name: "", isFirst: true))\n" }
            }
        }
        return text
    }

    private mutating func mapping(_ block: OptionBlock, name: String, isFirst: Bool) -> String {
        var values: [(name: String, value: String)] = []
        let alternative = block.alternatives.randomElement(using: &random)
        for option in block.options where !values.contains(where: { $0.name == option.name }) {
            let holds = option.conditions.allSatisfy { condition in
                let written =
                    values.first { $0.name == condition.option }?.value ?? defaultWord(condition.option, block)
                return condition.values.contains(written)
            }
            guard holds, !block.alternatives.contains(option.name) || option.name == alternative else { continue }
            guard option.absence == .refused || Bool.random(using: &random) else { continue }
            values.append((option.name, value(option, in: block, name: name, isFirst: isFirst)))
        }
        for inner in block.blocks where Bool.random(using: &random) {
            values.append((inner.name, mapping(inner, name: "", isFirst: true)))
        }
        return "{" + values.map { "\($0.name): \($0.value)" }.joined(separator: ", ") + "}"
    }

    private func defaultWord(_ name: String, _ block: OptionBlock) -> String {
        guard case .defaults(let value) = block.options.first(where: { $0.name == name })?.absence else { return "" }
        switch value {
        case .text(let text): return text
        case .flag(let flag): return String(flag)
        default: return ""
        }
    }

    private mutating func value(_ option: OptionFacts, in block: OptionBlock, name: String, isFirst: Bool) -> String {
        switch option.form {
        case .choice(let words):
            let rest = isFirst ? words : words.filter { $0 != "stdin" && $0 != "stdout" }
            // UTF-16 is for directories alone.
            if option.name == "encoding" {
                return rest.filter { !$0.hasPrefix("utf-16") }.randomElement(using: &random) ?? words[0]
            }
            return rest.randomElement(using: &random) ?? words[0]
        case .flag: return String(Bool.random(using: &random))
        case .count(let range): return String(Int.random(in: range, using: &random))
        case .number(let range): return OptionValue.text(Double.random(in: range, using: &random))
        case .text,
            .list where option.name != "sources":
            return list(option)
        case .list: return "[]"
        case .name: return name
        case .path, .template:
            paths += 1
            return ["/p\(paths)", "\"/新 闻/#\(paths)\"", "'/a$$b/\(paths): c'", "\"/\(paths)\\\"\\\\ \""]
                .randomElement(using: &random) ?? ""
        case .permissions: return ["\"0600\"", "'777'", "\"0664\""].randomElement(using: &random) ?? ""
        case .address: return ["127.0.0.1:80", "'[::1]:1'", "unix:/run/http"].randomElement(using: &random) ?? ""
        }
    }

    private mutating func list(_ option: OptionFacts) -> String {
        let texts = ["体育", "no", "\"1\"", "\"a, b\"", "'it''s'", "\"tab\\u00a0\"", "'*'", "'#'", "null_", "-x"]
        guard case .list(let least) = option.form else { return texts.randomElement(using: &random) ?? "" }
        let count = Int.random(in: least...3, using: &random)
        return "[" + texts.shuffled(using: &random).prefix(count).joined(separator: ", ") + "]"
    }
}
