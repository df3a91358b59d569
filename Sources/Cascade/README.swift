// The cascade: the student answers every line, the teacher is asked about the ones that the student is unsure of. May
// import Streams, Distillation, Models, Diagnostics.
//
// Policy/   pure decisions: how sure a model is, whether to defer, what a worker does next
// Lanes/    what a lane is given: options, routes to the sinks, an output; the filter's own source and output
// Pipeline/ the threads: LaneReader → CascadeBoard ⇄ CascadeWorker → LaneWriter
//
// A CascadeEngine has one lane for each source; all lanes share its workers and models. A lane's reader frames lines and
// puts their records on the board. Workers take jobs (a run of consecutive lines) from it, decode and score them with
// the student, put unsure lines back on the board for a teacher pass, and encode what is decided. A lane's writer hands
// finished jobs to its output in the order in which they were taken. Everything on the board is bounded: a slow output
// fills it, and then the reader waits.
