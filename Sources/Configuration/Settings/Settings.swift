/// Everything that a configuration file says, checked and with the defaults filled in.
///
/// The parts are `Equatable` so that a reload can tell which of them changed.
public struct Settings: Sendable, Equatable {
    public var models: ModelSettings
    public var cascade: CascadeSettings
    /// At least one; the names are unique.
    public var sources: [SourceSettings]
    /// At least one; the names are unique.
    public var sinks: [SinkSettings]
    /// nil: refused lines are counted only.
    public var deadLetter: DeadLetterSettings?
    public var state: StateSettings
    public var shutdown: ShutdownSettings
    public var disagreements: DisagreementSettings
    /// nil: the student is never distilled again.
    public var redistill: RedistillSettings?
    /// Where metrics, health and status are served; nil: nowhere.
    public var http: ListenAddress?
    public var logLevel: LogLevel
}
