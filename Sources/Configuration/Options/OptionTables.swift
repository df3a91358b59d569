/// The whole file as data, in the order in which it is printed.
package enum OptionTables {
    package static let blocks = [
        ModelOptions.block, CascadeOptions.block, SourceOptions.block, SinkOptions.block,
        DeadLetterOptions.block, StateOptions.block, ShutdownOptions.block, DisagreementOptions.block,
        RedistillOptions.block, HTTPOptions.block, LogOptions.block,
    ]

    /// The file as one mapping.
    static let root = OptionBlock("the configuration", options: [], blocks: blocks, "The whole file.")
    /// More sources, or sinks, than any daemon has.
    package static let mostItems = 256

    /// Where an option of this name stands, for the hint at a misplaced one: `cascade`, `redistill.gate`.
    static func blocks(with option: String) -> [String] {
        var found: [String] = []
        for block in blocks {
            if block.options.contains(where: { $0.name == option }) { found.append(block.name) }
            for inner in block.blocks where inner.options.contains(where: { $0.name == option }) {
                found.append("\(block.name).\(inner.name)")
            }
        }
        return found
    }
}
