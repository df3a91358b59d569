/// `state:`
enum StateOptions {
    static let directory = DefaultedOption(
        "directory", .path, default: "/var/lib/understudy",
        "Where the daemon remembers how far it came, the disagreement log and the students. When systemd sets "
            + "$STATE_DIRECTORY, that is the default.")
    static let commitIntervalMilliseconds = DefaultedOption(
        "commit_interval_milliseconds", .count(1...60_000), default: 200,
        "Milliseconds between two commits: short enough that a follower of the output sees no pauses, long enough that "
            + "the disk isn't busy with them.")

    static let block = OptionBlock(
        "state", options: [directory.facts, commitIntervalMilliseconds.facts],
        "Where and how often progress is made durable.")
}
