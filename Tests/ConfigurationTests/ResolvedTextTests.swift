import Configuration
import Testing

@Suite struct ResolvedTextTests {
    @Test func theSampleLoads() throws {
        let settings = try settings(RepositoryFile.text("etc/understudy.yaml"))
        #expect(settings.models == .embeddedPair)
        #expect(settings.sources.map(\.name) == ["wire", "drops"])
        #expect(settings.http == .loopback(host: "127.0.0.1", port: 9464))
    }
}
