// Trained models and their directories. May import Text, Tensors, CKernels, CFiles, Diagnostics.
//
// LineClassifier, LineScorer, LineBatch   what a model is to everyone else: lines in, logits out
// Student/   the biLSTM: plain path, fast path, files
// Teacher/   the BERT encoder: forward pass, weights, files
// ModelDirectory, ModelConfiguration, ModelCard, Fingerprint   the Hugging Face layout, read and published
// HeapMemory                             what loading took goes back to the system
// WordVectors   pretrained vectors in word2vec's text format
//
// Student/ in detail:
// StudentConfiguration, StudentWeights   what a student is; its tensors by name
// PackedSequences                        lines of different lengths in lockstep, without padding
// LSTMPass, PoolingPass, StudentPass     the readable f32 path: forward and backward
// StudentServingWeights, ProjectionTable what of a student stays in memory to classify
// FastRecurrence, StudentScorer          the fast path, tested to agree with StudentPass
// Student, StudentFiles                  a model as a LineClassifier; its directory
