/// Memory for trivially copyable elements that grows and is then reused from line to line.
struct GrowableBuffer<Element: BitwiseCopyable>: ~Copyable {
    private(set) var base: UnsafeMutablePointer<Element>
    private(set) var capacity: Int
    var count = 0

    init(capacity: Int = 256) {
        self.capacity = capacity
        base = .allocate(capacity: capacity)
    }

    deinit { base.deallocate() }

    /// Makes room for `additional` elements beyond `count`.
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

    /// The first `size` elements, whatever they hold; `count` becomes 0.
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
