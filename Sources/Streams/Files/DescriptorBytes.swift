import Glibc

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
