// The daemon. May import every room but the command line's.
//
// Daemon/   its life: the control thread, reload, swap, drain, signals, watchdog
// Delivery/ what makes answers durable: SourceOutput → Outlet → Committer
// Supply/   settings become models, sources and sinks
// Check/    everything that could keep it from starting
// Systemd/  what the service manager is told and what it hands over
// Logs/     the journal, plain lines, events, and answers as entries
// Metrics/  what is counted, and its Prometheus text
// Status/   the snapshot, on the terminal and as a page
// HTTP/     the server on loopback or a Unix socket, and its client
