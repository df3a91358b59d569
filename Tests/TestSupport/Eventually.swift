import Glibc

/// Waits until `condition` holds; false if it doesn't come about within a minute.
public func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(60)
    while try !condition() {
        guard clock.now < deadline else { return false }
        usleep(500)
    }
    return true
}
