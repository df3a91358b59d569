import Diagnostics
import Foundation
import Models
import Tensors
import TestSupport
import Testing
import Text

@Suite(.offPool) struct RegistryTests {
    private let folder: TemporaryFolder
    private let registry: StudentRegistry

    init() throws {
        folder = try TemporaryFolder()
        registry = StudentRegistry(directory: folder.file("students"))
    }

    /// A model directory is whatever has a config.json; weights are told apart by `content`.
    @discardableResult
    private func add(_ version: String, _ content: String = "weights") throws -> RegistryEntry {
        try registry.add(StudentLineage(version: version, createdAt: 1_795_000_000_000_000)) {
            (directory) throws(UnderstudyError) in
            try ModelDirectory.write("{}\n", to: ModelDirectory.configuration, in: directory)
            try ModelDirectory.write(content, to: ModelDirectory.weights, in: directory)
        }
    }

    private func link(_ name: String) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: registry.directory + "/" + name)
    }

    private func plant(_ name: String, _ target: String) throws {
        try? FileManager.default.removeItem(atPath: registry.directory + "/" + name)
        try FileManager.default.createSymbolicLink(
            atPath: registry.directory + "/" + name, withDestinationPath: target)
    }

    private func code(_ work: () throws -> Void) -> UnderstudyError.Code? {
        do {
            try work()
            return nil
        } catch {
            return (error as? UnderstudyError)?.code
        }
    }

    @Test func nothingThereIsNoError() throws {
        #expect(try registry.entries().isEmpty && registry.current() == nil && registry.previous() == nil)
        #expect(try registry.history().isEmpty && registry.nextVersion() == "v1")
        #expect(!FileManager.default.fileExists(atPath: registry.directory))
        #expect(code { _ = try registry.entry("v1") } == .missingInput)
        #expect(code { try registry.rollback(now: 0) } == .missingInput)
    }

    @Test func promotionsAndRollbacks() throws {
        try add("first")
        try add("v1")
        try add("v2")
        try registry.promote("first", by: .person, now: 1)
        #expect(try registry.current()?.version == "first" && registry.previous() == nil)
        try registry.promote("v1", by: .run(1), now: 2)
        try registry.promote("v2", by: .run(2), now: 3)
        #expect(link("current") == "v2" && link("previous") == "v1")
        let (from, to) = try registry.rollback(now: 4)
        #expect(from == "v2" && to.version == "v1")
        #expect(link("current") == "v1" && link("previous") == "first")
        try registry.rollback(barring: "worse", now: 5)
        #expect(link("current") == "first" && link("previous") == nil)
        #expect(try registry.entry("v1").barring?.reason == "worse")
        #expect(try registry.history().map(\.version) == ["first", "v1", "v2", "v1", "first"])
    }

    /// Without a student before, a rollback leads to the one that the configuration names.
    @Test func aRollbackToTheConfiguredStudent() throws {
        try add("v1")
        try add("v2")
        try registry.promote("v1", by: .person, now: 1)
        #expect(try registry.previous() == nil)
        #expect(code { try registry.rollback(now: 2) } == .missingInput)
        #expect(try registry.rollbackToConfigured(barring: "worse", now: 3) == "v1")
        #expect(link("current") == nil && link("previous") == nil)
        #expect(try registry.current() == nil && registry.entry("v1").barring?.reason == "worse")
        #expect(code { try registry.rollbackToConfigured(now: 4) } == .missingInput)
        // The next promotion knows that no version served before.
        try registry.promote("v2", by: .run(1), now: 5, expecting: .configured)
        #expect(try registry.previous() == nil && registry.history().last?.predecessor == nil)
        #expect(try registry.history().map(\.version) == ["v1", Promotion.configured, "v2"])
        // Killed before the flip: it never was.
        let record = try #require(folder.bytes(of: "students/registry.json"))
        try registry.rollbackToConfigured(now: 6)
        try plant("current", "v2")
        try registry.bar("v1", reason: "any change", now: 7)
        #expect(try registry.history().map(\.version) == ["v1", Promotion.configured, "v2"])
        _ = record
    }

    /// A link that leads nowhere doesn't keep a rollback from the student before.
    @Test func aRollbackFromALinkThatLeadsNowhere() throws {
        for version in ["v1", "v2"] {
            try add(version)
            try registry.promote(version, by: .person, now: 1)
        }
        try plant("current", "../gone")
        #expect(try registry.current() == nil && registry.previous()?.version == "v1")
        let (from, to) = try registry.rollback(now: 2)
        #expect(from == nil && to.version == "v1" && link("current") == "v1")
    }

    /// What was decided about one student isn't carried out against another.
    @Test func changesThatExpectAnotherStudentAreRefused() throws {
        for version in ["v1", "v2", "v3"] { try add(version) }
        #expect(code { try registry.promote("v1", by: .run(1), now: 1, expecting: .version("v2")) } == .tryAgain)
        try registry.promote("v1", by: .run(1), now: 1, expecting: .configured)
        try registry.promote("v2", by: .run(2), now: 2, expecting: .version("v1"))
        #expect(code { try registry.promote("v3", by: .run(3), now: 3, expecting: .version("v1")) } == .tryAgain)
        #expect(code { try registry.promote("v3", by: .run(3), now: 3, expecting: .configured) } == .tryAgain)
        #expect(code { try registry.setShadow("v3", expecting: .version("v1")) } == .tryAgain)
        #expect(code { try registry.rollback(to: "v3", now: 3) } == .tryAgain)
        #expect(link("current") == "v2" && link("previous") == "v1" && link("shadow") == nil)
        #expect(try registry.history().map(\.version) == ["v1", "v2"])
    }

    /// A name that anything has, a file or a link, is never chosen; numbers end somewhere without a trap.
    @Test func namesThatAreTakenAreSkipped() throws {
        try add("v1")
        try folder.write("a note", to: "students/v4")
        try plant("v6", "elsewhere")
        #expect(try registry.nextVersion() == "v7")
        #expect(try registry.reserveVersion() == "v7" && registry.reserveVersion() == "v8")
        #expect(try registry.nextVersion() == "v9")
        try plant("v99999999999999999999999", "elsewhere")
        #expect(try registry.nextVersion() == "v9")
        try plant("v1000000000", "elsewhere")
        #expect(code { _ = try registry.nextVersion() } == .invalidData)
        #expect(code { _ = try registry.reserveVersion() } == .invalidData)
    }

    @Test func barredVersionsAreForPeopleOnly() throws {
        try add("v1")
        try registry.bar("v1", reason: "no good", now: 1)
        #expect(code { try registry.promote("v1", by: .run(2), now: 2) } == .configuration)
        #expect(code { try registry.promote("v1", by: .shadow, now: 2) } == .configuration)
        try registry.promote("v1", by: .person, now: 3)
        #expect(try registry.entry("v1").barring == nil && link("current") == "v1")
    }

    @Test func versionsAreNeverReused() throws {
        try add("v1")
        try add("v2")
        #expect(try registry.nextVersion() == "v3")
        #expect(try registry.removeOld(keeping: 0) == ["v1", "v2"])
        #expect(try registry.nextVersion() == "v3")
        #expect(
            code {
                try add("v2"); try add("v2")
            } == .cannotCreate)
    }

    @Test(arguments: [
        "", ".hidden", "a/b", "..", "current", "-x", "a b", "\u{1b}[2J", String(repeating: "v", count: 200),
    ])
    func namesAreChecked(_ name: String) throws {
        #expect(code { try add(name) } == .invalidData)
        #expect(!FileManager.default.fileExists(atPath: registry.directory + "/b"))
    }

    @Test func alteredWeightsAreRefused() throws {
        try add("v1")
        try add("v2")
        try registry.promote("v1", by: .run(1), now: 1)
        try registry.promote("v2", by: .run(2), now: 2)
        try Data("other".utf8).write(to: URL(fileURLWithPath: registry.directory + "/v1/model.safetensors"))
        #expect(code { try StudentRegistry.verify(directory: registry.directory + "/v1") } == .invalidData)
        #expect(code { try registry.promote("v1", by: .person, now: 3) } == .invalidData)
        #expect(code { try registry.rollback(now: 3) } == .invalidData)
        #expect(code { try registry.setShadow("v1") } == .invalidData)
        #expect(link("current") == "v2")
    }

    @Test func damagedEntriesAreListedAsSuch() throws {
        try add("v1")
        try Data("{\"version\":".utf8).write(to: URL(fileURLWithPath: registry.directory + "/v1/lineage.json"))
        try FileManager.default.createDirectory(
            atPath: registry.directory + "/empty", withIntermediateDirectories: true)
        try Data().write(to: URL(fileURLWithPath: registry.directory + "/file"))
        let entries = try registry.entries()
        #expect(entries.map(\.version) == ["empty", "v1"])
        #expect(entries.allSatisfy { $0.flaw != nil })
        try Data("nonsense".utf8).write(to: URL(fileURLWithPath: registry.directory + "/registry.json"))
        #expect(code { _ = try registry.entries() } == .invalidData)
    }

    /// A link that leads out of the registry, or to nothing, leads nowhere.
    @Test func strangeLinksLeadNowhere() throws {
        try add("v1")
        for target in ["/etc", "../elsewhere", "gone", "."] {
            try plant("current", target)
            #expect(try registry.current() == nil)
        }
        try registry.promote("v1", by: .person, now: 1)
        #expect(try registry.current()?.version == "v1")
    }

    /// A kill between the record and the flips: the old student serves, and the promotion that never was is forgotten.
    @Test func aPromotionThatWasKilledIsForgotten() throws {
        try add("v1")
        try add("v2")
        try add("v3")
        try registry.promote("v1", by: .run(1), now: 1)
        try registry.promote("v2", by: .run(2), now: 2)
        let record = try #require(folder.bytes(of: "students/registry.json"))
        try registry.promote("v3", by: .run(3), now: 3)
        let later = try #require(folder.bytes(of: "students/registry.json"))
        // Before both flips.
        try plant("current", "v2")
        try plant("previous", "v1")
        #expect(try registry.previous()?.version == "v1")
        try registry.bar("v3", reason: "any change", now: 4)
        #expect(try registry.history().map(\.version) == ["v1", "v2"])
        // Between the flips.
        try folder.write(later, to: "students/registry.json")
        try plant("previous", "v2")
        #expect(try registry.previous()?.version == "v1")
        let (from, to) = try registry.rollback(now: 5)
        #expect(from == "v2" && to.version == "v1")
        _ = record
    }

    @Test func leftoversGoWithTheNextChange() throws {
        try add("v1")
        for name in [".removed.v0", ".v1.123.partial"] {
            try FileManager.default.createDirectory(
                atPath: registry.directory + "/" + name + "/deep", withIntermediateDirectories: true)
        }
        try folder.write("half", to: "students/.registry.json.12.345.partial")
        try plant(".current.link", "v1")
        try registry.promote("v1", by: .person, now: 1)
        try add("v2")
        #expect(folder.names == ["students"])
        let left = try FileManager.default.contentsOfDirectory(atPath: registry.directory)
            .filter { $0.hasPrefix(".") && $0 != ".lock" }
        #expect(left.isEmpty)
    }

    @Test func retentionKeepsWhatIsInUse() throws {
        for number in 1...8 { try add("v\(number)") }
        try registry.promote("v1", by: .run(1), now: 1)
        try registry.promote("v2", by: .run(2), now: 2)
        try registry.setShadow("v3")
        #expect(try registry.removeOld(keeping: 2) == ["v4", "v5", "v6"])
        #expect(try registry.entries().map(\.version) == ["v1", "v2", "v3", "v7", "v8"])
        #expect(try registry.removeOld(keeping: 2).isEmpty)
    }

    @Test func theShadowsLinkEndsWithItsPromotion() throws {
        try add("v1")
        try add("v2")
        try registry.promote("v1", by: .run(1), now: 1)
        try registry.setShadow("v2")
        #expect(try registry.shadow()?.version == "v2")
        try registry.promote("v2", by: .shadow, now: 2)
        #expect(try registry.shadow() == nil && link("shadow") == nil)
    }

    /// Many at once: every change is whole, and the last one stands.
    @Test func changesTakeTurns() async throws {
        for number in 1...4 { try add("v\(number)") }
        let registry = registry
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<4 {
                group.addTask {
                    for round in 0..<10 {
                        try? registry.promote("v\((task + round) % 4 + 1)", by: .person, now: Int64(round))
                    }
                }
            }
        }
        let history = try registry.history()
        #expect(history.last?.version == link("current"))
        for (before, after) in zip(history, history.dropFirst()) { #expect(after.predecessor == before.version) }
    }

    @Test func theListing() throws {
        var lineage = StudentLineage(version: "v1", createdAt: 1_795_000_000_000_000)
        lineage.parent = "student"
        lineage.holdoutAccuracy = 0.7534
        lineage.logRows = 12_345
        lineage.humanLabels = 6
        try registry.add(lineage) { (directory) throws(UnderstudyError) in
            try ModelDirectory.write("{}\n", to: ModelDirectory.configuration, in: directory)
        }
        try add("v2")
        try add("v3")
        try registry.promote("v1", by: .run(7), now: 1_795_000_000_000_000)
        try registry.promote("v2", by: .person, now: 1_795_000_060_000_000)
        try registry.bar("v3", reason: "worse\u{1b}[2J", now: 1_795_000_120_000_000)
        let listing = try RegistryListing(registry)
        #expect(
            listing.text == """
                version            created (UTC)     parent   accuracy  log lines  by people    size
                v3       barred    2026-11-18 11:06  -               -          0          0  0.0 MB
                v2       current   2026-11-18 11:06  -               -          0          0  0.0 MB
                v1       previous  2026-11-18 11:06  student    75.3 %     12,345          6  0.0 MB

                """)
        let shown = listing.text(
            of: try registry.entry("v3"), history: try registry.history(), verdict: "whole")
        #expect(shown.contains("barred") && shown.contains("worse\\u{1b}[2J") && !shown.contains("\u{1b}"))
    }
}
