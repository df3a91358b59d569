import Diagnostics
import Service

extension FuzzTargets {
    /// A request to the status server.
    static func httpRequest(_ bytes: [UInt8]) {
        let reading = RequestHead.read(bytes)
        switch reading {
        case .incomplete:
            hold(!hasEmptyLine(bytes), "a whole head that is taken for a part of one")
            hold(RequestHead.read(bytes + Array("\n\n".utf8)) != .incomplete, "a head that never ends")
        case .malformed: hold(hasEmptyLine(bytes), "a part of a head that is taken for a wrong one")
        case .complete(let head):
            hold(hasEmptyLine(bytes), "a part of a head that is taken for a whole one")
            hold(head.path.hasPrefix("/") && !head.path.contains("?"), "the path \(head.path)")
            hold(!head.method.isEmpty && head.method.utf8.allSatisfy { 0x41...0x5A ~= $0 }, "the method \(head.method)")
            hold(RequestHead.read(bytes + [0x0A, 0x00]) == reading, "a body changes the head")
            let name = head.host ?? ""
            if head.isForThisMachine, !name.isEmpty {
                let isNamed = ["localhost", "127.", "["].contains { name.hasPrefix($0) }
                hold(isNamed, "the host \(name) is taken for this machine")
            }
        }
    }

    /// Carriage returns are ignored.
    private static func hasEmptyLine(_ bytes: [UInt8]) -> Bool {
        let lines = bytes.filter { $0 != 0x0D }
        return zip(lines, lines.dropFirst()).contains { $0 == 0x0A && $1 == 0x0A }
    }

    /// The address of the status server, as text.
    static func statusAddress(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        do throws(UnderstudyError) {
            let address = try StatusAddress(text)
            let again = try StatusAddress(address.description)
            hold(again == address, "\(address) reads back as \(again)")
        } catch {
            refuse(error)
        }
    }
}
