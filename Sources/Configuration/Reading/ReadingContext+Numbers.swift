// Numbers, strictly: plain decimals within the option's range.
extension ReadingContext {
    func count(_ node: YAMLNode, _ option: OptionFacts, _ range: ClosedRange<Int>) -> OptionValue? {
        guard let text = digits(node, option) else { return nil }
        guard let count = StrictNumber.whole(text) else {
            // Whole, but beyond Int.
            if StrictNumber.isWhole(text) { return outside(node, option, text) }
            return mismatch(node, option, hint: hint(for: text, option))
        }
        return range.contains(count) ? .count(count) : outside(node, option, text)
    }

    func number(_ node: YAMLNode, _ option: OptionFacts, _ range: ClosedRange<Double>) -> OptionValue? {
        guard let text = digits(node, option) else { return nil }
        guard let number = StrictNumber.decimal(text) else {
            return mismatch(node, option, hint: hint(for: text, option))
        }
        return range.contains(number) ? .number(number) : outside(node, option, text)
    }

    /// The text of a scalar without quotes.
    private func digits(_ node: YAMLNode, _ option: OptionFacts) -> String? {
        guard case .scalar(let text, let isPlain) = node.content else { return mismatch(node, option) }
        guard isPlain else {
            let isNumber = StrictNumber.decimal(text) != nil
            return mismatch(node, option, hint: isNumber ? "leave the quotes out" : nil)
        }
        return text
    }

    private func outside<Result>(_ node: YAMLNode, _ option: OptionFacts, _ text: String) -> Result? {
        errors.add(
            "'\(option.name)' is \(YAMLText.shown(text)); it must be within \(option.form.range ?? "its range")",
            at: node.span)
        return nil
    }

    /// What was probably meant by something that isn't quite a number.
    private func hint(for text: String, _ option: OptionFacts) -> String? {
        let bare = String(text.filter { $0 != "_" && $0 != "," })
        if bare != text, StrictNumber.decimal(bare) != nil { return "write \(bare)" }
        if text.hasPrefix("+"), StrictNumber.decimal(String(text.dropFirst())) != nil { return "leave the + out" }
        let trimmed = String(text.drop { $0 == "0" })
        if trimmed != text, StrictNumber.whole(trimmed) != nil { return "leave the leading 0 out" }
        if text.hasSuffix("%"), let percent = StrictNumber.decimal(String(text.dropLast())), percent.magnitude < 1e6 {
            return "write \(OptionValue.text(percent / 100))"
        }
        let unit = text.drop { $0.isNumber || $0 == "." }
        if text.first?.isNumber == true, !unit.isEmpty, unit.allSatisfy({ $0.isLetter || $0 == " " }) {
            return "write the number alone; the unit is in the option's name"
        }
        return nil
    }
}
