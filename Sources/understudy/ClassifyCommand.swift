import ArgumentParser
import Cascade
import Diagnostics
import Foundation
import Glibc
import Models
import Streams
import Synchronization

/// `classify`: reads lines from standard input and writes labelled records to standard output.
struct ClassifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "classify",
        abstract: "Classifies lines from standard input; answers go to standard output in the same order.",
        discussion: """
            The student answers every line; lines that it is unsure of go to the teacher. Without --student and \
            --teacher the bundled pair is used, with --student alone no teacher.

            Blank lines are skipped. A line that can't be classified (not UTF-8, too long, malformed JSON) gives an \
            error record on standard error, and reading continues.

            Answers follow at once when the input pauses. However slow the teacher is, at most \(readAhead) lines, and \
            what one read of 64 KiB holds, are read ahead of the answers (with more than 8 threads, \
            \(CascadeOptions.filterLinesAheadPerThread) lines for each). SIGINT (Ctrl-C) or SIGTERM ends the reading, \
            and what was read is still answered; a second one ends at once. If standard error is a terminal and the \
            answers go elsewhere, it shows the progress.

            Exit status: 0 at the end of input, and when the reader of the answers closes; 130 or 143 after SIGINT or \
            SIGTERM (the process ends by the signal, as a shell expects); 65 with --strict if a line was refused, or if \
            a model's files are wrong; 64 for a wrong command line; 66 for a missing model or input, 77 for one that \
            may not be read; 74 if an answer can't be written; 78 for a wrong UNDERSTUDY_ variable.
            """)

    private static let readAhead = NumberText.grouped(CascadeOptions.filterLinesAhead)

    @Option(help: ArgumentHelp("The student's model directory.", valueName: "directory"))
    var student: String?

    @Option(help: ArgumentHelp("The teacher's model directory.", valueName: "directory"))
    var teacher: String?

    @Flag(name: .customLong("no-teacher"), help: "Use no teacher.")
    var withoutTeacher = false

    @Option(
        help: ArgumentHelp(
            "Defer lines whose certainty is below P, from 0 (no line) to 1 (every line). Without it, the"
                + " student's calibrated threshold.", valueName: "P"))
    var deferBelow: Float?

    @Option(help: "How certainty is measured: confidence, margin or entropy. Without it, as calibrated.")
    var policy: String?

    @Option(help: "Output: jsonl, tsv or label.")
    var format = "jsonl"

    @Option(help: ArgumentHelp("Input: line, jsonl:FIELD or tsv:N (columns count from 1).", valueName: "form"))
    var input = "line"

    @Flag(help: "Add the logits to JSON Lines output.")
    var logits = false

    @Option(help: "Threads that run the models. Without it, one for each processor that may be used.")
    var threads: Int?

    @Option(help: "Refuse longer lines, at most \(LineFramer.greatestMaximumLineBytes).")
    var maxLineBytes = LineFramer.defaultMaximumLineBytes

    @Flag(help: "Exit with status 65 at the end if a line was refused.")
    var strict = false

    @Flag(help: "Print the summary at the end even if standard error isn't a terminal.")
    var summary = false

    func validate() throws {
        guard !(withoutTeacher && teacher != nil) else {
            throw ValidationError("give either --teacher or --no-teacher")
        }
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads takes a number from 1 to 1024")
        }
        if let deferBelow, !(deferBelow >= 0 && deferBelow <= 1) {
            throw ValidationError("--defer-below takes a number from 0 (defer no line) to 1 (defer every line)")
        }
        guard (1...LineFramer.greatestMaximumLineBytes).contains(maxLineBytes) else {
            throw ValidationError("--max-line-bytes takes a number from 1 to \(LineFramer.greatestMaximumLineBytes)")
        }
    }

    func run() throws {
        let refused: Int
        do throws(UnderstudyError) {
            ClassifySignals.hold()
            try ClassifyDescriptors.prepare()
            refused = try classify()
        } catch {
            ClassifyDescriptors.report("error: \(error)")
            throw ExitCode(error.code.exitStatus)
        }
        ClassifySignals.dieIfStopped()
        if strict, refused > 0 { throw ExitCode(UnderstudyError.Code.invalidData.exitStatus) }
    }

    /// Returns the number of refused lines.
    private func classify() throws(UnderstudyError) -> Int {
        let cascade = try cascade()
        let source = try DescriptorSource(descriptor: 0, name: "standard input", output: 1)
        let progress = ClassifyProgress()
        try ClassifySignals.onStop { number in
            source.interrupt()
            let lines = cascade.linesUnderWay
            if lines > 0 { progress.say(Self.farewell(number, lines)) }
        }
        progress.begin()
        defer { progress.end() }
        let clock = ContinuousClock()
        let start = clock.now
        let outcome = try cascade.run(
            source: source, answers: DescriptorSink(descriptor: 1, name: "standard output"),
            diagnostics: progress.beside(DescriptorSink(descriptor: 2, name: "standard error")),
            delivered: progress.note)
        progress.end()
        let elapsed = start.duration(to: clock.now) / .seconds(1)
        if outcome.unfinishedBytes > 0 {
            ClassifyDescriptors.report(
                "stopped in the middle of a line: \(outcome.unfinishedBytes) bytes without a line end got no answer")
        }
        if summary || ClassifyDescriptors.standardErrorIsTerminal {
            let summary = CascadeSummary(
                tally: outcome.tally, labels: cascade.student.labels, seconds: elapsed,
                disagreements: outcome.disagreements)
            ClassifyDescriptors.report(summary.text)
        }
        if let failure = outcome.failure { throw failure }
        return outcome.tally.refused
    }

    private static func farewell(_ number: Int32, _ lines: Int) -> String {
        let what = lines == 1 ? "the 1 line that was read" : "the \(NumberText.grouped(lines)) lines that were read"
        let (event, again) =
            number == SIGINT ? ("interrupted", "a second Ctrl-C") : ("terminated", "a second signal")
        return "\(event): finishing \(what); \(again) ends at once"
    }

    private func cascade() throws(UnderstudyError) -> Cascade {
        var options = CascadeOptions()
        options.input = try InputForm(input)
        options.format = try OutputFormat(format)
        options.includesLogits = logits
        options.maximumLineBytes = maxLineBytes
        options.threads = threads ?? Processors.available
        options.boundReadingAhead()
        let measure = try policy.map { (name) throws(UnderstudyError) in try DeferralPolicy.Measure(name) }
        let places = try ClassifyModels.places(student: student, teacher: teacher, withoutTeacher: withoutTeacher)
        let student = try ClassifyModels.student(directory: places.student)
        var policy = DeferralPolicy.never
        if places.teacher != nil || (deferBelow ?? 0) > 0 {
            policy = try self.policy(measure, calibration: student.calibration, of: places.student)
        }
        let teacher = try places.teacher.map { (place) throws(UnderstudyError) in
            try ClassifyModels.teacher(directory: place)
        }
        do throws(UnderstudyError) {
            return try Cascade(
                student: student.classifier, temperature: student.calibration?.temperature ?? 1, teacher: teacher,
                policy: policy, options: options)
        } catch {
            throw error.placed(at: places.teacher ?? places.student)
        }
    }

    /// Returns the policy from the options, with the calibrated values as defaults.
    private func policy(
        _ measure: DeferralPolicy.Measure?, calibration: Calibration?, of student: String
    ) throws(UnderstudyError) -> DeferralPolicy {
        if let deferBelow { return try DeferralPolicy(measure ?? .confidence, below: deferBelow) }
        guard let calibration else {
            throw UnderstudyError(
                .usage, "the student has no calibrated deferral threshold; give --defer-below or --no-teacher",
                at: student)
        }
        let calibrated = try DeferralPolicy.Measure(calibration.policy)
        guard measure == nil || measure == calibrated else {
            throw UnderstudyError(
                .usage, "the student's threshold was calibrated for \(calibration.policy); give --defer-below as well",
                at: student)
        }
        return try DeferralPolicy(calibrated, below: calibration.deferralThreshold)
    }
}

