// Sources, framing, input forms, output records and sinks. May import Diagnostics and CFiles.
//
// Input/    how bytes become records: ByteSource → LineFramer → Record → LineDecoder → text
// Sources/  a daemon's sources, which know where their bytes stand: StreamSource, one type for each kind; Directory/
//           reads and watches files, Spool/ writes streams ahead to files
// Output/   how answers become bytes: AnswerEncoder and FlawEncoder → ByteBuffer → ByteSink
// Sinks/    a daemon's sinks: files whose length is committed (FileSink), and flows (FlowSink)
// Threads/  the threads and the one kind of lock that the stages share
//
// Bytes only: nothing here makes a String for a line, and nothing allocates per line once the buffers have grown.
