import Bytes

/// An immutable array of trivially copyable elements whose subscript doesn't check bounds in release builds.
///
/// For tables that tokenisation reads several times for each code point. The caller must guarantee that indices are in
/// range (they come from tables built together with this one).
///
/// Unchecked sendable: only `init` writes the memory, before the array is shared; afterwards it is only read, and it is
/// freed with the last reference to `storage`.
struct FrozenArray<Element: BitwiseCopyable & Sendable>: @unchecked Sendable {
    private final class Storage {
        let base: UnsafeMutablePointer<Element>

        init(_ elements: [Element]) {
            base = .allocate(capacity: max(elements.count, 1))
            for (index, element) in elements.enumerated() { base[index] = element }
        }

        deinit { base.deallocate() }
    }

    private let storage: Storage
    private let base: UnsafePointer<Element>
    let count: Int

    init(_ elements: [Element]) {
        storage = Storage(elements)
        base = UnsafePointer(storage.base)
        count = elements.count
    }

    @inline(__always)
    subscript(index: Int) -> Element {
        assert(index >= 0 && index < count)
        return base[index]
    }

    /// The elements; valid while this array is alive.
    @inline(__always)
    func pointer(at index: Int) -> UnsafePointer<Element> { base + index }
}

/// Memory for trivially copyable elements that grows and is reused from line to line.
struct GrowableBuffer<Element: BitwiseCopyable>: ~Copyable {
    private(set) var base: UnsafeMutablePointer<Element>
    private(set) var capacity: Int
    var count = 0

    init(capacity: Int = 256) {
        self.capacity = capacity
        base = .allocate(capacity: capacity)
    }

    deinit { base.deallocate() }

    /// Makes room for `additional` elements after `count`.
    @inline(__always)
    mutating func ensure(_ additional: Int) {
        if count &+ additional > capacity { grow(to: count &+ additional) }
    }

    @inline(never)
    private mutating func grow(to needed: Int) {
        let larger = Swift.max(needed, capacity * 2)
        let copy = UnsafeMutablePointer<Element>.allocate(capacity: larger)
        copy.update(from: base, count: count)
        base.deallocate()
        base = copy
        capacity = larger
    }

    @inline(__always)
    mutating func append(_ element: Element) {
        ensure(1)
        base[count] = element
        count &+= 1
    }

    @inline(__always)
    mutating func append(_ source: UnsafePointer<Element>, _ length: Int) {
        ensure(length)
        (base + count).update(from: source, count: length)
        count &+= length
    }

    /// The first `size` elements with undefined values; `count` becomes 0.
    mutating func workspace(_ size: Int) -> UnsafeMutablePointer<Element> {
        count = 0
        ensure(size)
        return base
    }
}

extension GrowableBuffer where Element == UInt8 {
    /// Appends a code point as UTF-8.
    @inline(__always)
    mutating func append(scalar: UInt32) {
        ensure(4)
        count &+= UTF8Code.encode(scalar, to: base + count)
    }
}
