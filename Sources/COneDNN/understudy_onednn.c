#include "understudy_onednn.h"

#include <dnnl.h>

// Defined if oneDNN was built with OpenMP (as in Debian); otherwise there is nothing to set.
extern void omp_set_num_threads(int count) __attribute__((weak));

// OpenMP's default is one thread per core, which would busy-wait and compete with this program's threads.
static _Thread_local int thread_is_limited;

static void limit_thread(void) {
    if (thread_is_limited) return;
    thread_is_limited = 1;
    if (omp_set_num_threads) omp_set_num_threads(1);
}

int understudy_onednn_sgemm(int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k, float alpha,
                            const float *a, int64_t lda, const float *b, int64_t ldb, float beta, float *c,
                            int64_t ldc) {
    if (m == 0 || n == 0) return 0;
    limit_thread();
    return (int)dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k, alpha, a, lda, b, ldb, beta, c,
                           ldc);
}

void understudy_onednn_set_threads(int count) {
    thread_is_limited = 1;
    if (omp_set_num_threads) omp_set_num_threads(count < 1 ? 1 : count);
}

int understudy_onednn_version(void) {
    const dnnl_version_t *version = dnnl_version();
    return version->major * 10000 + version->minor * 100 + version->patch;
}
