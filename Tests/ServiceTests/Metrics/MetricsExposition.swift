import Testing

/// A strict reader of the exposition format 0.0.4, that finds what Prometheus or promtool would complain about.
struct MetricsExposition {
    var types: [String: String] = [:]
    var problems: [String] = []

    init(_ text: String) throws {
        guard text.hasSuffix("\n") else {
            problems.append("no line end at the end")
            return
        }
        var helps: Set<String> = []
        var finished: Set<String> = []
        var current = ""
        var series: Set<String> = []
        var buckets: [String: [(bound: Double, count: Double)]] = [:]
        var counts: [String: Double] = [:]
        for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if line.hasPrefix("# ") {
                let parts = line.split(separator: " ", maxSplits: 3).map(String.init)
                guard parts.count == 4 else { problems.append("short comment: \(line)"); continue }
                if parts[1] == "HELP" {
                    if !helps.insert(parts[2]).inserted { problems.append("HELP twice: \(parts[2])") }
                    finished.insert(current)
                    current = parts[2]
                    if finished.contains(current) { problems.append("not together: \(current)") }
                } else if parts[1] == "TYPE" {
                    if parts[2] != current { problems.append("TYPE without HELP: \(line)") }
                    types[parts[2]] = parts[3]
                    if parts[3] == "counter", !parts[2].hasSuffix("_total") {
                        problems.append("a counter without _total: \(parts[2])")
                    }
                } else {
                    problems.append("an unknown comment: \(line)")
                }
                continue
            }
            guard let sample = Self.sample(line) else { problems.append("no sample: \(line)"); continue }
            if !series.insert(
                sample.name + sample.labels.map { "\($0.name)=\($0.value)" }.sorted().joined(separator: "\u{0}")
            )
            .inserted {
                problems.append("a series twice: \(line)")
            }
            if types[current] == "histogram" {
                let key = current + sample.labels.filter { $0.name != "le" }.map { "\($0.name)=\($0.value)" }.joined()
                switch sample.name {
                case current + "_bucket":
                    let le = sample.labels.first { $0.name == "le" }?.value ?? ""
                    guard let bound = le == "+Inf" ? .infinity : Double(le) else {
                        problems.append("no bound: \(line)")
                        continue
                    }
                    buckets[key, default: []].append((bound, sample.value))
                case current + "_count": counts[key] = sample.value
                case current + "_sum": break
                default: problems.append("a stranger in \(current): \(line)")
                }
            } else if sample.name != current {
                problems.append("a stranger in \(current): \(line)")
            }
        }
        for (key, list) in buckets {
            if list.last?.bound != .infinity { problems.append("no +Inf: \(key)") }
            if list.last?.count != counts[key] { problems.append("_count isn't the last bucket: \(key)") }
            for (one, next) in zip(list, list.dropFirst()) where one.bound >= next.bound || one.count > next.count {
                problems.append("not cumulative: \(key)")
            }
        }
    }

    private static func sample(_ line: String) -> (
        name: String, labels: [(name: String, value: String)], value: Double
    )? {
        var rest = line[...]
        func name(_ extra: String) -> String? {
            let taken = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || extra.contains($0)) }
            guard let first = taken.first, !first.isNumber else { return nil }
            rest = rest.dropFirst(taken.count)
            return String(taken)
        }
        guard let metric = name(":") else { return nil }
        var labels: [(String, String)] = []
        if rest.first == "{" {
            rest.removeFirst()
            while rest.first != "}" {
                guard let label = name(""), rest.hasPrefix("=\"") else { return nil }
                rest = rest.dropFirst(2)
                var value = ""
                while let character = rest.popFirst(), character != "\"" {
                    guard character == "\\" else { value.append(character); continue }
                    switch rest.popFirst() {
                    case "\\": value.append("\\")
                    case "\"": value.append("\"")
                    case "n": value.append("\n")
                    default: return nil
                    }
                }
                if labels.contains(where: { $0.0 == label }) { return nil }
                labels.append((label, value))
                if rest.first == "," { rest.removeFirst() } else if rest.first != "}" { return nil }
            }
            rest.removeFirst()
        }
        guard rest.first == " " else { return nil }
        let text = rest.dropFirst()
        let value: Double? =
            switch text {
            case "+Inf": .infinity
            case "-Inf": -.infinity
            case "NaN": .nan
            default: Double(text)
            }
        return value.map { (metric, labels, $0) }
    }
}
