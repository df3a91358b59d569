/// Prints the settings as a configuration file with every option written out and the defaults marked.
///
/// The text is valid YAML. Reading it gives equal settings, whatever the environment.
public struct ResolvedText: Sendable, CustomStringConvertible {
    public let description: String

    public init(_ settings: Settings) {
        var text = BlockWriter()
        Settings.block.write(settings, to: &text)
        description = text.text
    }
}

/// Writes options and blocks as YAML.
struct BlockWriter {
    private(set) var text = ""
    private var indentation = ""
    /// Written before the next line instead of the indentation: ` - `.
    private var bullet: String?
    /// Whether more than the meanings of absent options is written.
    private var hasOptions = false

    /// Writes an option; nil prints the meaning of its absence.
    mutating func line(_ option: OptionFacts, _ value: OptionValue?) {
        if let value {
            let isDefault = option.absence == .defaults(to: value)
            let written = YAMLText.value(value, form: option.form)
            write("\(option.name): \(written)" + (isDefault ? "  # default" : ""))
            hasOptions = true
        } else if case .means(let meaning) = option.absence {
            write("# \(option.name): \(meaning)  # default")
        }
    }

    /// Writes a block with its options. Without any, the block is an empty mapping.
    mutating func block(_ block: OptionBlock, _ body: (inout BlockWriter) -> Void) {
        var inner = BlockWriter()
        inner.indentation = indentation + "  "
        body(&inner)
        write("\(block.name):" + (inner.hasOptions ? "" : " {}"))
        text += inner.text
        hasOptions = true
    }

    /// Prints the meaning of a block's absence.
    mutating func absent(_ block: OptionBlock) {
        if case .means(let meaning) = block.absence { write("# \(block.name): \(meaning)  # default") }
    }

    /// Writes an item of a list.
    mutating func item(_ body: (inout BlockWriter) -> Void) {
        bullet = indentation + "- "
        indentation += "  "
        body(&self)
        indentation.removeLast(2)
    }

    private mutating func write(_ line: String) {
        text += (bullet ?? indentation) + line + "\n"
        bullet = nil
    }
}
