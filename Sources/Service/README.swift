// The daemon: lifecycle, readiness, reload, watchdog, metrics and status page. May import every room but the command
// line's.
