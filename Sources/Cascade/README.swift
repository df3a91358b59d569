// Batching, the student pass, deferral, the teacher queue. May import Streams, Distillation, Models, Diagnostics.
