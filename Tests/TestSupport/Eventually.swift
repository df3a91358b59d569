import Glibc

/// How long a test waits for what must come about, in seconds: far longer than the slowest machine needs, so that only a
/// fault makes a test wait in vain.
public let patience = 300

/// Waits until `condition` holds; false if it doesn't come about within `patience`. For tests that are `.offPool`.
public func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(patience)
    while try !condition() {
        guard clock.now < deadline else { return false }
        usleep(500)
    }
    return true
}
