// The kernels of one instruction set.
#ifndef UNDERSTUDY_TABLE_H
#define UNDERSTUDY_TABLE_H

#include <stdint.h>

#include "lstm_kernels.h"

struct us_table {
    void (*lstm_cell_forward)(int, int, float *, const float *, float *, float *, float *);
    void (*lstm_cell_backward)(int, int, float *, const float *, const float *, const float *, float *);
    void (*adam)(int64_t, float *, float *, float *, float *, float, float, float, float, float, float, float);
    void (*adam_catch_up)(int64_t, float *, float *, float *, float, float, float, float);
    void (*sgd)(int64_t, float *, float *, float, float);
    double (*sum_of_squares)(int64_t, const float *);
    void (*add_scaled)(int64_t, float *, const float *, float);
    void (*recurrence_f32)(const struct us_step *);
    void (*recurrence_i8)(const struct us_step *);
    void (*pack_projection)(int, int, int, const float *, uint16_t *);
    void (*read_f16)(int64_t, const uint16_t *, float *);
    void (*read_i8)(int64_t, const int8_t *, float, float *);
    void (*add_rows_f16)(int, const uint16_t *, const int32_t *, int64_t, float, float *);
    void (*project)(int, int, const float *, const float *, const float *, float *);
};

extern const struct us_table us_table_portable, us_table_avx2, us_table_avx512;

// For processors with AVX-512 BF16, AVX-512 VNNI and AVX-VNNI (the emulation needs AVX2), and with Arm's dot product.
void us_recurrence_bf16(const struct us_step *step);
void us_recurrence_vnni(const struct us_step *step);
void us_recurrence_avxvnni(const struct us_step *step);
void us_recurrence_avxvnni_emulated(const struct us_step *step);
void us_recurrence_dotprod(const struct us_step *step);

#define US_TABLE                                                                                                     \
    {                                                                                                                \
        NAME(lstm_cell_forward), NAME(lstm_cell_backward), NAME(adam), NAME(adam_catch_up), NAME(sgd),                \
            NAME(sum_of_squares), NAME(add_scaled), NAME(recurrence_f32), NAME(recurrence_i8), NAME(pack_projection), NAME(read_f16),          \
            NAME(read_i8), NAME(add_rows_f16), NAME(project)                                                                      \
    }

#endif
