// The understudy: a one-layer biLSTM with pooling, a dense layer and, optionally, a linear shortcut from hashed
// character n-grams.
//
// StudentConfiguration, StudentWeights   what a student is; its tensors by name
// PackedSequences                        lines of different lengths in lockstep, without padding
// LSTMPass, PoolingPass, StudentPass     the readable f32 path: forward and backward
// FastRecurrence, StudentScorer          the fast path, tested to agree with StudentPass
// Student, StudentFiles                  a model as a LineClassifier; its directory
