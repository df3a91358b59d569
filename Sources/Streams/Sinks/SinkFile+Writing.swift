import CFiles
import Diagnostics
import Glibc

/// The operations of a sink file on its descriptor, called with its state locked.
extension SinkFile {
    enum Placing {
        case done
        /// Another program has left a line without its newline before the record. The record was taken back.
        case again
        case failed(Int32)
    }

    /// Records `bytes` in the journal, writes them, and determines where they are.
    func place(_ bytes: UnsafeBufferPointer<UInt8>, _ state: inout State, mayTryAgain: Bool) -> Placing {
        let hash = XXHash64.hash(bytes, seed: 0)
        let expected = state.length
        keeping.journal?.note(device: device, inode: inode, start: expected, count: bytes.count, hash: hash)
        let (written, number) = write(bytes)
        guard written > 0 else { return number == 0 ? .done : .failed(number) }
        let offset = lseek(descriptor, 0, SEEK_CUR)
        let end = offset >= UInt64(written) && offset > 0 ? UInt64(offset) : expected + UInt64(written)
        let start = end - UInt64(written)
        if start != expected {
            tellOfOthers(start, state)
            shorten(&state, to: min(start, expected))
            state.length = start
        }
        if number != 0 {
            state.end = end
            state.mustCut = true
            _ = cutBack(&state)
            return .failed(number)
        }
        state.end = end
        if start != expected {
            keeping.journal?.note(device: device, inode: inode, start: start, count: bytes.count, hash: hash)
            if mayTryAgain, bytes.first != UInt8(ascii: "\n"), !endsLine(&state) {
                state.mustCut = true
                if let number = cutBack(&state) { return .failed(number) }
                if state.length == start { return .again }
                // Another program has appended behind the record meanwhile, so it stays.
                return .done
            }
        }
        state.length = end
        state.endsLine = bytes.last == UInt8(ascii: "\n")
        state.mark?.append(UnsafeRawBufferPointer(bytes))
        state.extents.append(Extent(start: start, count: bytes.count, hash: hash))
        return .done
    }

