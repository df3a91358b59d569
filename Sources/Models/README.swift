// Trained models and their directories. May import Text, Tensors, CKernels, CFiles, Diagnostics.
//
// LineClassifier, LineScorer, LineBatch   what a model is to everyone else: lines in, logits out
// Student/   the biLSTM: plain path, fast path, files
// Teacher/   the BERT encoder: forward pass, weights, files
// ModelDirectory, ModelConfiguration, ModelCard, Fingerprint   the Hugging Face layout, read and published
// WordVectors   pretrained vectors in word2vec's text format
