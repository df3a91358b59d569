/// Numbers as text, written without a String in between.
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

    /// A logit to six decimals without trailing zeros: `-3.25`. Huge ones are written with an exponent.
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