    /// The number of bytes written, and the errno of the write that failed; 0 if all were written.
    private func write(_ bytes: UnsafeBufferPointer<UInt8>) -> (Int, Int32) {
        guard let base = bytes.baseAddress else { return (0, 0) }
        var done = 0
        while done < bytes.count {
            let written = Glibc.write(descriptor, base + done, bytes.count - done)
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

    /// Returns the errno if the file can't be cut to `length`. Cuts only the daemon's own bytes.
    func cutBack(_ state: inout State) -> Int32? {
        var status = understudy_status()
        let number = calls.status(descriptor, &status)
        guard number == 0 else { return number }
        if status.size > state.end {
            report(
                UnderstudyError(
                    .inputOutput,
                    "another program has appended to the file of sink \(sink) behind a record that was to be taken back; "
                        + "that stays, and its lines may be there twice", at: path))
            forgetEnd(&state)
            state.length = status.size
            state.end = status.size
        } else if status.size > state.length {
            var outcome: Int32
            repeat { outcome = ftruncate(descriptor, off_t(state.length)) } while outcome != 0 && errno == EINTR
            guard outcome == 0 else { return errno }
            state.end = state.length
        }
        state.mustCut = false
        return nil
    }

    /// Compares the length with the file's size, unless that was done since the last `synchronise`.
    func look(_ state: inout State) {
        guard state.mustLook else { return }
        var status = understudy_status()
        // If the size can't be read, the next call tries again.
        guard calls.status(descriptor, &status) == 0 else { return }
        state.mustLook = false
        state.isDeleted = status.links == 0
        if status.size < state.length {
            tellOfOthers(status.size, state)
            state.mustCut = false
            shorten(&state, to: status.size)
            state.end = status.size
            takeTornRecord(&state)
        } else if status.size > state.length, !state.mustCut {
            tellOfOthers(status.size, state)
            forgetEnd(&state)
            state.length = status.size
            state.end = status.size
        }
    }

    private func tellOfOthers(_ size: UInt64, _ state: State) {
        let what =
            size < state.length
            ? "another program has truncated the file of sink \(sink) from \(state.length) to \(size) bytes; answers go "
                + "on from there"
            : "another program has appended \(size - state.length) bytes to the file of sink \(sink); they stay, and "
                + "answers go on behind them"
        report(UnderstudyError(.inputOutput, what, at: path))
    }

    /// Subtracts the daemon's own bytes at the end of the file from its length, as far as they are behind `length`.
    func takeBack(_ state: inout State, to length: UInt64) {
        var start = state.length
        for extent in state.extents.reversed() {
            guard extent.end == start, extent.start >= length else { break }
            start = extent.start
        }
        if state.extents.contains(where: { $0.start >= length && $0.end < start }) {
            report(
                UnderstudyError(
                    .inputOutput,
                    "records of sink \(sink) that were to be taken back have another program's lines behind them, so they "
                        + "stay, and their lines may be there twice", at: path))
        }
        shorten(&state, to: start)
    }

    /// The file was cut, by this program or another.
    func shorten(_ state: inout State, to length: UInt64) {
        forgetEnd(&state)
        state.length = min(state.length, length)
        state.committed = min(state.committed, length)
        state.extents.removeAll { $0.end > length }
    }

    private func forgetEnd(_ state: inout State) {
        state.mark = nil
        state.endsLine = nil
    }

    /// Another program has cut the file, perhaps in the middle of a record: the rest of that record is set aside.
    private func takeTornRecord(_ state: inout State) {
        guard let aside = keeping.aside, !endsLine(&state) else { return }
        switch TornRecord.take(from: descriptor, size: state.length, of: sink, at: path, to: aside) {
        case .taken(let length, let note):
            report(note)
            shorten(&state, to: length)
            state.end = length
        // A newline is written before the next record.
        case .left(let note): report(note)
        }
    }

    /// Whether the next record begins a line. If the descriptor can't be read, this is assumed.
    func endsLine(_ state: inout State) -> Bool {
        if let known = state.endsLine { return known }
        var last: UInt8 = 0
        let ends =
            state.length == 0 || pread(descriptor, &last, 1, off_t(state.length - 1)) != 1 || last == UInt8(ascii: "\n")
        state.endsLine = ends
        return ends
    }

    /// The bytes of an extent, if they are unchanged since they were written.
    func ownBytes(_ extent: Extent) -> [UInt8]? {
        guard let bytes = DescriptorBytes.read(descriptor, at: extent.start, count: extent.count) else { return nil }
        return bytes.withUnsafeBufferPointer { XXHash64.hash($0, seed: 0) } == extent.hash ? bytes : nil
    }

    /// Writes the uncommitted bytes again at the same place: after a failed fdatasync the kernel may consider them
    /// written.
    func rewrite(_ state: inout State) {
        let lost = UnderstudyError(
            .inputOutput,
            "the file had no room when it was forced to the disk, and what was written can't be written again; restart",
            at: path)
        // On Linux pwrite appends while O_APPEND is set (pwrite(2)).
        let flags = fcntl(descriptor, F_GETFL)
        guard flags >= 0, fcntl(descriptor, F_SETFL, flags & ~O_APPEND) == 0 else { return state.failure = lost }
        defer { if fcntl(descriptor, F_SETFL, flags) != 0 { state.failure = lost } }
        for extent in state.extents where extent.end > state.committed {
            guard let bytes = ownBytes(extent) else { return state.failure = lost }
            var done = 0
            while done < bytes.count {
                let written = bytes.withUnsafeBytes { bytes in
                    pwrite(
                        descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done,
                        off_t(extent.start) + off_t(done))
                }
                if written > 0 {
                    done += written
                } else if written < 0, errno != EINTR {
                    // If there is no room, the next fdatasync reports it again.
                    if errno != ENOSPC && errno != EDQUOT { state.failure = lost }
                    return
                }
            }
        }
        state.mustRewrite = false
    }
}

/// Reads from a descriptor at an offset.
enum DescriptorBytes {
    /// nil if not all of it exists or can be read; errno is then the reason, and 0 at the end of the file.
    static func read(_ descriptor: Int32, at offset: UInt64, count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let read = bytes.withUnsafeMutableBytes { room in
                PatientCall.result {
                    pread(descriptor, room.baseAddress.map { $0 + done }, count - done, off_t(offset) + off_t(done))
                }
            }
            switch read {
            case .success(let count) where count > 0: done += count
            case .success:
                errno = 0
                return nil
            case .failure(let why):
                errno = why.number
                return nil
            }
        }
        return bytes
    }
}

extension FileMark {
    /// The mark of an open file; nil if it can't be read up to `offset`, with errno as `DescriptorBytes` sets it.
    init?(of descriptor: Int32, upTo offset: UInt64) {
        let width = UInt64(Self.width)
        guard let head = DescriptorBytes.read(descriptor, at: 0, count: Int(min(offset, width))) else { return nil }
        var tail: [UInt8] = []
        if offset > width {
            guard let last = DescriptorBytes.read(descriptor, at: offset - width, count: Self.width) else { return nil }
            tail = last
        }
        self.init(offset: offset, head: head, tail: tail)
    }
}

/// The last line of a file that was truncated.
enum TornRecord {
    enum Outcome {
        case taken(length: UInt64, UnderstudyError)
        case left(UnderstudyError)
    }

    /// No record is longer; longer data is another program's.
    private static let longest: UInt64 = 16 << 20

    /// Sets aside the bytes behind the last newline, and cuts them off.
    static func take(
        from descriptor: Int32, size: UInt64, of sink: String, at path: String, to aside: SetAside
    ) -> Outcome {
        let start = size - min(size, longest)
        guard let bytes = DescriptorBytes.read(descriptor, at: start, count: Int(size - start)) else {
            return .left(left(sink, path, "it can't be read"))
        }
        let newline = bytes.lastIndex(of: UInt8(ascii: "\n"))
        guard newline != nil || start == 0 else { return .left(left(sink, path, "it is too long for one")) }
        let fragment = newline.map { $0 + 1 } ?? 0
        do throws(UnderstudyError) {
            let place = try aside.keep([Array(bytes[fragment...])], of: sink)
            let length = start + UInt64(fragment)
            let number = PatientCall.number { ftruncate(descriptor, off_t(length)) == 0 ? 0 : errno }
            guard number == 0 else { return .left(left(sink, path, String(cString: strerror(number)))) }
            return .taken(
                length: length,
                UnderstudyError(
                    .inputOutput,
                    "the file of sink \(sink) ended in the middle of a record; these \(bytes.count - fragment) bytes "
                        + "were moved to \(place)", at: path))
        } catch {
            return .left(left(sink, path, error.description))
        }
    }

    private static func left(_ sink: String, _ path: String, _ why: String) -> UnderstudyError {
        UnderstudyError(
            .inputOutput,
            "the file of sink \(sink) ends in the middle of a record, which stays as a line of its own (\(why))",
            at: path)
    }
}
