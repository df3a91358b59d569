// Sources, framing and sinks. May import Diagnostics.
