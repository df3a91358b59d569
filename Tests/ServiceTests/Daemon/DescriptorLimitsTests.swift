import Configuration
import Service
import Testing

@Suite struct DescriptorLimitsTests {
    private func findings(_ path: String, labels: Int, limit: UInt64) throws -> [Finding] {
        let text = """
            sources: [{name: in, kind: stdin}]
            sinks:
              - {name: plain, kind: file, path: /tmp/answers.jsonl}
              - {name: split, kind: file, path: "\(path)"}
            """
        let settings = try ConfigurationFile.read(Array(text.utf8), path: "test.yaml", environment: [:])
        return DescriptorLimits.findings(settings, labels: labels, limit: limit)
    }

    @Test func aLimitThatAJobMayReachIsNamed() throws {
        let findings = try findings("/tmp/split/{label}.jsonl", labels: 40, limit: 96)
        #expect(findings.map(\.severity) == [.warning])
        let text = findings.first?.description ?? ""
        for part in ["LimitNOFILE", "is 96", "40 of them for sink split"] { #expect(text.contains(part)) }
        #expect(try self.findings("/tmp/split/{label}-{date}.jsonl", labels: 40, limit: 140).count == 1)
    }

    @Test func aLimitThatSufficesIsNot() throws {
        #expect(try findings("/tmp/split/{label}.jsonl", labels: 40, limit: 1024).isEmpty)
        #expect(try findings("/tmp/all.jsonl", labels: 4000, limit: 1024).isEmpty)
    }
}
