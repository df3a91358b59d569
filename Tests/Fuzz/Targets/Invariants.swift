import Glibc

/// Ends the process if `condition` is false. A fuzzer detects that, so `fatalError` is right here.
public func hold(_ condition: Bool, _ message: @autoclosure () -> String) {
    if !condition { fatalError("an invariant is broken: \(message())") }
}

/// Accepts an error, which must have a message.
func refuse(_ error: some Error & CustomStringConvertible) {
    hold(!error.description.isEmpty, "an error without words")
}

/// Whether the bytes are UTF-8.
func isText(_ bytes: some Sequence<UInt8>) -> Bool { String(validating: Array(bytes), as: UTF8.self) != nil }
