/// Writes options under their blocks.
struct BlockWriter {
    private(set) var text = ""
    private var indentation = ""
    /// Stands before the next line instead of the indentation: `  - `.
    private var bullet: String?

    // MARK: Options

    mutating func line<Value: Equatable>(_ option: DefaultedOption<Value>, _ value: Value) {
        let written = YAMLText.value(option.type.untyped(value), form: option.facts.form)
        write("\(option.facts.name): \(written)" + (value == option.fallback ? "  # default" : ""))
    }

    /// nil is what the option's absence means.
    mutating func line<Value>(_ option: YAMLOption<Value>, _ value: Value?) {
        if let value {
            write("\(option.facts.name): \(YAMLText.value(option.type.untyped(value), form: option.facts.form))")
        } else if case .means(let meaning) = option.facts.absence {
            write("# \(option.facts.name): \(meaning)  # default")
        }
    }

    // MARK: Blocks

    /// A mapping with its options, or what it means when it is left out.
    mutating func block<Value>(_ block: OptionBlock, _ value: Value?, _ body: (inout BlockWriter, Value) -> Void) {
        guard let value else {
            if case .means(let meaning) = block.absence { write("# \(block.name): \(meaning)  # default") }
            return
        }
        write("\(block.name):")
        indented { body(&$0, value) }
    }

    /// Says of the block just begun that none of its options is there.
    mutating func isEmpty() {
        text.removeLast()
        text += " {}\n"
    }

    mutating func list(_ block: OptionBlock, _ body: (inout BlockWriter) -> Void) {
        write("\(block.name):")
        indented(body)
    }

    mutating func item(_ body: (inout BlockWriter) -> Void) {
        bullet = indentation + "- "
        indented(body)
    }

    private mutating func indented(_ body: (inout BlockWriter) -> Void) {
        indentation += "  "
        body(&self)
        indentation.removeLast(2)
    }

    private mutating func write(_ line: String) {
        text += (bullet ?? indentation) + line + "\n"
        bullet = nil
    }
}
