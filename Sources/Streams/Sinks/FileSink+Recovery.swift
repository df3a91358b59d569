import Diagnostics

extension FileSink {
    /// Cuts every file back to its committed length; called at start, before anything is appended.
    ///
    /// What stands behind that length was written by a run that died before it committed, and its lines will be
    /// answered again. Returns the lengths that hold: those of files that are gone are left out. Nothing here stops a
    /// start; what should be known about goes to `report`.
    public static func recover(
        _ lengths: [SinkLength], report: @Sendable (UnderstudyError) -> Void
    ) -> [SinkLength] {
        // A file that was renamed to another sink's path may have two rows; as files only grow, the longer is newer.
        var newest: [FileKey: SinkLength] = [:]
        for row in lengths where newest[FileKey(row)].map({ $0.length < row.length }) ?? true {
            newest[FileKey(row)] = row
        }
        var directories = DirectoryInodes()
        return lengths.compactMap { row in
            guard newest[FileKey(row)] == row else { return nil }
            newest[FileKey(row)] = nil
            return recover(row, &directories, report)
        }
    }

    private struct FileKey: Hashable {
        let device: UInt64
        let inode: UInt64
        init(_ row: SinkLength) { (device, inode) = (row.device, row.inode) }
    }

    private static func recover(
        _ row: SinkLength, _ directories: inout DirectoryInodes, _ report: (UnderstudyError) -> Void
    ) -> SinkLength? {
        switch CommittedFile.find(row, at: row.path) {
        case .found(let file) where file.device == row.device || file.fits(row): return settle(file, row, report)
        case .unreadable(let error):
            report(error)
            return row
        case .found, .other: break
        }
        // It was rotated while we were down: a file of the same directory with another name.
        let directory = SinkFileOpening.directory(of: row.path)
        switch directories.paths(of: row.inode, in: directory) {
        case .failure(let error):
            report(error)
            return row
        case .success(let paths):
            for path in paths where path != row.path && CommittedFile.mayBeRotated(path, from: row) {
                if case .found(let file) = CommittedFile.find(row, at: path), file.fits(row) {
                    return settle(file, row, report)
                }
            }
        }
        report(
            UnderstudyError(
                .missingInput,
                "the file of sink \(row.sink) with \(row.length) committed bytes is no longer there (rotated and "
                    + "compressed, or deleted); nothing needs to be done", at: row.path))
        return nil
    }

    private static func settle(
        _ file: CommittedFile, _ row: SinkLength, _ report: (UnderstudyError) -> Void
    ) -> SinkLength {
        var row = row
        row.device = file.device
        row.path = file.path
        if file.size < row.length {
            report(
                UnderstudyError(
                    .inputOutput,
                    "the file of sink \(row.sink) has \(file.size) of \(row.length) committed bytes: it was truncated "
                        + "since the last run, or never forced to the disk", at: file.path))
            row.length = file.size
        } else if file.size > row.length {
            do {
                try file.cut(to: row.length)
                report(
                    UnderstudyError(
                        .inputOutput,
                        "\(file.size - row.length) bytes that the last run hadn't committed were cut off the file of "
                            + "sink \(row.sink); their lines are answered again", at: file.path))
            } catch {
                report(error)
            }
        }
        return row
    }
}
