import Diagnostics
import Glibc
import Streams
import TestSupport
import Testing

/// Symbolic links among the entries of a directory, as a container runtime makes them.
@Suite(.offPool) struct DirectoryLinkTests {
    typealias Mode = DirectorySource.Settings.Mode
    static let modes: [Mode] = [.files, .tail]

    let directory: TestDirectory

    init() throws {
        directory = try TestDirectory()
        try directory.makeDirectory("in")
        try directory.makeDirectory("pods")
    }

    private func lane(_ mode: Mode, after: DirectorySource.Settings.After = .keep) throws -> DirectoryLane {
        let settings = DirectorySource.Settings(
            name: "drops", path: directory.path("in"), mode: mode, after: after, pollSeconds: 0.001)
        return try DirectoryLane(settings)
    }

    private func link(_ name: String, to target: String) throws {
        try #require(symlink(target, directory.path("in/" + name)) == 0)
    }

    /// Takes events until `lane` has so many lines; a minute at most.
    private func drain(_ lane: DirectoryLane, until count: Int) throws {
        for _ in 0..<6000 where lane.lines.count < count {
            try lane.drain()
            if lane.lines.count < count { usleep(10_000) }
        }
        #expect(lane.lines.count == count)
    }

    @Test(arguments: modes) func aLinkIsFollowedWhereverItLeads(_ mode: Mode) throws {
        try directory.append("pods/a", "一\n")
        try link("a.log", to: "../pods/a")
        let lane = try lane(mode)
        try drain(lane, until: 1)
        // One that comes while it runs, through another link.
        try directory.append("pods/b", "二\n")
        try #require(symlink("b", directory.path("pods/c")) == 0)
        try link("b.log", to: directory.path("pods/c"))
        try drain(lane, until: 2)
        try directory.append("pods/a", "三\n")
        try drain(lane, until: 3)
        #expect(lane.texts == ["一", "二", "三"])
        // That they lead out is said once.
        #expect(lane.reported.map(\.code) == [.configuration])
        lane.commit()
        try lane.restart { try directory.append("pods/b", "四\n") }
        try drain(lane, until: 1)
        #expect(lane.texts == ["四"])
        var status = stat()
        try #require(stat(directory.path("pods/a"), &status) == 0)
        #expect(lane.kept.keys.contains { $0.inode == UInt64(status.st_ino) })
    }

    @Test(arguments: modes) func twoNamesOfOneFileAreOneFile(_ mode: Mode) throws {
        try directory.append("in/a", "一\n")
        try link("b", to: "a")
        try link("c", to: "b")
        let lane = try lane(mode)
        try drain(lane, until: 1)
        try directory.append("in/a", "二\n")
        try drain(lane, until: 2)
        for _ in 0..<5 {
            usleep(2000)
            try lane.drain()
        }
        #expect(lane.texts == ["一", "二"] && lane.reported.isEmpty)
    }

    /// Log rotation below a link: the old target is finished, the new one read.
    @Test func aLinkThatLeadsElsewhereIsANewFile() throws {
        try directory.append("pods/0", "一\n")
        try link("a.log", to: "../pods/0")
        let lane = try lane(.tail)
        try drain(lane, until: 1)
        try directory.append("pods/0", "二\n")
        try directory.append("pods/1", "三\n")
        try #require(symlink("../pods/1", directory.path("in/.new")) == 0)
        try directory.rename("in/.new", "in/a.log")
        try drain(lane, until: 3)
        #expect(Set(lane.texts) == ["一", "二", "三"])
        // Renamed under the link, as a rotation does it.
        try directory.append("pods/1", "四\n")
        try directory.rename("pods/1", "pods/1.old")
        try directory.append("pods/1", "五\n")
        try drain(lane, until: 5)
        #expect(Set(lane.texts.suffix(2)) == ["四", "五"])
        lane.commit()
        try lane.drain()
        lane.commit()
        #expect(lane.kept.count == 1)
    }

    @Test(arguments: modes) func circlesAndLinksToNothingAreSaidOnceAndLookedAtAgain(_ mode: Mode) throws {
        try link("circle", to: "circle")
        try link("nothing", to: "../pods/later")
        try link("folder", to: "../pods")
        try link(".hidden", to: "../pods/never")
        let lane = try lane(mode)
        for _ in 0..<5 {
            try lane.drain()
            usleep(2000)
        }
        let said = ["circle", "nothing", "folder"].map { directory.path("in/" + $0) }
        #expect(Set(lane.reported.map(\.place)) == Set(said))
        #expect(lane.reported.count == 3 && lane.opened.isEmpty)
        try directory.append("pods/later", "一\n")
        try drain(lane, until: 1)
        #expect(lane.reported.count == 4)
    }

    @Test func onlyTheLinkIsDeletedOrMoved() throws {
        try directory.makeDirectory("done")
        for after in [DirectorySource.Settings.After.delete, .move(to: directory.path("done"))] {
            try directory.append("pods/a", "一\n")
            let target = directory.path("pods/a")
            try link("a", to: target)
            let lane = try lane(.files, after: after)
            try drain(lane, until: 1)
            lane.commit()
            #expect(directory.names("in") == [] && directory.names("pods") == ["a"])
            try lane.drain()
            lane.commit()
            #expect(lane.kept.isEmpty)
            try directory.delete("pods/a")
        }
        #expect(directory.names("done") == ["a"])
        var status = stat()
        #expect(lstat(directory.path("done/a"), &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
    }
}
