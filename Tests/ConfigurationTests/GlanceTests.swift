import Configuration
import Diagnostics
import Testing

/// What verbs beside the daemon read of files that are wrong elsewhere.
@Suite struct GlanceTests {
    private func glance(_ text: String) throws -> ConfigurationGlance {
        try ConfigurationGlance(Array(text.utf8), path: "test.yaml", environment: ["HOME_OF_STATE": "/srv"])
    }

    private let blocks = """
        http:
          # where
          listen: unix:/run/x.sock
        state: {directory: '${HOME_OF_STATE}/state'}

        """

    @Test func aRightFileGivesEverythingAndNoWarning() throws {
        let glance = try glance(least + blocks)
        #expect(glance.errors == nil && glance.warning == nil)
        #expect(try glance.httpAddress() == .unix(path: "/run/x.sock"))
        #expect(try glance.stateDirectory() == "/srv/state")
        #expect(try glance.registryDirectory() == "/srv/state/students")
        #expect(try self.glance(least).httpAddress() == nil)
    }

    /// Wrong options, missing blocks, and text that isn't YAML: before and after the blocks that are wanted.
    @Test(arguments: [
        "surces: []\n", "cascade: {policy: nonsense}\n", "sources: [\n", "sources: ]\n", "sinks: \"open\n",
        "log: {level: loud}\nsources: {}\n",
    ])
    func aWrongFileGivesWhatIsRightInIt(wrong: String) throws {
        for text in [blocks + wrong, wrong + blocks] {
            let glance = try glance(text)
            #expect(try glance.httpAddress() == .unix(path: "/run/x.sock"), "\(text)")
            #expect(try glance.stateDirectory() == "/srv/state", "\(text)")
            #expect(try glance.registryDirectory() == "/srv/state/students", "\(text)")
            #expect(glance.errors != nil && glance.warning?.contains("only what is needed here was read") == true)
        }
    }

    /// JSON in one line is YAML too.
    @Test func oneLineWillDo() throws {
        let glance = try glance("{\"http\": {\"listen\": \"127.0.0.1:9464\"}, \"wrong\": 1}\n")
        #expect(try glance.httpAddress() == .loopback(host: "127.0.0.1", port: 9464))
        #expect(try glance.stateDirectory() == "/var/lib/understudy")
    }

    @Test func whatIsWantedMustItselfBeRight() throws {
        let glance = try glance("http: {listen: 'example.com:80'}\nstate: {directory: /s, colour: red}\n")
        #expect(throws: UnderstudyError.self) { try glance.httpAddress() }
        #expect(throws: UnderstudyError.self) { try glance.stateDirectory() }
        #expect(throws: UnderstudyError.self) { try glance.registryDirectory() }
        let twice = try self.glance("state: {directory: /a}\nstate: {directory: /b}\n")
        #expect(throws: UnderstudyError.self) { try twice.stateDirectory() }
    }
}
