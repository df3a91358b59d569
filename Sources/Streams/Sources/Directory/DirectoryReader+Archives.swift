import Diagnostics
import Glibc

/// One turn of a compressed file.
extension DirectoryReader {
    func readArchive(
        _ file: TrackedFile, _ open: OpenFile, _ room: UnsafeMutableRawBufferPointer
    ) throws(CannotTell) -> SourceEvent? {
        if file.unpacker == nil {
            file.unpacker = Unpacker(file.packing == .gzip ? .gzip : .zstd)
            file.toSkip = file.offset
            file.place(at: 0, line: 1)
        }
        guard let unpacker = file.unpacker else { throw CannotTell(number: ENOMEM) }
        while true {
            if file.isTorn {
                guard announced === file else { return announce(file) }
                file.isTorn = false
                return try finish(file, open, FileStatus(open))
            }
            var part = room
            if file.toSkip > 0 {
                part = UnsafeMutableRawBufferPointer(rebasing: room.prefix(Int(min(file.toSkip, UInt64(room.count)))))
            } else if announced !== file {
                return announce(file)
            }
            switch try unpacker.read(open, into: part) {
            case .bytes(var count):
                // In UTF-16, no block ends within a pair of bytes unless the text does.
                while file.unit != .byte, (file.offset + UInt64(count)) % 2 != 0, count < part.count,
                    case .bytes(let more) = try unpacker.read(
                        open, into: UnsafeMutableRawBufferPointer(rebasing: part[count...].prefix(1)))
                { count += more }
                let block = UnsafeRawBufferPointer(rebasing: part[..<count])
                if file.offset == 0, !settings.encoding.isUTF16 { warnOfMark(file, Array(block.prefix(3))) }
                guard file.toSkip > 0 else { return handOut(file, block) }
                file.advance(over: block)
                file.toSkip -= UInt64(count)
                if ledger.withLock({ $0.isInterrupted }) { return .stopped }
                continue
            case .end:
                break
            case .damaged:
                if file.toSkip > 0 {
                    // The archive was intact up to here in an earlier run; the line that is now torn has been answered
                    // or is a dead letter.
                    file.goBackToLine()
                    file.toSkip = 0
                }
                guard announced === file else { break }
                let status = try FileStatus(open)
                let isTorn = file.offset > file.lineStart
                let isTold = isTorn && file.toldSize == status.size
                reportDamage(file, unpacker, isTorn: isTorn)
                // The rest of the torn line may come later: its origin ends before it.
                file.goBackToLine()
                ledger.withLock { ledger in ledger.update(file.identity) { $0.offset = file.offset } }
                if isTold {
                    // The part of the torn line that was handed out is discarded.
                    file.isTorn = true
                    announced = nil
                    break
                }
                let end = try finish(file, open, status)
                return isTorn ? .torn : end
            }
            let status = try FileStatus(open)
            guard announced === file else { return announce(file) }
            return try finish(file, open, status)
        }
    }

    private func reportDamage(_ file: TrackedFile, _ unpacker: Unpacker, isTorn: Bool) {
        let end = "the archive is damaged or cut short; the whole lines before that were read"
        report(
            UnderstudyError(
                .invalidData, isTorn ? end + ", and line \(file.line) is a dead letter" : end,
                at: "\(file.lastPath):byte \(unpacker.rawOffset)"))
    }
}
