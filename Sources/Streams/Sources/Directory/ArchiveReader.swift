import Diagnostics
import Glibc

/// Reads an open compressed file, block by block of its unpacked content.
final class ArchiveReader {
    private let encoding: TextEncoding
    private let detector: ContentDetector
    private let output: FileOutput
    private let reports: DirectoryReports

    init(
        _ settings: DirectorySource.Settings, detector: ContentDetector, output: FileOutput, reports: DirectoryReports
    ) {
        encoding = settings.encoding
        self.detector = detector
        self.output = output
        self.reports = reports
    }

    func read(
        _ file: TrackedFile, _ open: OpenFile, into room: UnsafeMutableRawBufferPointer
    ) throws(CannotTell) -> SourceEvent {
        let unpacker = try unpacker(of: file)
        while true {
            if file.isTorn {
                guard output.isOpen(file) else { return output.announce(file) }
                file.isTorn = false
                return try output.finish(file, open, FileStatus(open))
            }
            var part = room
            if file.toSkip > 0 {
                part = UnsafeMutableRawBufferPointer(rebasing: room.prefix(Int(min(file.toSkip, UInt64(room.count)))))
            } else if !output.isOpen(file) {
                return output.announce(file)
            }
            switch try unpacker.read(open, into: part) {
            case .bytes(var count):
                // In UTF-16, no block ends within a pair of bytes unless the text does.
                while file.unit != .byte, (file.offset + UInt64(count)) % 2 != 0, count < part.count,
                    case .bytes(let more) = try unpacker.read(
                        open, into: UnsafeMutableRawBufferPointer(rebasing: part[count...].prefix(1)))
                { count += more }
                let block = UnsafeRawBufferPointer(rebasing: part[..<count])
                if file.offset == 0, !encoding.isUTF16 { detector.warnOfMark(file, Array(block.prefix(3))) }
                guard file.toSkip > 0 else { return output.handOut(file, block) }
                file.advance(over: block)
                file.toSkip -= UInt64(count)
                if output.isInterrupted { return .stopped }
                continue
            case .end:
                break
            case .damaged:
                if let event = try endDamaged(file, open, unpacker) { return event }
            }
            let status = try FileStatus(open)
            guard output.isOpen(file) else { return output.announce(file) }
            return try output.finish(file, open, status)
        }
    }

    /// The unpacker of the file; a new one skips what was handed out before.
    private func unpacker(of file: TrackedFile) throws(CannotTell) -> Unpacker {
        if let unpacker = file.unpacker { return unpacker }
        file.unpacker = Unpacker(file.packing == .gzip ? .gzip : .zstd)
        file.toSkip = file.offset
        file.place(at: 0, line: 1)
        guard let unpacker = file.unpacker else { throw CannotTell(number: ENOMEM) }
        return unpacker
    }

    /// The archive yields no more data though it isn't whole. nil if its end is handed out later, or the file must be
    /// announced first.
    private func endDamaged(
        _ file: TrackedFile, _ open: OpenFile, _ unpacker: Unpacker
    ) throws(CannotTell) -> SourceEvent? {
        if file.toSkip > 0 {
            // The archive was intact up to here in an earlier run; the line that is now torn has been answered
            // or is a dead letter.
            file.goBackToLine()
            file.toSkip = 0
        }
        guard output.isOpen(file) else { return nil }
        let status = try FileStatus(open)
        let isTorn = file.offset > file.lineStart
        let isTold = isTorn && file.toldSize == status.size
        reportDamage(file, unpacker, isTorn: isTorn)
        // The rest of the torn line may come later: its origin ends before it.
        file.goBackToLine()
        output.noteOffset(file)
        if isTold {
            // The part of the torn line that was handed out is discarded.
            file.isTorn = true
            output.close(file)
            return nil
        }
        let end = try output.finish(file, open, status)
        return isTorn ? .torn : end
    }

    private func reportDamage(_ file: TrackedFile, _ unpacker: Unpacker, isTorn: Bool) {
        let end = "the archive is damaged or truncated; whole lines before that were read"
        reports.always(
            UnderstudyError(
                .invalidData, isTorn ? end + ", and line \(file.line) is a dead letter" : end,
                at: "\(file.lastPath):byte \(unpacker.rawOffset)"))
    }
}
