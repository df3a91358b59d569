import Glibc

/// Bytes that are written in one go and then reused: grows to the largest use and never shrinks.
///
/// Belongs to one thread at a time.
public final class ByteBuffer {
    /// Kept behind a pointer that never changes: as stored properties of a class these would cost a dynamic
    /// exclusivity check for every piece that is appended, which measured a tenth of a filter's time.
    private struct Storage {
        var base: UnsafeMutablePointer<UInt8>
        var count: Int
        var capacity: Int
    }

    private let storage: UnsafeMutablePointer<Storage>

    public init(capacity: Int = 4096) {
        let atLeast = max(capacity, 64)
        storage = .allocate(capacity: 1)
        storage.initialize(to: Storage(base: .allocate(capacity: atLeast), count: 0, capacity: atLeast))
    }

    deinit {
        storage.pointee.base.deallocate()
        storage.deallocate()
    }

    public var count: Int { storage.pointee.count }

    /// The contents; valid until the next change.
    public var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: storage.pointee.base, count: count) }

    /// A copy of the contents.
    public var array: [UInt8] { Array(bytes) }

    public func removeAll() { storage.pointee.count = 0 }

    /// Makes room for `extra` more bytes, and gives the place where they go. Close with `advance`.
    @inline(__always)
    func reserve(_ extra: Int) -> UnsafeMutablePointer<UInt8> {
        if storage.pointee.count + extra > storage.pointee.capacity { grow(storage.pointee.count + extra) }
        return storage.pointee.base + storage.pointee.count
    }

    @inline(__always)
    func advance(_ written: Int) { storage.pointee.count += written }

    @inline(never)
    private func grow(_ needed: Int) {
        let larger = max(needed, storage.pointee.capacity * 2)
        let fresh = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        memcpy(fresh, storage.pointee.base, count)
        storage.pointee.base.deallocate()
        storage.pointee.base = fresh
        storage.pointee.capacity = larger
    }

    @inline(__always)
    public func append(_ byte: UInt8) {
        reserve(1).pointee = byte
        advance(1)
    }

    @inline(__always)
    public func append(_ pointer: UnsafePointer<UInt8>, _ length: Int) {
        memcpy(reserve(length), pointer, length)
        advance(length)
    }

    public func append(_ other: UnsafeBufferPointer<UInt8>) {
        guard let start = other.baseAddress else { return }
        append(start, other.count)
    }

    public func append(_ array: [UInt8]) {
        array.withUnsafeBufferPointer { append($0) }
    }

    public func append(_ text: StaticString) {
        append(text.utf8Start, text.utf8CodeUnitCount)
    }

    /// For the rare pieces that are strings; not for what is written once per line.
    public func append(_ text: String) {
        var text = text
        text.withUTF8 { append($0) }
    }
}
