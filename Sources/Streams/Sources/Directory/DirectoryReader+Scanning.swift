import Diagnostics
import Glibc

/// Looking at the directory as a whole.
extension DirectoryReader {
    /// Looks at every name: at the start, and after changes that inotify didn't tell of.
    func scan() {
        var listing = Found()
        look(settings.path, &listing)
        guard !isMissing else { return }
        let present = Set(listing.files.map(\.path))
        for entry in inOrder(listing.files) { note(entry.path, .scan, entry.status) }
        guard listing.isWhole else { return }
        for (path, file) in names where !present.contains(path) && !listing.unknown.contains(path) {
            do throws(CannotTell) {
                if try leadsTo(path) == nil { lose(file, path, .left) }
            } catch {
                lookAgain(path, .name(.left), error)
            }
        }
    }

    /// A directory that has come to be.
    func look(below directory: String) {
        var listing = Found()
        look(directory, &listing)
        for entry in inOrder(listing.files) { note(entry.path, .scan, entry.status) }
    }

    /// Whether files below `path` are taken.
    func takesDirectory(_ path: String) -> Bool {
        if case .move(let done) = settings.after, path == done { return false }
        return !NameFilter.isHidden(relative(path))
    }

    /// `path` as patterns see it.
    func relative(_ path: String) -> String { String(path.dropFirst(settings.path.count + 1)) }

    private struct Found {
        var files: [DirectoryListing.Entry] = []
        /// Names that are there and couldn't be looked at.
        var unknown: Set<String> = []
        /// Whether every directory could be read.
        var isWhole = true
    }

    /// Watches `top` and what is below it before looking into it.
    private func look(_ top: String, _ found: inout Found) {
        var directories = [top]
        while let directory = directories.popLast() {
            do throws(CannotTell) {
                guard let listing = try list(directory) else {
                    found.isWhole = false
                    if directory == settings.path { stopWatching() }
                    continue
                }
                take(listing, of: directory, &found)
                if settings.recursive { directories += listing.directories.filter(takesDirectory) }
            } catch {
                found.isWhole = false
                if error.isForbidden, directory != settings.path {
                    // The watch of the directory above tells when its permissions change.
                    isPartlyUnseen = true
                    reportOnce(
                        UnderstudyError(
                            .missingInput, "the directory can't be read: \(error.reason)", at: directory))
                } else {
                    lookAgain(directory, .directory, error)
                }
            }
        }
    }

    /// Watches a directory, then reads it; nil if it isn't there.
    private func list(_ directory: String) throws(CannotTell) -> DirectoryListing? {
        if let watch {
            switch watch.add(directory) {
            case .added, .absent: break
            case .full(let number): watchInstead("user_watches", number)
            case .unknown(let why):
                // What it holds now is read all the same, and it is watched when it is looked at again.
                if !why.isForbidden { lookAgain(directory, .directory, why) }
            }
        }
        return try DirectoryListing(of: directory, calls)
    }

    private func take(_ listing: DirectoryListing, of directory: String, _ found: inout Found) {
        if listing.hasUnreadableName {
            reportOnce(
                UnderstudyError(
                    .invalidData, "a name in this directory isn't UTF-8; rename it to have it read", at: directory))
        }
        found.files += listing.files
        var unknown = listing.unknown
        for link in listing.links {
            do throws(CannotTell) {
                guard let status = try follow(link) else { continue }
                found.files.append(DirectoryListing.Entry(path: link, status: status))
            } catch {
                unknown.append((link, error))
            }
        }
        for (path, why) in unknown {
            found.unknown.insert(path)
            lookAgain(path, .name(.scan), why)
        }
    }

    /// By the time of the last change, then by name. A followed file that was renamed comes before those that took
    /// its place.
    private func inOrder(_ files: [DirectoryListing.Entry]) -> [DirectoryListing.Entry] {
        let sorted = files.sorted { ($0.status.modified, $0.path) < ($1.status.modified, $1.path) }
        guard settings.mode == .tail else { return sorted }
        func isRenamed(_ entry: DirectoryListing.Entry) -> Bool {
            let known = nodes[entry.status.node]?.path ?? checkpoints[entry.status.node]?.path
            return known.map { $0 != entry.path } ?? false
        }
        return sorted.filter(isRenamed) + sorted.filter { !isRenamed($0) }
    }
}
