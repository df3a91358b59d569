import Bytes
import Diagnostics

/// Collects tensors and writes them as a safetensors file that Python's safetensors loads.
///
/// Source of the format: github.com/huggingface/safetensors, README, "Format". The widest types come first and the
/// header is padded to a multiple of eight bytes, so every tensor is aligned to its type. The file is written beside
/// its path, synced to the disk and renamed (`DurableFile`), with permission 0644.
public struct SafetensorsWriter {
    private enum Content {
        case matrix(Matrix)
        case bytes([UInt8])
    }

    private struct Entry {
        let name: String
        let type: StoredType
        let shape: [Int]
        let content: Content

        var byteCount: Int { shape.reduce(1, *) * type.byteCount }
    }

    private var entries: [Entry] = []
    private var names: Set<String> = []
    private var failure: UnderstudyError?
    private let metadata: [String: String]

    /// `metadata` becomes the header's `__metadata__`; Transformers requires `["format": "pt"]` there.
    public init(metadata: [String: String] = [:]) {
        self.metadata = metadata
    }

    /// Adds `matrix` under `name`, stored as f32, f16, bf16 or i8. The product of `shape` must be the matrix's count.
    ///
    /// `.i8` also adds `<name>.scale`, f32, one factor per row of the first dimension (one in all for a vector or a
    /// scalar). f32 values are read when the file is written: don't change the matrix in between. If a value is not
    /// finite as `type`, `write` throws, since readers would refuse the file.
    public mutating func add(_ name: String, _ matrix: Matrix, shape: [Int], as type: StoredType) {
        precondition(shape.reduce(1, *) == matrix.count, "\(matrix.count) values don't make \(shape)")
        let values = UnsafeBufferPointer(start: matrix.pointer, count: matrix.count)
        note(values, name: name, limit: .greatestFiniteMagnitude)
        switch type {
        case .f32:
            append(Entry(name: name, type: .f32, shape: shape, content: .matrix(matrix)))
        case .f16:
            note(values, name: name, limit: Float(65520).nextDown, type: type)
            add(name, bytes: Self.littleEndian(values, HalfPrecision.f16), shape: shape, as: .f16)
        case .bf16:
            note(values, name: name, limit: Float(bitPattern: 0x7f7f_7fff), type: type)
            add(name, bytes: Self.littleEndian(values, HalfPrecision.bf16), shape: shape, as: .bf16)
        case .i8:
            guard failure == nil else { return }
            let rows = shape.count > 1 ? shape[0] : 1
            let columns = rows == 0 ? 0 : matrix.count / rows
            add(name, QuantisedMatrix(Matrix(rows: rows, columns: columns, values: values)), shape: shape)
        default:
            preconditionFailure("matrices are stored as F32, F16, BF16 or I8, not \(type.rawValue)")
        }
    }

    /// Adds an i8 matrix and its `<name>.scale`. `shape` is (rows, columns) unless given.
    public mutating func add(_ name: String, _ matrix: QuantisedMatrix, shape: [Int]? = nil) {
        let values = UnsafeRawBufferPointer(start: matrix.values.pointer, count: matrix.values.count)
        add(name, bytes: Array(values), shape: shape ?? [matrix.rows, matrix.columns], as: .i8)
        let scales = Matrix(rows: 1, columns: matrix.rows, values: matrix.scales.array)
        add(name + ".scale", scales, shape: [matrix.rows], as: .f32)
    }

    /// Adds a tensor of any type from its stored bytes (little-endian, row-major).
    public mutating func add(_ name: String, bytes: [UInt8], shape: [Int], as type: StoredType) {
        let entry = Entry(name: name, type: type, shape: shape, content: .bytes(bytes))
        precondition(bytes.count == entry.byteCount, "\(bytes.count) bytes don't make \(type.rawValue) \(shape)")
        append(entry)
    }

    /// Writes the file.
    ///
    /// Errors: `cannotCreate`, `inputOutput` (e.g. a full disk), `invalidData` for a value that is not finite. After an
    /// error no file is left.
    public func write(to path: String) throws(UnderstudyError) {
        if let failure { throw failure.placed(at: path) }
        let widestFirst = entries.enumerated().sorted { left, right in
            (-left.element.type.byteCount, left.offset) < (-right.element.type.byteCount, right.offset)
        }.map(\.element)
        let file = try DurableFile(replacing: path)
        try file.write(header(of: widestFirst))
        for entry in widestFirst {
            switch entry.content {
            case .matrix(let matrix):
                try file.write(UnsafeRawBufferPointer(UnsafeBufferPointer(start: matrix.pointer, count: matrix.count)))
            case .bytes(let bytes):
                try file.write(bytes)
            }
        }
        try file.commit()
    }

    private mutating func append(_ entry: Entry) {
        precondition(entry.name != "__metadata__", "this name is reserved by the format")
        precondition(names.insert(entry.name).inserted, "the tensor \(entry.name) is added twice")
        entries.append(entry)
    }

    /// Records the first value that `type` can't represent.
    private mutating func note(
        _ values: UnsafeBufferPointer<Float>, name: String, limit: Float, type: StoredType = .f32
    ) {
        guard failure == nil, let index = values.firstIndex(where: { !(abs($0) <= limit) }) else { return }
        failure = UnderstudyError(
            .invalidData,
            "tensor \(Quoting.name(name)): value \(index) is \(values[index]), which \(type.rawValue) can't hold")
    }

    private static func littleEndian(
        _ values: UnsafeBufferPointer<Float>, _ convert: (Float) -> UInt16
    ) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: values.count * 2) { bytes, count in
            for (index, value) in values.enumerated() {
                let half = convert(value)
                bytes[2 * index] = UInt8(truncatingIfNeeded: half)
                bytes[2 * index + 1] = UInt8(truncatingIfNeeded: half >> 8)
            }
            count = values.count * 2
        }
    }

    /// The eight bytes of length and the JSON, padded with spaces.
    private func header(of entries: [Entry]) -> [UInt8] {
        var members: [(String, JSONTree)] = []
        if !metadata.isEmpty {
            let pairs = metadata.sorted { $0.key < $1.key }.map { ($0.key, JSONTree.string($0.value)) }
            members.append(("__metadata__", .members(pairs)))
        }
        var offset = 0
        for entry in entries {
            let end = offset + entry.byteCount
            members.append(
                (
                    entry.name,
                    .members([
                        ("dtype", .string(entry.type.rawValue)), ("shape", .array(entry.shape.map { .integer($0) })),
                        ("data_offsets", .array([.integer(offset), .integer(end)])),
                    ])
                ))
            offset = end
        }
        var json = Array(JSONTree.members(members).written(.compact).utf8)
        while json.count % 8 != 0 { json.append(0x20) }
        return (0..<8).map { UInt8(truncatingIfNeeded: json.count >> (8 * $0)) } + json
    }
}
