import Bytes
import Diagnostics
import Glibc
import Streams

extension FuzzTargets {
    private static let spoolFolder = FuzzFolder("spool")

    /// The content of a spool at a start: segments with any names and contents, and their checkpoints. A start must
    /// succeed and read to the end; only bytes in the segments may be read.
    ///
    /// The input is a list: an odd byte, a name and contents, each followed by a zero byte; or an even byte and numbers
    /// of a checkpoint.
    static func spool(_ bytes: [UInt8]) {
        spoolFolder.empty()
        let folder = "\(spoolFolder.path)/wire"
        hold(mkdir(folder, 0o700) == 0, "no folder for a spool")
        var input = FuzzInput(bytes)
        var checkpoints: [FileCheckpoint] = []
        var total = 0
        while !input.rest.isEmpty, checkpoints.count < 8, total < 1 << 16 {
            if input.byte() & 1 == 1 {
                let name = String(decoding: input.part(), as: UTF8.self)
                let contents = input.part()
                total += contents.count
                if isFileName(name) { spoolFolder.write(contents, to: "wire/\(name)") }
            } else {
                checkpoints.append(checkpoint(&input))
            }
        }
        read(checkpoints, most: total)
    }

    private static func isFileName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count < 200 && !name.utf8.contains(0x2F) && name != "." && name != ".."
    }

    private static func checkpoint(_ input: inout FuzzInput) -> FileCheckpoint {
        let flags = input.byte()
        // A typical number is one byte; any number is possible.
        func number() -> UInt64 { flags & 4 == 0 ? UInt64(input.byte()) : input.number() }
        let file = FileIdentity(device: flags & 8 == 0 ? 0 : number(), inode: number(), generation: 0)
        let offset = number()
        return FileCheckpoint(
            source: "wire", path: "", file: file, offset: offset, line: number(), isFinished: flags & 1 == 1,
            unanswered: flags & 2 == 0 ? [] : [number()], mark: flags & 16 == 0 ? mark(file.inode, offset) : number(),
            size: number(), modified: 0)
    }

    /// The correct mark, so that the checkpoint is valid.
    private static func mark(_ sequence: UInt64, _ offset: UInt64) -> UInt64 {
        let digits = String(sequence)
        let path = "\(spoolFolder.path)/wire/" + String(repeating: "0", count: 20 - digits.count) + digits + ".seg"
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return 0 }
        defer { close(descriptor) }
        let count = Int(min(offset, 1024))
        var bytes = [UInt8](repeating: 0, count: count)
        guard let start = off_t(exactly: offset - UInt64(count)), pread(descriptor, &bytes, count, start) == count
        else {
            return 0
        }
        return bytes.withUnsafeBufferPointer { XXHash64.hash($0, seed: 0) }
    }

    private static func read(_ checkpoints: [FileCheckpoint], most: Int) {
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 16)
        defer { room.deallocate() }
        do throws(UnderstudyError) {
            let source = try SpooledSource(
                EndedSource(), spool: spoolFolder.path, maximumBytes: 1 << 20, checkpoints: checkpoints,
                report: { refuse($0) })
            var count = 0
            reading: while true {
                switch try source.read(into: room) {
                case .opened(let origin):
                    hold(origin.file?.device == 0, "a segment of a device")
                    hold(origin.start <= origin.resumed, "a segment is resumed before its start")
                case .bytes(let bytes):
                    hold(bytes > 0 && bytes <= room.count, "\(bytes) bytes at once")
                    count += bytes
                case .finished, .torn: break
                case .end, .stopped: break reading
                }
            }
            // An open line is ended.
            hold(count <= most + 1, "\(count) bytes are read of \(most)")
            _ = source.takeForgotten()
        } catch {
            hold(false, "a spool doesn't start: \(error)")
        }
    }
}

/// A source that ends at once.
private final class EndedSource: StreamSource {
    let name = "wire"

    func read(into room: UnsafeMutableRawBufferPointer) throws(UnderstudyError) -> SourceEvent { .end }

    func interrupt() {}
}
