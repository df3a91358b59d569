// Sources, framing, input forms, output records and sinks. May import Diagnostics.
//
// Input/   how bytes become records: ByteSource → LineFramer → Record → LineDecoder → text
// Output/  how answers become bytes: AnswerEncoder and FlawEncoder → ByteBuffer → ByteSink
// Threads/ the threads and the one kind of lock that the stages share
//
// Bytes only: nothing here makes a String for a line, and nothing allocates per line once the buffers have grown.
