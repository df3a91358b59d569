// The best rates of oneDNN's matrix products on one core, in operations per second: `gemm_limit` prints them as JSON.
#include <dnnl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double rate(int is_i8, int m, int n, int k) {
    size_t size = 4 * (size_t)(m * k + k * n + m * n);
    char *memory = malloc(size);
    memset(memory, 1, size);
    float *a = (float *)memory, *b = a + m * k, *c = b + k * n;
    int32_t zero = 0;
    double best = 0;
    for (int round = 0; round < 5; round++) {
        double start = now();
        int count = 0;
        for (; now() - start < 0.2; count++) {
            if (is_i8)
                dnnl_gemm_u8s8s32('N', 'N', 'F', m, n, k, 1, (uint8_t *)a, k, 0, (int8_t *)b, n, 0, 0, (int32_t *)c, n,
                                  &zero);
            else
                dnnl_sgemm('N', 'N', m, n, k, 1, a, k, b, n, 0, c, n);
        }
        double found = 2.0 * m * n * k * count / (now() - start);
        if (found > best) best = found;
    }
    free(memory);
    return best;
}

int main(void) {
    const int shapes[][3] = {{48, 256, 64}, {48, 512, 128}, {256, 512, 512}, {512, 1024, 1024}, {768, 768, 3072}};
    double f32 = 0, i8 = 0;
    for (unsigned s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        double x = rate(0, shapes[s][0], shapes[s][1], shapes[s][2]), y = rate(1, shapes[s][0], shapes[s][1], shapes[s][2]);
        if (x > f32) f32 = x;
        if (y > i8) i8 = y;
    }
    printf("{\"f32\": %.0f, \"i8\": %.0f}\n", f32, i8);
}
