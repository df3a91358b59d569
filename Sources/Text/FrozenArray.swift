/// An immutable array of trivially copyable elements whose subscript doesn't check bounds in release builds.
///
/// For the tables that tokenising looks into several times for each code point. The caller proves that indices are
/// in range (they come from tables built together with this one).
///
/// Unchecked sendable: the memory is written by `init` alone, before the array is shared, and freed with the last
/// reference to `storage`; afterwards it is only read.
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

    /// The elements; valid as long as this array is alive.
    @inline(__always)
    func pointer(at index: Int) -> UnsafePointer<Element> { base + index }
}
