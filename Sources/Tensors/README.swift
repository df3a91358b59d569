// Numbers in memory and on disk. May import CKernels, COneDNN, Diagnostics.
//
// AlignedBuffer, Matrix, MatrixProduct, Parallel    memory, f32 products through oneDNN, work over threads
// StoredMatrix, QuantisedMatrix                     weights kept in fewer bits, read as f32
// PrincipalComponents, SymmetricEigenproblem        PCA
// SeededGenerator                                   random numbers that repeat
// Safetensors…, StoredType, HalfPrecision           weights on disk
// MappedFile, DurableFile, JSONTree                 files that are checked when read and whole when written
