import Bytes
import CFiles
import Diagnostics
import Glibc

/// Where the daemon's bytes are in an open output file. `SinkFile` guards it with a lock.
struct SinkFileContent: Sendable {
    /// The open file.
    struct Handle: Sendable {
        var sink: String
        var path: String
        var device: UInt64
        var inode: UInt64
        /// Opened for appending.
        var descriptor: Int32
        var keeping: SinkKeeping
        var calls: SinkCalls
        var report: @Sendable (UnderstudyError) -> Void

        /// Records an append in the journal.
        fileprivate func note(_ count: Int, at start: UInt64, _ hash: UInt64) {
            keeping.journal?.note(device: device, inode: inode, start: start, count: count, hash: hash)
        }
    }

    /// The daemon's own bytes since the last commit.
    private struct Extent {
        var start: UInt64
        var count: Int
        var hash: UInt64
        var end: UInt64 { start + UInt64(count) }
    }

    private enum Placing {
        case done
        /// Another program has left a line without its newline before the record. The record was taken back.
        case again
        case failed(Int32)
    }

    private let file: Handle
    private(set) var length: UInt64
    /// The length at the last commit.
    private var committed: UInt64
    /// Where the daemon's own bytes end in the file; greater than `length` until they have been taken back.
    private var end: UInt64
    /// The mark of the bytes before `length`; nil if it must be read again.
    private var mark: FileMark?
    /// Whether the byte before `length` is a newline; nil if it must be read.
    private var endsLine: Bool?
    private var extents: [Extent] = []
    /// The file may be longer than `length`: a cut has failed.
    private var mustCut = false
    /// Other programs may have changed the file since its size was last read.
    private var mustLook = false
    /// There was no room to sync the data: the kernel has discarded it, so it must be written again.
    private var mustRewrite = false
    private(set) var isDeleted = false
    /// Data may have been lost between memory and disk; later writes can't repair that.
    private(set) var failure: UnderstudyError?

    init(_ file: Handle, size: UInt64) {
        self.file = file
        (length, committed, end) = (size, size, size)
    }

    /// Reads the file's present state.
    mutating func position() -> SinkFile.Position {
        mustLook = true
        look()
        if mark == nil { mark = FileMark(of: file.descriptor, upTo: length) }
        return SinkFile.Position(length: length, mark: mark?.hash(born: 0) ?? 0, isDeleted: isDeleted)
    }

    /// Compares the length with the file's size, unless that was done since the last `expectChanges`.
    mutating func look() {
        guard mustLook else { return }
        var status = understudy_status()
        // If the size can't be read, the next call tries again.
        guard file.calls.status(file.descriptor, &status) == 0 else { return }
        mustLook = false
        isDeleted = status.links == 0
        if status.size < length {
            tellOfOthers(status.size)
            mustCut = false
            shorten(to: status.size)
            end = status.size
            takeTornRecord()
        } else if status.size > length, !mustCut {
            tellOfOthers(status.size)
            forgetEnd()
            length = status.size
            end = status.size
        }
    }

    /// Other programs may change the file from now on.
    mutating func expectChanges() { mustLook = true }

    /// Everything up to `length` is committed.
    mutating func noteCommitted(_ length: UInt64) {
        committed = min(length, self.length)
        extents.removeAll { $0.end <= length }
    }

    /// The daemon's own bytes since the last commit; nil for those that have changed or can't be read.
    func uncommitted() -> [[UInt8]?] { extents.filter { $0.start >= committed }.map(ownBytes) }

    // MARK: appends

