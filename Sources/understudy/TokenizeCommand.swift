import ArgumentParser
import Bytes
import Diagnostics
import Glibc
import Text

/// `understudy tokenize`: prints the tokens of each line.
struct TokenizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenize",
        abstract: "Prints the token ids of every line of standard input, as the model sees them.",
        discussion: """
            One JSON array of ids a line, special tokens included, cut at the longest line that the model takes. \
            A line that isn't valid UTF-8 ends the program with exit status 65.
            """)

    @Option(name: .long, help: ArgumentHelp("A model directory, or one with tokenizer files alone.", valueName: "dir"))
    var model: String

    /// Bytes read and written at a time.
    private static let blockSize = 1 << 16

    func run() throws {
        try reporting(tokenize)
    }

    private func tokenize() throws(UnderstudyError) {
        let loaded = try TokenizerFiles.load(directory: model)
        let scratch = TokenizerScratch()
        var ids: [Int32] = []
        var output: [UInt8] = []
        var input: [UInt8] = []
        var lineNumber = 0

        func answer(_ line: ArraySlice<UInt8>) throws(UnderstudyError) {
            lineNumber += 1
            try line.withUnsafeBufferPointer { (text) throws(UnderstudyError) in
                guard UTF8Check.isValid(text) else {
                    throw UnderstudyError(.invalidData, "not valid UTF-8", at: "stdin:\(lineNumber)")
                }
                ids.removeAll(keepingCapacity: true)
                loaded.tokenizer.encode(text, maximumLength: loaded.maximumLength, scratch: scratch, into: &ids)
            }
            output.append(UInt8(ascii: "["))
            for (index, id) in ids.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                output.append(contentsOf: String(id).utf8)
            }
            output.append(contentsOf: "]\n".utf8)
            if output.count >= Self.blockSize { try Self.flush(&output) }
        }

        while let block = try Self.read() {
            let searched = input.count
            input += block
            var start = 0
            while let end = input[max(start, searched)...].firstIndex(of: 0x0A) {
                try answer(input[start..<end])
                start = end + 1
            }
            input.removeFirst(start)
            try Self.flush(&output)
        }
        if !input.isEmpty { try answer(input[...]) }
        try Self.flush(&output)
    }

    /// Returns the next bytes of standard input; nil at its end.
    private static func read() throws(UnderstudyError) -> ArraySlice<UInt8>? {
        var block = [UInt8](repeating: 0, count: blockSize)
        while true {
            let count = Glibc.read(STDIN_FILENO, &block, blockSize)
            if count > 0 { return block[..<count] }
            if count == 0 { return nil }
            if errno != EINTR { throw failure("can't be read", "stdin") }
        }
    }

    private static func flush(_ output: inout [UInt8]) throws(UnderstudyError) {
        var written = 0
        while written < output.count {
            let count = output.withUnsafeBytes { all in
                write(STDOUT_FILENO, all.baseAddress.map { $0 + written }, all.count - written)
            }
            if count < 0, errno != EINTR { throw failure("can't be written", "stdout") }
            written += max(count, 0)
        }
        output.removeAll(keepingCapacity: true)
    }

    private static func failure(_ what: String, _ place: String) -> UnderstudyError {
        UnderstudyError(.inputOutput, "\(what): \(String(cString: strerror(errno)))", at: place)
    }
}
