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
            var part = room
            if file.toSkip > 0 {
                part = UnsafeMutableRawBufferPointer(rebasing: room.prefix(Int(min(file.toSkip, UInt64(room.count)))))
            } else if announced !== file {
                return announce(file)
            }
            switch try unpacker.read(open, into: part) {
            case .bytes(let count):
                let block = UnsafeRawBufferPointer(rebasing: part[..<count])
                guard file.toSkip > 0 else { return handOut(file, block) }
                file.advance(over: block)
                file.toSkip -= UInt64(count)
                if ledger.withLock({ $0.isInterrupted }) { return .stopped }
                continue
            case .end:
                break
            case .damaged:
                guard announced === file else { break }
                report(
                    UnderstudyError(
                        .invalidData, "the archive is damaged or cut short; what could be unpacked was read",
                        at: "\(file.lastPath):byte \(unpacker.rawOffset)"))
            }
            let status = try FileStatus(open)
            guard announced === file else { return announce(file) }
            return try finish(file, open, status)
        }
    }
}
