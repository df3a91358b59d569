import CFiles
import Diagnostics
import Glibc
import Tensors

/// The layout of a model directory (Hugging Face's), and its publication.
///
///     config.json  model.safetensors  vocab.txt or tokenizer.json  README.md  metrics.json
public enum ModelDirectory {
    public static let configuration = "config.json"
    public static let weights = "model.safetensors"
    public static let wordPieceVocabulary = "vocab.txt"
    public static let tokenizer = "tokenizer.json"
    public static let card = "README.md"
    public static let metrics = "metrics.json"

    /// Errors: `missingInput` when `path` is not a directory or has no config.json; `noPermission`.
    public static func check(_ path: String) throws(UnderstudyError) {
        switch try PathLookup.kind(of: path) {
        case .absent: throw UnderstudyError(.missingInput, "there is no such model directory", at: path)
        case .directory: break
        default: throw UnderstudyError(.missingInput, "a model is a directory, but this is a file", at: path)
        }
        guard try PathLookup.exists("\(path)/\(configuration)") else {
            throw UnderstudyError(.missingInput, "this is not a model directory: it has no \(configuration)", at: path)
        }
    }

    /// Writes one of the model's text files into a directory that is being built.
    public static func write(_ text: String, to name: String, in directory: String) throws(UnderstudyError) {
        let file = try DurableFile(replacing: "\(directory)/\(name)")
        try file.write(Array(text.utf8))
        try file.commit()
    }

    /// Publishes a model directory at `path`; `write` creates its files in the directory that it gets.
    ///
    /// The files are written in a hidden directory beside `path`, synced to the disk and made readable to all (0644,
    /// 0755), then the directory is renamed into place, so a half-written model is never visible. An existing model is
    /// replaced in one step (the two directories are swapped and the old one removed) and only if `replacing` is true;
    /// a directory that is neither empty nor a model's is never replaced. Hidden directories left by killed runs are
    /// removed.
    ///
    /// Errors: `cannotCreate`, `inputOutput` and those that `write` throws; `path` is then unchanged.
    public static func publish(
        to path: String, replacing: Bool, write: (String) throws(UnderstudyError) -> Void
    ) throws(UnderstudyError) {
        var target = path
        while target.count > 1, target.hasSuffix("/") { target.removeLast() }
        try checkTarget(target, replacing: replacing)
        let staging = try StagingDirectory(beside: target)
        try write(staging.path)
        try DirectoryTree.makeDurable(staging.path)
        try place(staging, at: target, replacing: replacing)
        try DurableFile.synchroniseDirectory(staging.parent)
    }

    /// Checks in advance, before hours of training, whether the rename would fail.
    public static func checkTarget(_ path: String, replacing: Bool) throws(UnderstudyError) {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            guard errno == ENOENT else { throw failure("can't be examined", errno, path) }
            return
        }
        guard status.st_mode & S_IFMT != S_IFLNK else {
            throw UnderstudyError(
                .cannotCreate, "this is a symbolic link; name the directory itself", at: path)
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw UnderstudyError(.cannotCreate, "this is a file; name a directory for the model", at: path)
        }
        guard try !DirectoryTree.entries(of: path).isEmpty else { return }
        guard replacing else {
            throw UnderstudyError(.cannotCreate, "the directory already exists; remove it or choose another", at: path)
        }
        guard try PathLookup.exists("\(path)/\(configuration)") else {
            throw UnderstudyError(
                .cannotCreate, "the directory contains something other than a model and is not replaced", at: path)
        }
    }

    private static func place(
        _ staging: StagingDirectory, at path: String, replacing: Bool
    ) throws(UnderstudyError) {
        // rename(2) replaces only nothing or an empty directory.
        var reason: Int32 = 0
        let isPlaced = UnfinishedDirectories.finish(staging.path) {
            guard rename(staging.path, path) != 0 else { return true }
            reason = errno
            return false
        }
        if isPlaced { return }
        guard reason == EEXIST || reason == ENOTEMPTY else {
            throw failure("can't be renamed into place", reason, path)
        }
        // Checked again: the target may have appeared while the files were written.
        try checkTarget(path, replacing: replacing)
        var outcome: Int32 = 0
        let isExchanged = UnfinishedDirectories.finish(staging.path) {
            outcome = understudy_exchange(staging.path, path)
            return outcome == 0
        }
        guard isExchanged else {
            throw failure("can't be replaced in one step on this file system; remove it first", outcome, path)
        }
        // The staging directory now holds the old model and is removed with it.
    }

    private static func failure(_ what: String, _ code: Int32, _ path: String) -> UnderstudyError {
        UnderstudyError(.cannotCreate, "the directory \(what): \(String(cString: strerror(code)))", at: path)
    }
}