/// Prepares the standard descriptors of a filter.
enum ClassifyDescriptors {
    /// Ignores SIGPIPE, so that writing to a closed pipe is an error, and refuses to start with a closed standard
    /// descriptor: the next opened file would get its number and receive the answers.
    static func prepare() throws(UnderstudyError) {
        signal(SIGPIPE, SIG_IGN)
        if !isOpen(2) {
            let null = open("/dev/null", O_WRONLY)
            if null >= 0, null != 2 {
                dup2(null, 2)
                close(null)
            }
        }
        guard isOpen(0) else { throw UnderstudyError(.missingInput, "standard input is closed") }
        guard isOpen(1) else { throw UnderstudyError(.inputOutput, "standard output is closed") }
    }

    static var standardErrorIsTerminal: Bool { isatty(2) == 1 }

    /// Writes a message and a newline to standard error. Failures are ignored.
    static func report(_ message: String) {
        var text = message.hasSuffix("\n") ? message : message + "\n"
        text.withUTF8 { bytes in _ = write(2, bytes.baseAddress, bytes.count) }
    }

    private static func isOpen(_ descriptor: Int32) -> Bool {
        fcntl(descriptor, F_GETFD) != -1 || errno != EBADF
    }
}

/// Handles SIGTERM and SIGINT, which stop the reading but not the answering. A thread waits for them.
enum ClassifySignals {
    /// The number of the first such signal; 0 before any.
    private static let first = Atomic<Int32>(0)

