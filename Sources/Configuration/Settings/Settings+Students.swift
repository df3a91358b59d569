/// Where students come from.
extension Settings {
    /// The registry: the directory of the students' versions. Named, or where `models.student` follows a `current`, or
    /// `students` in the state directory.
    public var registryDirectory: String {
        if let named = redistill?.registry { return named }
        if case .directory(let path) = models.student, let parent = Self.parent(ofCurrent: path) { return parent }
        return state.directory + "/students"
    }

    /// The link that promotions flip.
    public var registryLink: String { registryDirectory + "/" + Self.current }

    /// The path whose flip changes the serving student; nil where nothing can flip.
    public var followedStudent: String? {
        if redistill != nil { return registryLink }
        if case .directory(let path) = models.student { return path }
        return nil
    }

    /// Which student serves. With re-distillation it's the registry's once there is one, and `models.student` is the
    /// one to begin with; without, `models.student` is all there is.
    public func servingStudent(linkExists: Bool) -> ModelSettings.Model {
        guard redistill != nil else { return models.student }
        return linkExists ? .directory(registryLink) : configuredStudent ?? .embedded
    }

    /// The student that serves where no version of the registry does; nil where the registry's link is all that is named.
    public var configuredStudent: ModelSettings.Model? {
        guard case .directory(let path) = models.student, isRegistryLink(path) else { return models.student }
        return redistill == nil ? nil : .embedded
    }

    /// Whether a path is the registry's link.
    public func isRegistryLink(_ path: String) -> Bool { Self.trimmed(path) == Self.trimmed(registryLink) }

    private static let current = "current"

    private static func parent(ofCurrent path: String) -> String? {
        let path = trimmed(path)
        guard path.hasSuffix("/" + current) else { return nil }
        let parent = path.dropLast(current.count + 1)
        return parent.isEmpty ? "/" : String(parent)
    }

    private static func trimmed(_ path: String) -> Substring {
        var path = path[...]
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path
    }
}
