/// The files that have something to be read, in the order in which they get their turn.
struct ReadyQueue {
    private var files: [TrackedFile] = []
    private var first = 0

    /// The file waits for its turn; it must not wait already.
    mutating func put(_ file: TrackedFile) {
        file.isQueued = true
        files.append(file)
    }

    mutating func take() -> TrackedFile? {
        guard first < files.count else { return nil }
        let file = files[first]
        first += 1
        if first == files.count || first >= 1024 {
            files.removeFirst(first)
            first = 0
        }
        file.isQueued = false
        return file
    }
}
