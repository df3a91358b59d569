/// The special tokens that a post-processor puts around a line.
struct TokenTemplate: Sendable {
    var prefix: [Int32] = []
    var suffix: [Int32] = []
}
