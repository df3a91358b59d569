/// UTF-8 lines laid end to end without separators, as the models take them.
///
/// Line `i` owns `bytes[offsets[i] ..< offsets[i + 1]]`.
public struct LineBatch: Sendable {
    public var bytes: [UInt8] = []
    /// `count + 1` offsets into `bytes`; the first is 0.
    public private(set) var offsets: [Int] = [0]

    public init() {}

    public init(_ lines: some Sequence<String>) {
        for line in lines { append(Array(line.utf8)) }
    }

    public var count: Int { offsets.count - 1 }

    public mutating func append(_ line: some Sequence<UInt8>) {
        bytes.append(contentsOf: line)
        offsets.append(bytes.count)
    }

    public mutating func append(_ line: UnsafeBufferPointer<UInt8>) {
        bytes.append(contentsOf: line)
        offsets.append(bytes.count)
    }

    /// Empties the batch and keeps its memory.
    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
        offsets.append(0)
    }

    /// Calls `body` with the bytes of every line in turn.
    public func forEachLine(_ body: (Int, UnsafeBufferPointer<UInt8>) -> Void) {
        bytes.withUnsafeBufferPointer { all in
            for index in 0..<count {
                body(index, UnsafeBufferPointer(rebasing: all[offsets[index]..<offsets[index + 1]]))
            }
        }
    }
}
