import Glibc

/// Ends the process where `condition` doesn't hold: that is how a fuzzer notices, and so `fatalError` is right here.
public func hold(_ condition: Bool, _ message: @autoclosure () -> String) {
    if !condition { fatalError("an invariant is broken: \(message())") }
}

/// Puts up with an error, which must say something.
func refuse(_ error: some Error & CustomStringConvertible) {
    hold(!error.description.isEmpty, "an error without words")
}

/// Whether the bytes are UTF-8.
func isText(_ bytes: some Sequence<UInt8>) -> Bool { String(validating: Array(bytes), as: UTF8.self) != nil }
