// The YAML file → typed settings, and every error in it with file, line and column. May import Diagnostics.
//
// ConfigurationFile  what callers use: bytes → Settings, or all errors at once
// Settings/  what the daemon is told, as types; nothing in them knows YAML
// Options/   every option as data: name, form, range, default with its reason. The reader, the printed settings, the
//            JSON schema and docs/configuration.md all come from these tables
// YAML/      libyaml's events → a tree of nodes with places
// Reading/   tree + tables → Settings; then what only shows when the whole is known (paths that collide, …)
// Errors/    errors with a place, and how they are shown under their source line
// Printing/  Settings → YAML again, with the defaults marked
