import Diagnostics
import Glibc

/// Detects the compression of a file and the byte order of its text, by the first bytes of the content.
final class ContentDetector {
    private let settings: DirectorySource.Settings
    private let reports: DirectoryReports

    init(_ settings: DirectorySource.Settings, reports: DirectoryReports) {
        self.settings = settings
        self.reports = reports
    }

    /// Sets the file's `packing` and `unit`; false if they can't be determined yet, or this source doesn't read the
    /// file.
    func detect(_ file: TrackedFile, _ open: OpenFile, _ status: FileStatus) throws(CannotTell) -> Bool {
        if file.packing == nil {
            let start = try open.start(4)
            let isAll = file.isSettled || file.offset > 0
            if let packing = Packing(start, isAll: isAll), let unit = try unit(file, open, packing, start, isAll) {
                (file.packing, file.unit) = (packing, unit)
            }
        }
        switch file.packing {
        case nil:
            file.note(status)
            return false
        case .plain:
            return true
        case .gzip, .zstd:
            guard settings.mode == .tail else { return true }
            file.isBlocked = true
            file.note(status)
            reports(
                UnderstudyError(
                    .invalidData,
                    "compressed files are skipped with mode: tail, since they would be"
                        + " read twice; use mode: files, or exclude them", at: settings.path))
            return false
        }
    }

    /// The code unit of the text, by its first bytes; nil while they are too few. `isAll`: no bytes follow them.
    ///
    /// Reports an encoding that differs from the configured one.
    private func unit(
        _ file: TrackedFile, _ open: OpenFile, _ packing: Packing, _ start: [UInt8], _ isAll: Bool
    ) throws(CannotTell) -> CodeUnit? {
        if packing != .plain, settings.mode == .tail { return .byte }
        guard settings.encoding.isUTF16 else {
            if packing == .plain { warnOfMark(file, start) }
            return .byte
        }
        let first = packing == .plain ? start : try firstUnpacked(open, packing)
        guard first.count >= 2 || isAll else { return nil }
        warnOfMark(file, first)
        return settings.encoding.unit(of: first)
    }

    /// Warns if `start`, the first bytes of the text, holds the byte order mark of another encoding.
    func warnOfMark(_ file: TrackedFile, _ start: [UInt8]) {
        let found: (name: String, mark: String)? =
            switch CodeUnit(mark: start) {
            case .littleEndian: ("UTF-16", "FF FE")
            case .bigEndian: ("UTF-16", "FE FF")
            default: start.starts(with: [0xEF, 0xBB, 0xBF]) ? ("UTF-8", "EF BB BF") : nil
            }
        guard let found, settings.encoding.isUTF16 != (found.name == "UTF-16") else { return }
        // GB18030 and Big5 files of Windows have no mark; a UTF-8 mark in one is harmless.
        reports(
            UnderstudyError(
                .invalidData,
                "looks like \(found.name) (byte order mark \(found.mark)); set encoding: \(found.name.lowercased())"
                    + " for this source", at: file.lastPath))
    }

    /// The first unpacked bytes of an archive; fewer than two if there are no more, or if it is damaged there.
    private func firstUnpacked(_ open: OpenFile, _ packing: Packing) throws(CannotTell) -> [UInt8] {
        guard let unpacker = Unpacker(packing) else { throw CannotTell(number: ENOMEM) }
        var first: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 4)
        while first.count < 3 {
            var failure: CannotTell?
            let outcome = bytes.withUnsafeMutableBytes { room in
                do throws(CannotTell) { return try unpacker.read(open, into: room) } catch {
                    failure = error
                    return .end
                }
            }
            if let failure { throw failure }
            guard case .bytes(let count) = outcome else { break }
            first += bytes[..<count]
        }
        return first
    }
}
