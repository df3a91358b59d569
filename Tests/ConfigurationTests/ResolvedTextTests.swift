import Configuration
import Streams
import Testing

/// The printed settings are a file that says the same.
@Suite struct ResolvedTextTests {
    private func expectSame(_ settings: Settings, _ comment: String) throws {
        let text = ResolvedText(settings).description
        let again = try ConfigurationFile.read(Array(text.utf8), path: "printed", environment: [:])
        #expect(again == settings, "\(comment)\n\(text)")
        #expect(ResolvedText(again).description == text)
    }

    @Test func theSampleWorksAsInstalled() throws {
        let settings = try settings(RepositoryFile.text("etc/understudy.yaml"))
        #expect(settings.models == .bundledPair)
        #expect(settings.sources.map(\.name) == ["wire", "drops"])
        #expect(settings.sinks.map(\.name) == ["answers"])
        #expect(settings.http?.listen == .loopback(host: "127.0.0.1", port: 9464))
        #expect(settings.cascade.threshold == .calibrated)
        try expectSame(settings, "sample")
    }

    @Test func everyOptionComesBack() throws {
        let text = try RepositoryFile.text("Tests/ConfigurationTests/Goldens/good/every-option.yaml")
        for option in TableDocument.options where option.block.alternatives.isEmpty {
            #expect(text.contains(" \(option.option.name): "), "\(option.option.name)")
        }
        let settings = try settings(text, environment: ["MODELS": "/models of $mine"])
        #expect(settings.models.student == .directory("/models of $mine/students/current"))
        #expect(settings.cascade.threshold == .budgetLinesPerSecond(12.5))
        #expect(settings.sources[0].input == .jsonl(field: "标题"))
        #expect(settings.sources[0].name == "新华社")
        #expect(settings.http?.listen == .loopback(host: "::1", port: 8080))
        #expect(settings.sinks[1].filter.labels == ["体育", "no", "on"])
        try expectSame(settings, "every option")
    }

    @Test(arguments: 0..<200) func randomFilesComeBack(seed: Int) throws {
        var random = RandomDocument(seed: UInt64(seed))
        let text = random.text()
        #expect(errors(text) == [], "\(text)")
        guard let settings = try? settings(text) else { return }
        try expectSame(settings, text)
    }

    @Test func defaultsAreMarkedAndNothingElseIs() throws {
        let text = ResolvedText(
            try settings(least + "cascade: {audit_share: 0.5, teacher_threads: 1}\nmodels: {}\nlog: {level: debug}\n"))
        let lines = text.description.split(separator: "\n").map(String.init)
        #expect(lines.contains("  audit_share: 0.5"))
        #expect(lines.contains("  teacher_threads: 1  # default"))
        #expect(lines.contains("  # threads: as many as there are processors  # default"))
        #expect(lines.contains("models: {}"))
        #expect(lines.contains("  level: debug"))
        #expect(lines.contains("# http: nothing is served  # default"))
        #expect(lines.contains("  directory: /var/lib/understudy  # default"))
    }
}
