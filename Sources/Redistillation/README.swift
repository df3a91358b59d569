// Redistillation: from the disagreement log to a better student, or a refusal with its reason.
//
//   Harvest/  what a run may learn from the log: without duplicates, without the holdout, split by hash
//   Run/      one run from lock to promotion, bounded in time and memory, that may be killed at any moment
//   Gate/     whether a candidate is let in: criteria with measured values, thresholds and verdicts
//   Report/   the page that a run leaves behind
//
// Imports Diagnostics, Configuration, Tensors, Text, Models, Distillation and Store. The command line calls it; the daemon
// doesn't: they meet in the registry and in the store.
