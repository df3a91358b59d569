// The state database: checkpoints, sink lengths, disagreements. May import Streams and Diagnostics.
