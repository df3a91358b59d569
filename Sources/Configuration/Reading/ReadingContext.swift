/// What every reader needs: the environment, and where errors go. Used by one thread.
final class ReadingContext {
    let errors: ErrorCollector
    let environment: [String: String]

    init(errors: ErrorCollector, environment: [String: String]) {
        self.errors = errors
        self.environment = environment
    }
}
