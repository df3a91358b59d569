import Glibc

/// A buffer of bytes that is written at once and then reused: it grows to its largest use and never shrinks.
///
/// Used by one thread at a time.
public final class ByteBuffer {
    /// Kept behind a pointer that never changes: stored properties of a class would need a dynamic exclusivity check
    /// for every appended piece, which measured a tenth of a filter's time.
    @usableFromInline struct Storage {
        @usableFromInline var base: UnsafeMutablePointer<UInt8>
        @usableFromInline var count: Int
        @usableFromInline var capacity: Int

        @usableFromInline init(base: UnsafeMutablePointer<UInt8>, count: Int, capacity: Int) {
            self.base = base
            self.count = count
            self.capacity = capacity
        }
    }

    @usableFromInline let storage: UnsafeMutablePointer<Storage>

    public init(capacity: Int = 4096) {
        let atLeast = max(capacity, 64)
        storage = .allocate(capacity: 1)
        storage.initialize(to: Storage(base: .allocate(capacity: atLeast), count: 0, capacity: atLeast))
    }

    deinit {
        storage.pointee.base.deallocate()
        storage.deallocate()
    }

    @inlinable public var count: Int { storage.pointee.count }

    /// The contents; valid until the next change.
    @inlinable public var bytes: UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: storage.pointee.base, count: count)
    }

    /// A copy of the contents.
    public var array: [UInt8] { Array(bytes) }

    @inlinable public func removeAll() { storage.pointee.count = 0 }

    /// Reserves `extra` more bytes and returns the address to write them to. Must be followed by `advance`.
    @inlinable @inline(__always)
    public func reserve(_ extra: Int) -> UnsafeMutablePointer<UInt8> {
        if storage.pointee.count + extra > storage.pointee.capacity { grow(storage.pointee.count + extra) }
        return storage.pointee.base + storage.pointee.count
    }

    @inlinable @inline(__always)
    public func advance(_ written: Int) { storage.pointee.count += written }

    @usableFromInline @inline(never)
    func grow(_ needed: Int) {
        let larger = max(needed, storage.pointee.capacity * 2)
        let fresh = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        memcpy(fresh, storage.pointee.base, count)
        storage.pointee.base.deallocate()
        storage.pointee.base = fresh
        storage.pointee.capacity = larger
    }

    @inlinable @inline(__always)
    public func append(_ byte: UInt8) {
        reserve(1).pointee = byte
        advance(1)
    }

    @inlinable @inline(__always)
    public func append(_ pointer: UnsafePointer<UInt8>, _ length: Int) {
        memcpy(reserve(length), pointer, length)
        advance(length)
    }

    @inlinable public func append(_ other: UnsafeBufferPointer<UInt8>) {
        guard let start = other.baseAddress else { return }
        append(start, other.count)
    }

    @inlinable public func append(_ array: [UInt8]) {
        array.withUnsafeBufferPointer { append($0) }
    }

    @inlinable public func append(_ text: StaticString) {
        append(text.utf8Start, text.utf8CodeUnitCount)
    }

    /// For strings that are appended rarely; not for the pieces of each line.
    public func append(_ text: String) {
        var text = text
        text.withUTF8 { append($0) }
    }
}

/// Numbers as text, written without an intermediate String.
extension ByteBuffer {
    /// A whole number in decimal.
    public func appendDecimal(_ value: UInt64) {
        let place = reserve(20)
        var digits = 1
        var rest = value
        while rest >= 10 {
            rest /= 10
            digits += 1
        }
        rest = value
        var index = digits
        repeat {
            index -= 1
            place[index] = UInt8(truncatingIfNeeded: 0x30 + rest % 10)
            rest /= 10
        } while index > 0
        advance(digits)
    }

    /// Sixteen lower-case hexadecimal digits.
    public func appendHexadecimal(_ value: UInt64) {
        let place = reserve(16)
        for index in 0..<16 {
            let nibble = UInt8(truncatingIfNeeded: (value >> UInt64(60 - 4 * index)) & 15)
            place[index] = nibble < 10 ? 0x30 + nibble : 0x57 + nibble
        }
        advance(16)
    }

    /// A probability to four decimals without trailing zeros: `0.973`, `1.0`, `0.0`. Must be finite.
    public func appendProbability(_ value: Float) {
        appendFixed(Double(value), decimals: 4)
    }

    /// A logit to six decimals without trailing zeros: `-3.25`. Very large values are written with an exponent.
    public func appendLogit(_ value: Float) {
        guard value.isFinite else {
            append("null")
            return
        }
        guard abs(value) < 1e9 else {
            append("\(value)")
            return
        }
        appendFixed(Double(value), decimals: 6)
    }

    /// Logits as a JSON array.
    public func appendLogits(_ logits: UnsafeBufferPointer<Float>) {
        append(UInt8(ascii: "["))
        for (index, logit) in logits.enumerated() {
            if index > 0 { append(UInt8(ascii: ",")) }
            appendLogit(logit)
        }
        append(UInt8(ascii: "]"))
    }

    private func appendFixed(_ value: Double, decimals: Int) {
        var scale: Double = 1
        for _ in 0..<decimals { scale *= 10 }
        let scaled = UInt64((abs(value) * scale).rounded())
        let unit = UInt64(scale)
        if value < 0, scaled > 0 { append(UInt8(ascii: "-")) }
        appendDecimal(scaled / unit)
        append(UInt8(ascii: "."))
        var fraction = scaled % unit
        let place = reserve(decimals)
        for index in stride(from: decimals - 1, through: 0, by: -1) {
            place[index] = UInt8(truncatingIfNeeded: 0x30 + fraction % 10)
            fraction /= 10
        }
        var kept = decimals
        while kept > 1, place[kept - 1] == 0x30 { kept -= 1 }
        advance(kept)
    }
}

/// Binary data as text.
extension ByteBuffer {
    /// `bytes` in base64 with padding (RFC 4648 section 4).
    public func appendBase64(_ bytes: UnsafeBufferPointer<UInt8>) {
        let start = reserve((bytes.count + 2) / 3 * 4)
        var out = start
        var index = 0
        while index < bytes.count {
            let left = bytes.count - index
            let group =
                UInt32(bytes[index]) << 16 | (left > 1 ? UInt32(bytes[index + 1]) << 8 : 0)
                | (left > 2 ? UInt32(bytes[index + 2]) : 0)
            out[0] = Self.base64Digit(group >> 18)
            out[1] = Self.base64Digit(group >> 12 & 63)
            out[2] = left > 1 ? Self.base64Digit(group >> 6 & 63) : UInt8(ascii: "=")
            out[3] = left > 2 ? Self.base64Digit(group & 63) : UInt8(ascii: "=")
            out += 4
            index += 3
        }
        advance(out - start)
    }

    private static func base64Digit(_ value: UInt32) -> UInt8 {
        let value = UInt8(truncatingIfNeeded: value)
        return switch value {
        case 0..<26: UInt8(ascii: "A") + value
        case 26..<52: UInt8(ascii: "a") + value - 26
        case 52..<62: UInt8(ascii: "0") + value - 52
        case 62: UInt8(ascii: "+")
        default: UInt8(ascii: "/")
        }
    }
}
