// All calls into oneDNN, so that its API change between 2.x and 3.x is handled in one small file. Compiles against 2.6
// (Debian 12) and 3.x. Every function returns 0, or oneDNN's own status.
#ifndef UNDERSTUDY_ONEDNN_H
#define UNDERSTUDY_ONEDNN_H

#include <stdint.h>

// C (m,n) = alpha · op(A) · op(B) + beta · C, all row-major f32; op(X) is X, or its transpose if requested.
int understudy_onednn_sgemm(int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k, float alpha,
                            const float *a, int64_t lda, const float *b, int64_t ldb, float beta, float *c,
                            int64_t ldc);

// Sets the number of threads that oneDNN may use for calls from the calling thread; the default is 1.
void understudy_onednn_set_threads(int count);

// major · 10000 + minor · 100 + patch of the loaded library.
int understudy_onednn_version(void);

#endif
