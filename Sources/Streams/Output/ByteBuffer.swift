import Glibc

/// Bytes that are written in one go and then reused: grows to the largest use and never shrinks.
///
/// Belongs to one thread at a time.
public final class ByteBuffer {
    public private(set) var base: UnsafeMutablePointer<UInt8>
    public private(set) var count = 0
    private var capacity: Int

    public init(capacity: Int = 4096) {
        self.capacity = max(capacity, 64)
        base = .allocate(capacity: self.capacity)
    }

    deinit { base.deallocate() }

    public var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: base, count: count) }

    /// A copy of the contents.
    public var array: [UInt8] { Array(bytes) }

    public func removeAll() { count = 0 }

    /// Makes room for `extra` more bytes, and gives the place where they go. Close with `advance`.
    @inline(__always)
    func reserve(_ extra: Int) -> UnsafeMutablePointer<UInt8> {
        if count + extra > capacity { grow(count + extra) }
        return base + count
    }

    @inline(__always)
    func advance(_ written: Int) { count += written }

    @inline(never)
    private func grow(_ needed: Int) {
        let larger = max(needed, capacity * 2)
        let fresh = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        memcpy(fresh, base, count)
        base.deallocate()
        base = fresh
        capacity = larger
    }

    @inline(__always)
    public func append(_ byte: UInt8) {
        reserve(1).pointee = byte
        count += 1
    }

    @inline(__always)
    public func append(_ pointer: UnsafePointer<UInt8>, _ length: Int) {
        memcpy(reserve(length), pointer, length)
        count += length
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
