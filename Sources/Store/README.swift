// The daemon's state in SQLite: checkpoints, sink lengths, disagreements. May import Streams and Diagnostics.
//
// Store          opening, closing, and how the rest gets at the database
// Files/         the state directory: names, moves, the lock that one daemon holds
// Schema/        tables and migrations, the look over at a start, what becomes of a damaged database
// Checkpoints/   what a commit makes durable; the seals that tell damage
// Disagreements/ the log of what the teacher saw: keeping, pruning, asking, figures, human labels
// Reports/       rows and figures as tables, text and JSON Lines
// Labelling/     labels from a file, and asked for one by one
