import Diagnostics
import Glibc

/// Scans the whole directory.
extension DirectoryReader {
    /// Examines every name: at the start, and after changes that inotify didn't report.
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

    /// Examines a new directory.
    func look(below directory: String) {
        var listing = Found()
        look(directory, &listing)
        for entry in inOrder(listing.files) { note(entry.path, .scan, entry.status) }
    }

    /// Whether files below `path` are accepted.
    func takesDirectory(_ path: String) -> Bool {
        if case .move(let done) = settings.after, path == done { return false }
        return !NameFilter.isHidden(relative(path))
    }

    /// `path` as the patterns match it.
    func relative(_ path: String) -> String { String(path.dropFirst(settings.path.count + 1)) }

    private struct Found {
        var files: [DirectoryListing.Entry] = []
        /// Existing names that couldn't be examined.
        var unknown: Set<String> = []
        /// Whether every directory could be read.
        var isWhole = true
    }

    /// Watches `top` and the directories below it before reading them.
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
                    // The watch of the parent directory reports when its permissions change.
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

    /// Watches a directory, then reads it; nil if it doesn't exist.
    private func list(_ directory: String) throws(CannotTell) -> DirectoryListing? {
        if let watch {
            switch watch.add(directory) {
            case .added, .absent: break
            case .full(let number): watchInstead("user_watches", number)
            case .unknown(let why):
                // Its present content is still read; it is watched when it is examined again.
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

    /// Sorted by the time of the last change, then by name. A followed file that was renamed comes before the files
    /// that took its place.
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
