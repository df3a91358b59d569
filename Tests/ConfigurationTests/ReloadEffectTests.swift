import Configuration
import Testing

/// A reload does about each option what its declaration says.
@Suite struct ReloadEffectTests {
    /// What a plan does, as far as effects of options go.
    private struct Steps: Equatable {
        var models = false
        var teacher = false
        var sources = false
        var sink = false
        var file = false
        var deadLetter = false
        var restart = false

        init() {}

        init(from old: Settings, to new: Settings) {
            let plan = ReloadPlan(from: old, to: new)
            (models, teacher) = (plan.modelsChange, plan.teacherChanges)
            sources = !plan.removedSources.isEmpty && plan.addedSources.count + plan.changedSources.count == 1
            sink = !new.sinks[0].keepsSink(of: old.sinks[0])
            file = new.sinks[0].changesFile(of: old.sinks[0])
            deadLetter = plan.deadLetterChanges
            restart = plan.restartNeeded.count == 1
        }
    }

    private static func steps(_ effect: ReloadEffect, in block: String) -> Steps {
        var steps = Steps()
        switch (effect, block) {
        case (.live, _): break
        case (.models, _), (.studentPath, _): steps.models = true
        case (.teacher, _): (steps.models, steps.teacher) = (true, true)
        case (.source, _): steps.sources = true
        case (.sink, "sinks"): steps.sink = true
        case (.sinkFile, "sinks"): (steps.sink, steps.file) = (true, true)
        case (.sink, _): steps.deadLetter = true
        case (.sinkFile, _), (.restart, _): steps.restart = true
        }
        return steps
    }

    /// Two values of the option.
    private static func values(_ option: OptionFacts) -> (String, String) {
        switch option.form {
        case .choice(let words): (words[0], words[1])
        case .flag: ("false", "true")
        case .count(let range): (String(range.lowerBound), String(range.upperBound))
        case .number(let range): (OptionValue.text(range.lowerBound), OptionValue.text(range.upperBound))
        case .text, .name, .path, .template: ("/a", "/b")
        case .permissions: ("'0600'", "'0640'")
        case .list: ("['*']", "[wire]")
        case .address: ("127.0.0.1:1", "unix:/a")
        }
    }

    @Test(arguments: TableDocument.options.indices) func eachOptionHasItsEffect(index: Int) throws {
        let (option, block, outer) = TableDocument.options[index]
        var (one, other) = Self.values(option)
        if option.form == .name { (one, other) = ("a", "b") }
        if block.name == "sinks", option.name == "sources" { one = "[]" }
        let old = try settings(TableDocument.text(option, one, in: block, outer: outer))
        let new = try settings(TableDocument.text(option, other, in: block, outer: outer))
        #expect(old != new, "\(option.name)")
        let expected = Self.steps(option.reload, in: block.name)
        #expect(Steps(from: old, to: new) == expected, "\(block.name).\(option.name)")
        #expect(Steps(from: old, to: old) == Steps(), "\(block.name).\(option.name)")
    }
}
