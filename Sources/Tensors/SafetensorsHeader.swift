import Bytes
import Diagnostics

/// The checked header of a safetensors file: its tensors and their byte ranges.
///
/// Source: github.com/huggingface/safetensors, README, "Format". Every rule there is checked: the header is a JSON
/// object of at most 100 MB that starts with `{`, without duplicate keys; every tensor's size matches its shape and
/// type; and the tensors cover the data without overlap, gap or rest.
struct SafetensorsHeader: Sendable {
    struct Tensor: Sendable {
        let type: StoredType
        let shape: [Int]
        /// The byte range in the file, from its start.
        let range: Range<Int>
        /// The product of the shape.
        let count: Int
    }

    /// The limit of the reference implementation.
    static let maximumByteCount = 100_000_000

    private(set) var names: [String] = []
    private(set) var tensors: [String: Tensor] = [:]
    private(set) var metadata: [String: String] = [:]

    /// Parses the header at the start of `file`, the whole file's bytes. The errors have no position.
    init(file: UnsafeRawBufferPointer) throws(UnderstudyError) {
        guard file.count >= 8 else {
            throw Self.invalid("the file has \(file.count) bytes, too few for a safetensors file")
        }
        let stated = UInt64(littleEndian: file.loadUnaligned(as: UInt64.self))
        guard stated <= UInt64(Self.maximumByteCount) else {
            throw Self.invalid("the header claims \(stated) bytes, more than a safetensors file may have")
        }
        let length = Int(stated)
        guard length <= file.count - 8 else {
            throw Self.invalid(
                "the header claims \(length) bytes, but only \(file.count - 8) follow; the file is truncated")
        }
        let header = UnsafeRawBufferPointer(rebasing: file[8..<8 + length])
        guard header.first == UInt8(ascii: "{") else {
            throw Self.invalid("the header doesn't start with an opening brace; this is not a safetensors file")
        }
        let tree: JSONTree
        do {
            tree = try JSONReader().read(header)
        } catch {
            throw Self.invalid("the header is not valid JSON at byte \(error.place): \(error.message)")
        }
        guard let members = tree.object?.members else { throw Self.invalid("the header is not a JSON object") }
        let dataStart = 8 + length
        for member in members {
            let (name, value) = (member.key, member.value)
            if name == "__metadata__" {
                metadata = try Self.metadata(from: value)
            } else {
                let tensor = try Self.tensor(named: name, from: value, dataStart: dataStart, fileEnd: file.count)
                names.append(name)
                tensors[name] = tensor
            }
        }
        try checkCover(dataStart: dataStart, fileEnd: file.count)
    }

    private static func invalid(_ message: String) -> UnderstudyError { UnderstudyError(.invalidData, message) }

    private static func metadata(from value: JSONTree) throws(UnderstudyError) -> [String: String] {
        guard let members = value.object?.members else { throw invalid("__metadata__ is not a JSON object") }
        var metadata: [String: String] = [:]
        for member in members {
            guard let text = member.value.string else {
                throw invalid("the value of \(Quoting.name(member.key)) in __metadata__ is not a string")
            }
            metadata[member.key] = text
        }
        return metadata
    }

    private static func tensor(
        named name: String, from value: JSONTree, dataStart: Int, fileEnd: Int
    ) throws(UnderstudyError) -> Tensor {
        func wrong(_ message: String) -> UnderstudyError { invalid("tensor \(Quoting.name(name)): \(message)") }
        guard case .object(let members) = value else { throw wrong("its entry is not a JSON object") }
        for key in members.keys where key != "dtype" && key != "shape" && key != "data_offsets" {
            throw wrong("its entry has the unknown key \(Quoting.name(key))")
        }
        guard case .string(let typeName)? = members["dtype"] else { throw wrong("dtype is missing or not a string") }
        guard let type = StoredType(rawValue: typeName) else {
            throw wrong("the dtype \(Quoting.name(typeName)) is not known")
        }
        guard let shape = integers(members["shape"]) else {
            throw wrong("shape is missing or not an array of whole numbers from 0")
        }
        guard let offsets = integers(members["data_offsets"]), offsets.count == 2 else {
            throw wrong("data_offsets is missing or not an array of two whole numbers from 0")
        }
        var count = 1
        for dimension in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
            guard !overflow else { throw wrong("the shape \(shape) is too large") }
            count = product
        }
        let (byteCount, overflow) = count.multipliedReportingOverflow(by: type.byteCount)
        guard !overflow else { throw wrong("the shape \(shape) is too large") }
        guard offsets[0] <= offsets[1] else { throw wrong("its data ends before it starts") }
        guard offsets[1] <= fileEnd - dataStart else {
            throw wrong(
                "its data ends at byte \(offsets[1]) of \(fileEnd - dataStart); truncated file or wrong header")
        }
        guard offsets[1] - offsets[0] == byteCount else {
            throw wrong("it has \(offsets[1] - offsets[0]) bytes, but \(type.rawValue) \(shape) needs \(byteCount)")
        }
        return Tensor(
            type: type, shape: shape, range: dataStart + offsets[0]..<dataStart + offsets[1], count: count)
    }

    /// An array of non-negative integers that fit into an Int; nil for anything else.
    private static func integers(_ value: JSONTree?) -> [Int]? {
        guard case .array(let elements)? = value else { return nil }
        var numbers: [Int] = []
        for element in elements {
            guard let number = element.integer, number >= 0 else { return nil }
            numbers.append(number)
        }
        return numbers
    }

    /// The tensors, in the order of their positions, must be contiguous from the first data byte to the end of the
    /// file.
    private func checkCover(dataStart: Int, fileEnd: Int) throws(UnderstudyError) {
        var ranges: [(name: String, range: Range<Int>)] = []
        for name in names {
            if let tensor = tensors[name] { ranges.append((name, tensor.range)) }
        }
        ranges.sort { left, right in
            (left.range.lowerBound, left.range.upperBound) < (right.range.lowerBound, right.range.upperBound)
        }
        var end = dataStart
        for (name, range) in ranges {
            guard range.lowerBound >= end else {
                throw Self.invalid("the data of tensor \(Quoting.name(name)) overlaps another tensor's")
            }
            guard range.lowerBound == end else {
                throw Self.invalid("\(range.lowerBound - end) bytes before tensor \(Quoting.name(name)) belong to none")
            }
            end = range.upperBound
        }
        guard end == fileEnd else {
            throw Self.invalid("\(fileEnd - end) bytes at the end of the file belong to no tensor")
        }
    }
}
