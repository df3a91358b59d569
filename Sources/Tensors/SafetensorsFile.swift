import Bytes
import Diagnostics

/// A safetensors file, mapped into memory and checked when it is opened.
///
/// Reads f32, f16, bf16 and i8 tensors as f32. An i8 tensor `x` is accompanied by an f32 tensor `x.scale` with one
/// factor per row (the first dimension; a vector is one row), as written by `SafetensorsWriter`. Errors have the file
/// as their place and name the tensor: `missingInput` for a missing file, `invalidData` for invalid content.
public final class SafetensorsFile: Sendable {
    private let file: MappedFile
    private let header: SafetensorsHeader

    public init(path: String) throws(UnderstudyError) {
        file = try MappedFile(path: path)
        do {
            header = try file.withBytes { (bytes) throws(UnderstudyError) in try SafetensorsHeader(file: bytes) }
        } catch {
            throw error.placed(at: path)
        }
    }

    public var path: String { file.path }
    /// In the order of the header.
    public var names: [String] { header.names }
    public var metadata: [String: String] { header.metadata }

    public func contains(_ name: String) -> Bool { header.tensors[name] != nil }

    public func shape(of name: String) throws(UnderstudyError) -> [Int] { try tensor(name).shape }

    public func storedType(of name: String) throws(UnderstudyError) -> StoredType { try tensor(name).type }

    /// The tensor as f32, (rows, columns). The stored shape must be exactly that.
    public func matrix(_ name: String, rows: Int, columns: Int) throws(UnderstudyError) -> Matrix {
        try matrix(name, shape: [rows, columns], rows: rows, columns: columns)
    }

    /// A tensor of one dimension as f32, (1, count). The stored shape must be exactly that.
    public func vector(_ name: String, count: Int) throws(UnderstudyError) -> Matrix {
        try matrix(name, shape: [count], rows: 1, columns: count)
    }

    /// An i8 tensor with its scales, as stored, (rows, columns). The stored shape must be exactly that.
    public func quantised(_ name: String, rows: Int, columns: Int) throws(UnderstudyError) -> QuantisedMatrix {
        let tensor = try tensor(name)
        try check(name, tensor, shape: [rows, columns])
        guard tensor.type == .i8 else {
            throw wrong(name, "it is stored as \(tensor.type.rawValue), but I8 is needed")
        }
        return try quantised(name, tensor, rows: rows, columns: columns)
    }

    /// The tensor with its stored number of bits, (rows, columns): f16 and i8 stay, f32 and bf16 become f32.
    public func stored(_ name: String, rows: Int, columns: Int) throws(UnderstudyError) -> StoredMatrix {
        let tensor = try tensor(name)
        switch tensor.type {
        case .i8: return .quantised(try quantised(name, rows: rows, columns: columns))
        case .f16:
            try check(name, tensor, shape: [rows, columns])
            let values = AlignedBuffer<UInt16>(zeros: tensor.count)
            try withBytes(of: name) { bytes in
                UnsafeMutableRawBufferPointer(start: values.pointer, count: bytes.count).copyMemory(from: bytes)
            }
            for index in 0..<tensor.count where values.pointer[index] & 0x7c00 == 0x7c00 {
                throw wrong(name, "value \(index) is not finite")
            }
            return .half(rows: rows, columns: columns, values)
        default: return .single(try matrix(name, rows: rows, columns: columns))
        }
    }

    /// Calls `body` with the stored bytes (little-endian, row-major, at any alignment); they must not be kept.
    public func withBytes<Result>(
        of name: String, _ body: (UnsafeRawBufferPointer) throws(UnderstudyError) -> Result
    ) throws(UnderstudyError) -> Result {
        let range = try tensor(name).range
        return try file.withBytes { (bytes) throws(UnderstudyError) in
            try body(UnsafeRawBufferPointer(rebasing: bytes[range]))
        }
    }

    private func wrong(_ name: String, _ message: String) -> UnderstudyError {
        UnderstudyError(.invalidData, "tensor \(Quoting.name(name)): \(message)", at: path)
    }

    private func tensor(_ name: String) throws(UnderstudyError) -> SafetensorsHeader.Tensor {
        guard let tensor = header.tensors[name] else { throw wrong(name, "it is missing from the file") }
        return tensor
    }

    private func check(_ name: String, _ tensor: SafetensorsHeader.Tensor, shape: [Int]) throws(UnderstudyError) {
        guard tensor.shape == shape else {
            throw wrong(name, "its shape is \(tensor.shape), but \(shape) is needed")
        }
    }

    private func matrix(_ name: String, shape: [Int], rows: Int, columns: Int) throws(UnderstudyError) -> Matrix {
        let tensor = try tensor(name)
        try check(name, tensor, shape: shape)
        if tensor.type == .i8 {
            return try quantised(name, tensor, rows: rows, columns: columns).dequantised()
        }
        let matrix = Matrix(rows: rows, columns: columns)
        let values = UnsafeMutableBufferPointer(start: matrix.pointer, count: matrix.count)
        try withBytes(of: name) { (bytes) throws(UnderstudyError) in
            guard let source = bytes.baseAddress, !values.isEmpty else { return }
            switch tensor.type {
            case .f32: UnsafeMutableRawBufferPointer(values).copyMemory(from: bytes)
            case .f16: HalfPrecision.decodeF16(source, into: values)
            case .bf16: HalfPrecision.decodeBF16(source, into: values)
            default: throw wrong(name, "it is stored as \(tensor.type.rawValue); F32, F16, BF16 or I8 is needed")
            }
        }
        try checkFinite(name, matrix)
        return matrix
    }

    private func checkFinite(_ name: String, _ matrix: Matrix) throws(UnderstudyError) {
        let values = matrix.pointer
        var wrongOnes = 0
        for index in 0..<matrix.count where !values[index].isFinite { wrongOnes &+= 1 }
        guard wrongOnes > 0 else { return }
        for index in 0..<matrix.count where !values[index].isFinite {
            throw wrong(name, "value \(index) is \(values[index]); \(wrongOnes) of its \(matrix.count) are not finite")
        }
    }

    private func quantised(
        _ name: String, _ tensor: SafetensorsHeader.Tensor, rows: Int, columns: Int
    ) throws(UnderstudyError) -> QuantisedMatrix {
        let scaleName = name + ".scale"
        guard contains(scaleName) else {
            throw wrong(name, "it is stored as I8, but there is no tensor \(Quoting.name(scaleName)) to scale it by")
        }
        guard try storedType(of: scaleName) == .f32 else { throw wrong(scaleName, "it must be stored as F32") }
        let scales = try vector(scaleName, count: rows)
        // Finite scales times i8 can still overflow.
        for row in 0..<rows where !(scales.pointer[row] * 128).isFinite {
            throw wrong(scaleName, "value \(row) is \(scales.pointer[row]), too large for finite weights")
        }
        let values = AlignedBuffer<Int8>(zeros: tensor.count)
        try withBytes(of: name) { bytes in
            UnsafeMutableRawBufferPointer(start: values.pointer, count: values.count).copyMemory(from: bytes)
        }
        return QuantisedMatrix(rows: rows, columns: columns, values: values, scales: scales.storage)
    }
}
