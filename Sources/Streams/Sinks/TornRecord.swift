import Diagnostics
import Glibc

/// The last line of a file that was truncated.
enum TornRecord {
    enum Outcome {
        case taken(length: UInt64, UnderstudyError)
        case left(UnderstudyError)
    }

    /// No record is longer; longer data is another program's.
    private static let longest: UInt64 = 16 << 20

    /// Sets aside the bytes behind the last newline, and cuts them off.
    static func take(
        from descriptor: Int32, size: UInt64, of sink: String, at path: String, to aside: SetAside
    ) -> Outcome {
        let start = size - min(size, longest)
        guard let bytes = DescriptorBytes.read(descriptor, at: start, count: Int(size - start)) else {
            return .left(left(sink, path, "it can't be read"))
        }
        let newline = bytes.lastIndex(of: UInt8(ascii: "\n"))
        guard newline != nil || start == 0 else { return .left(left(sink, path, "it is too long for a record")) }
        let fragment = newline.map { $0 + 1 } ?? 0
        do throws(UnderstudyError) {
            let place = try aside.keep([Array(bytes[fragment...])], of: sink)
            let length = start + UInt64(fragment)
            let number = PatientCall.number { ftruncate(descriptor, off_t(length)) == 0 ? 0 : errno }
            guard number == 0 else { return .left(left(sink, path, String(cString: strerror(number)))) }
            return .taken(
                length: length,
                UnderstudyError(
                    .inputOutput,
                    "the file of sink \(sink) ended in the middle of a record; its \(bytes.count - fragment) bytes "
                        + "were moved to \(place)", at: path))
        } catch {
            return .left(left(sink, path, error.description))
        }
    }

    private static func left(_ sink: String, _ path: String, _ why: String) -> UnderstudyError {
        UnderstudyError(
            .inputOutput,
            "the file of sink \(sink) ends in the middle of a record, which stays as a separate line (\(why))",
            at: path)
    }
}
