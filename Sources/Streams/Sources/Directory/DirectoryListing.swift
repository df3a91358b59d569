import Diagnostics
import Glibc

/// What stands in a directory now.
struct DirectoryListing {
    struct Entry {
        var path: String
        var status: FileStatus
    }

    var files: [Entry] = []
    var directories: [String] = []
    /// Whether a name isn't UTF-8: it can't be said in a configuration, a log or a status page.
    var hasUnreadableName = false

    /// nil with errno where the directory can't be read.
    init?(of directory: String) {
        guard let stream = opendir(directory) else { return nil }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let text = withUnsafeBytes(of: &entry.pointee.d_name) { name in
                String(validating: name.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard let name = text else {
                hasUnreadableName = true
                continue
            }
            guard name != ".", name != ".." else { continue }
            let path = directory + "/" + name
            // A name that has gone meanwhile is told of by the watch.
            guard let status = FileStatus(path: path) else { continue }
            if status.isDirectory {
                directories.append(path)
            } else if status.isRegular {
                files.append(Entry(path: path, status: status))
            }
        }
    }
}