    /// Blocks the two signals until `onStop`. Must be called before any thread is started, because threads inherit the
    /// mask.
    static func hold() {
        var set = stopping
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Calls `first` with the first such signal. The second one ends the process at once, with the default action.
    static func onStop(_ first: @escaping @Sendable (_ number: Int32) -> Void) throws(UnderstudyError) {
        _ = try WorkerThread(name: "signals") {
            var set = stopping
            var number: Int32 = 0
            sigwait(&set, &number)
            Self.first.store(number, ordering: .sequentiallyConsistent)
            first(number)
            sigwait(&set, &number)
            die(of: number)
        }
    }

    /// Calls `first` at the first such signal.
    static func onStop(_ first: @escaping @Sendable () -> Void) throws(UnderstudyError) {
        try onStop { _ in first() }
    }

    /// If a signal stopped the process, ends it by that signal. A shell then reports the status 130 or 143 and stops a
    /// script or loop, which an exit status of 130 alone doesn't do.
    static func dieIfStopped() {
        let number = first.load(ordering: .sequentiallyConsistent)
        if number != 0 { die(of: number) }
    }

    private static func die(of number: Int32) {
        signal(number, SIG_DFL)
        var set = stopping
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
        raise(number)
    }

    private static var stopping: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGTERM)
        sigaddset(&set, SIGINT)
        return set
    }
}

/// The progress display of `classify` on a terminal: lines, rate and share of deferred lines. It is off if standard
/// error is no terminal, or if standard input or output is the same terminal.
final class ClassifyProgress: Sendable {
    private let meter: ProgressMeter
    private let shown = Atomic(0)

    init() {
        let isWanted = isatty(STDERR_FILENO) == 1 && isatty(STDIN_FILENO) == 0 && isatty(STDOUT_FILENO) == 0
        meter = isWanted ? .standardError() : .silent
    }

    func begin() { meter.begin("classify", total: nil) }

    func end() { meter.cancel() }

    /// Updates the counts to those of all written lines.
    func note(_ tally: CascadeTally) {
        let before = shown.exchange(tally.lines, ordering: .relaxed)
        let answered = tally.answered
        meter.advance(
            by: tally.lines - before, deferred: answered > 0 ? Double(tally.deferred) / Double(answered) : nil)
    }

    /// Prints a message on its own line.
    func say(_ text: String) {
        _ = try? meter.aside { () throws(UnderstudyError) in ClassifyDescriptors.report(text) }
    }

    /// Wraps `sink` so that its lines don't overlap the progress bar.
    func beside(_ sink: any ByteSink) -> any ByteSink { Beside(sink: sink, meter: meter) }

    private struct Beside: ByteSink {
        let sink: any ByteSink
        let meter: ProgressMeter

        func write(_ bytes: UnsafeBufferPointer<UInt8>) throws(UnderstudyError) -> SinkOutcome {
            try meter.aside { () throws(UnderstudyError) in try sink.write(bytes) }
        }
    }
}