    /// Appends all of `bytes` or nothing. Returns the errno; nil if it was done.
    mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) -> Int32? {
        look()
        if let number = finishCut() { return number }
        // Maximum of three attempts; if another program interferes each time, the record stays where it is.
        var tries = 0
        while true {
            tries += 1
            let outcome: Placing
            if readEndsLine() {
                outcome = place(bytes, mayTryAgain: tries < 3)
            } else {
                let joined = [UInt8(ascii: "\n")] + bytes
                outcome = joined.withUnsafeBufferPointer { place($0, mayTryAgain: tries < 3) }
            }
            switch outcome {
            case .done: return nil
            case .again: continue
            case .failed(let number): return number
            }
        }
    }

    /// Records `bytes` in the journal, writes them, and determines where they are.
    private mutating func place(_ bytes: UnsafeBufferPointer<UInt8>, mayTryAgain: Bool) -> Placing {
        let hash = XXHash64.hash(bytes, seed: 0)
        let expected = length
        file.note(bytes.count, at: expected, hash)
        let (written, number) = write(bytes)
        guard written > 0 else { return number == 0 ? .done : .failed(number) }
        let offset = lseek(file.descriptor, 0, SEEK_CUR)
        let newEnd = offset >= UInt64(written) && offset > 0 ? UInt64(offset) : expected + UInt64(written)
        let start = newEnd - UInt64(written)
        if start != expected {
            tellOfOthers(start)
            shorten(to: min(start, expected))
            length = start
        }
        if number != 0 {
            end = newEnd
            mustCut = true
            _ = cutBack()
            return .failed(number)
        }
        end = newEnd
        if start != expected {
            file.note(bytes.count, at: start, hash)
            if mayTryAgain, bytes.first != UInt8(ascii: "\n"), !readEndsLine() {
                mustCut = true
                if let number = cutBack() { return .failed(number) }
                if length == start { return .again }
                // Another program has appended behind the record meanwhile, so it stays.
                return .done
            }
        }
        length = newEnd
        endsLine = bytes.last == UInt8(ascii: "\n")
        mark?.append(UnsafeRawBufferPointer(bytes))
        extents.append(Extent(start: start, count: bytes.count, hash: hash))
        return .done
    }

    /// The number of bytes written, and the errno of the write that failed; 0 if all were written.
    private func write(_ bytes: UnsafeBufferPointer<UInt8>) -> (Int, Int32) {
        guard let base = bytes.baseAddress else { return (0, 0) }
        var done = 0
        while done < bytes.count {
            let written = Glibc.write(file.descriptor, base + done, bytes.count - done)
            if written > 0 {
                done += written
            } else if written == 0 {
                return (done, ENOSPC)
            } else if errno != EINTR {
                return (done, errno)
            }
        }
        return (done, 0)
    }

    /// Whether the next record begins a line. If the descriptor can't be read, this is assumed.
    private mutating func readEndsLine() -> Bool {
        if let known = endsLine { return known }
        var last: UInt8 = 0
        let ends =
            length == 0 || pread(file.descriptor, &last, 1, off_t(length - 1)) != 1 || last == UInt8(ascii: "\n")
        endsLine = ends
        return ends
    }

    // MARK: cuts

    /// Takes back the bytes behind `length`. Returns the errno if they are still in the file.
    mutating func cut(to length: UInt64) -> Int32? {
        guard length < self.length || mustCut else { return nil }
        if length < self.length { takeBack(to: length) }
        mustCut = true
        return cutBack()
    }

    /// Makes one more attempt to cut off the bytes that were taken back. Returns the errno if they are still in the
    /// file.
    mutating func finishCut() -> Int32? { mustCut ? cutBack() : nil }

    /// Returns the errno if the file can't be cut to `length`. Cuts only the daemon's own bytes.
    private mutating func cutBack() -> Int32? {
        var status = understudy_status()
        let number = file.calls.status(file.descriptor, &status)
        guard number == 0 else { return number }
        if status.size > end {
            file.report(
                UnderstudyError(
                    .inputOutput,
                    "another program has appended to the file of sink \(file.sink) behind a record that was to be taken "
                        + "back; the record stays, and its lines may be duplicated", at: file.path))
            forgetEnd()
            length = status.size
            end = status.size
        } else if status.size > length {
            var outcome: Int32
            repeat { outcome = ftruncate(file.descriptor, off_t(length)) } while outcome != 0 && errno == EINTR
            guard outcome == 0 else { return errno }
            end = length
        }
        mustCut = false
        return nil
    }

    /// Subtracts the daemon's own bytes at the end of the file from its length, as far as they are behind `length`.
    private mutating func takeBack(to length: UInt64) {
        var start = self.length
        for extent in extents.reversed() {
            guard extent.end == start, extent.start >= length else { break }
            start = extent.start
        }
        if extents.contains(where: { $0.start >= length && $0.end < start }) {
            file.report(
                UnderstudyError(
                    .inputOutput,
                    "records of sink \(file.sink) to be rolled back are followed by another program's lines, "
                        + "so they stay, and their lines may be duplicated", at: file.path))
        }
        shorten(to: start)
    }

    /// The file was cut, by this program or another.
    private mutating func shorten(to length: UInt64) {
        forgetEnd()
        self.length = min(self.length, length)
        committed = min(committed, length)
        extents.removeAll { $0.end > length }
    }

    private mutating func forgetEnd() {
        mark = nil
        endsLine = nil
    }

    /// Another program has cut the file, perhaps in the middle of a record: the rest of that record is set aside.
    private mutating func takeTornRecord() {
        guard let aside = file.keeping.aside, !readEndsLine() else { return }
        switch TornRecord.take(from: file.descriptor, size: length, of: file.sink, at: file.path, to: aside) {
        case .taken(let length, let note):
            file.report(note)
            shorten(to: length)
            end = length
        // A newline is written before the next record.
        case .left(let note): file.report(note)
        }
    }

    private func tellOfOthers(_ size: UInt64) {
        let what =
            size < length
            ? "another program has truncated the file of sink \(file.sink) from \(length) to \(size) bytes; writing "
                + "continues there"
            : "another program has appended \(size - length) bytes to the file of sink \(file.sink); they stay, and "
                + "answers follow them"
        file.report(UnderstudyError(.inputOutput, what, at: file.path))
    }

    // MARK: syncs

    /// Writes again what the kernel has discarded. Returns the reason why the file can't be synced.
    mutating func prepareSync() -> UnderstudyError? {
        if failure == nil, mustRewrite { rewrite() }
        if let failure { return failure }
        return mustRewrite ? SinkFile.failure("synced to disk", ENOSPC, file.path) : nil
    }

    /// The sync failed with that errno. Returns the error.
    mutating func noteFailedSync(_ number: Int32) -> UnderstudyError {
        let error = SinkFile.failure("synced to disk", number, file.path)
        if number == ENOSPC || number == EDQUOT { mustRewrite = true } else { failure = error }
        return error
    }

    /// Writes the uncommitted bytes again at the same place: after a failed fdatasync the kernel may consider them
    /// written.
    private mutating func rewrite() {
        let lost = UnderstudyError(
            .inputOutput,
            "the disk was full when the file was synced, and its data can't be written again; restart",
            at: file.path)
        // On Linux pwrite appends while O_APPEND is set (pwrite(2)).
        let flags = fcntl(file.descriptor, F_GETFL)
        guard flags >= 0, fcntl(file.descriptor, F_SETFL, flags & ~O_APPEND) == 0 else { return failure = lost }
        defer { if fcntl(file.descriptor, F_SETFL, flags) != 0 { failure = lost } }
        for extent in extents where extent.end > committed {
            guard let bytes = ownBytes(extent) else { return failure = lost }
            var done = 0
            while done < bytes.count {
                let written = bytes.withUnsafeBytes { bytes in
                    pwrite(
                        file.descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done,
                        off_t(extent.start) + off_t(done))
                }
                if written > 0 {
                    done += written
                } else if written < 0, errno != EINTR {
                    // If there is no room, the next fdatasync reports it again.
                    if errno != ENOSPC && errno != EDQUOT { failure = lost }
                    return
                }
            }
        }
        mustRewrite = false
    }

    /// The bytes of an extent, if they are unchanged since they were written.
    private func ownBytes(_ extent: Extent) -> [UInt8]? {
        guard let bytes = DescriptorBytes.read(file.descriptor, at: extent.start, count: extent.count) else {
            return nil
        }
        return bytes.withUnsafeBufferPointer { XXHash64.hash($0, seed: 0) } == extent.hash ? bytes : nil
    }
}
