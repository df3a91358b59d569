import Bytes
import Diagnostics
import Streams

extension FuzzTargets {
    /// A stream that is split into lines and decoded. The first two bytes select the form, the encoding and the sizes
    /// of the reads. For any sizes the lines must be the same and contiguous, and a text must be UTF-8.
    static func lines(_ bytes: [UInt8]) {
        var input = FuzzInput(bytes)
        let (choice, step) = (Int(input.byte()), Int(input.byte()) + 1)
        let forms: [InputForm] = [.line, .jsonl(field: "text"), .tsv(column: 2)]
        let encodings = TextEncoding.allCases
        let form = forms[choice % forms.count]
        let encoding = encodings[choice / forms.count % encodings.count]
        let stream = Array(input.rest)
        let unit = encoding.unit(of: stream)
        let pieces = records(stream, unit, step: step)
        let whole = records(stream, unit, step: max(1, stream.count))
        hold(pieces == whole, "reads of \(step) bytes give other lines")
        decode(whole, stream, form, encoding, unit)
    }

    private static let longestLine = 200

    private static func records(_ stream: [UInt8], _ unit: CodeUnit, step: Int) -> [Record] {
        var framer = LineFramer(maximumLineBytes: longestLine, unit: unit)
        var records: [Record] = []
        stream.withUnsafeBufferPointer { all in
            guard let base = all.baseAddress else { return }
            var end = 0
            while end < all.count {
                end = min(all.count, end + step)
                while framer.frame(base, upTo: end, chunk: 0, into: &records, limit: records.count + 2) {}
            }
            if let last = framer.finish(base, upTo: all.count, chunk: 0) { records.append(last) }
        }
        // The bytes of a line that is too long aren't kept, so its place doesn't matter.
        return records.map { record in
            var record = record
            if record.isTooLong { record.start = 0 }
            return record
        }
    }

    private static func decode(
        _ records: [Record], _ stream: [UInt8], _ form: InputForm, _ encoding: TextEncoding, _ unit: CodeUnit
    ) {
        let decoder: LineDecoder
        do throws(UnderstudyError) {
            decoder = try LineDecoder(form: form, maximumLineBytes: longestLine, encoding: encoding)
        } catch {
            return hold(false, "no decoder for \(encoding): \(error)")
        }
        var end: UInt64 = 0
        for (index, record) in records.enumerated() {
            hold(record.number == UInt64(index + 1), "line \(index + 1) has the number \(record.number)")
            hold(record.offset >= end && record.end >= record.offset, "line \(record.number) overlaps another")
            end = record.end
            let range = Int(record.start)..<(Int(record.start) + record.keptLength)
            hold(range.upperBound <= stream.count, "line \(record.number) reaches beyond the stream")
            stream.withUnsafeBufferPointer { all in
                check(decoder.decode(record, UnsafeBufferPointer(rebasing: all[range]), unit: unit), form)
            }
        }
        hold(end == UInt64(stream.count), "lines end at \(end) of \(stream.count)")
    }

    private static func check(_ result: LineDecoder.Result, _ form: InputForm) {
        switch result {
        case .blank: break
        case .flaw(let flaw): hold(!flaw.reason(field: form.field).isEmpty, "a flaw without words")
        case .text(let text, let passed):
            hold(isText(text) && !text.contains(0), "a text that isn't UTF-8, or with NUL")
            let object = Array("{\"text\":0".utf8) + passed + Array("}".utf8)
            object.withUnsafeBufferPointer { bytes in
                var scanner = JSONScanner(bytes)
                hold(scanner.value() && scanner.isAtEnd, "fields passed on that aren't JSON")
            }
        }
    }
}
