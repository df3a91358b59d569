import Diagnostics

/// Lists the directory, and the directories below it if the source is recursive.
final class DirectoryScanner {
    struct Found {
        var files: [DirectoryListing.Entry] = []
        /// Existing names that couldn't be examined.
        var unknown: Set<String> = []
        /// Whether every directory could be read.
        var isWhole = true
    }

    private let settings: DirectorySource.Settings
    private let paths: WatchedPaths
    private let calls: DirectoryCalls
    private let root: RootWatch
    private let resolver: NameResolver
    private let looks: RetriedLooks
    private let reports: DirectoryReports
    /// Whether a directory isn't readable, so that files that weren't found may still exist.
    private(set) var isPartlyUnseen = false

    init(
        _ settings: DirectorySource.Settings, calls: DirectoryCalls, root: RootWatch, resolver: NameResolver,
        looks: RetriedLooks, reports: DirectoryReports
    ) {
        self.settings = settings
        paths = WatchedPaths(settings)
        self.calls = calls
        self.root = root
        self.resolver = resolver
        self.looks = looks
        self.reports = reports
    }

    /// Watches `top` and the directories below it before reading them. What can't be examined is examined again later.
    ///
    /// `isKnown`: whether a name led to a file that is read.
    func scan(_ top: String, isKnown: (String) -> Bool) -> Found {
        var found = Found()
        var directories = [top]
        while let directory = directories.popLast() {
            do throws(CannotTell) {
                guard let listing = try list(directory) else {
                    found.isWhole = false
                    if directory == settings.path { root.noteMissing() }
                    continue
                }
                take(listing, of: directory, &found, isKnown)
                if settings.recursive { directories += listing.directories.filter(paths.takesDirectory) }
            } catch {
                found.isWhole = false
                if error.isForbidden, directory != settings.path {
                    // The watch of the parent directory reports when its permissions change.
                    isPartlyUnseen = true
                    reports(
                        UnderstudyError(
                            .missingInput, "the directory can't be read: \(error.reason)", at: directory))
                } else {
                    looks.put(directory, .directory, error)
                }
            }
        }
        return found
    }

    /// Watches a directory, then reads it; nil if it doesn't exist.
    private func list(_ directory: String) throws(CannotTell) -> DirectoryListing? {
        // Its present content is still read; it is watched when it is examined again.
        if let why = root.add(directory), !why.isForbidden { looks.put(directory, .directory, why) }
        return try DirectoryListing(of: directory, calls)
    }

    private func take(
        _ listing: DirectoryListing, of directory: String, _ found: inout Found, _ isKnown: (String) -> Bool
    ) {
        if listing.hasUnreadableName {
            reports(
                UnderstudyError(
                    .invalidData, "a file name in this directory isn't UTF-8; rename the file so that it is read",
                    at: directory))
        }
        found.files += listing.files
        var unknown = listing.unknown
        for link in listing.links {
            do throws(CannotTell) {
                guard let status = try resolver.follow(link, isKnown: isKnown(link)) else { continue }
                found.files.append(DirectoryListing.Entry(path: link, status: status))
            } catch {
                unknown.append((link, error))
            }
        }
        for (path, why) in unknown {
            found.unknown.insert(path)
            looks.put(path, .name(.scan), why)
        }
    }
}
