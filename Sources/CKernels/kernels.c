// The public kernels: each call goes to the table of the level in use.
#include "understudy_kernels.h"

#include <string.h>

#include "table.h"

static inline const struct us_table *table(void) {
    switch (us_level()) {
        case US_AVX512: return &us_table_avx512;
        case US_AVX2: return &us_table_avx2;
        default: return &us_table_portable;
    }
}

void us_lstm_cell_forward(int rows, int units, float *gates, const float *cell_previous, float *cell,
                          float *tanh_cell, float *hidden) {
    table()->lstm_cell_forward(rows, units, gates, cell_previous, cell, tanh_cell, hidden);
}

void us_lstm_cell_backward(int rows, int units, float *gates, const float *cell_previous, const float *tanh_cell,
                           const float *d_hidden, float *d_cell) {
    table()->lstm_cell_backward(rows, units, gates, cell_previous, tanh_cell, d_hidden, d_cell);
}

void us_adam(int64_t count, float *weights, float *gradient, float *first, float *second, float beta1, float beta2,
             float step_size, float second_correction, float epsilon, float decay, float gradient_scale) {
    table()->adam(count, weights, gradient, first, second, beta1, beta2, step_size, second_correction, epsilon, decay,
                  gradient_scale);
}

void us_sgd(int64_t count, float *weights, float *gradient, float rate, float gradient_scale) {
    table()->sgd(count, weights, gradient, rate, gradient_scale);
}

double us_sum_of_squares(int64_t count, const float *values) { return table()->sum_of_squares(count, values); }

void us_add_scaled(int64_t count, float *into, const float *values, float scale) {
    table()->add_scaled(count, into, values, scale);
}

int64_t us_recurrence_bytes(int units_padded, int precision) {
    return (int64_t)units_padded * units_padded * 4 * (precision == US_RECURRENCE_BF16 ? 2 : 4);
}

// f32 to bf16, to nearest even, as VCVTNEPS2BF16 does.
static uint16_t bf16(float value) {
    uint32_t bits;
    memcpy(&bits, &value, 4);
    return (uint16_t)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

void us_pack_recurrence(int units, int units_padded, int precision, const float *weight_hh, void *packed) {
    memset(packed, 0, (size_t)us_recurrence_bytes(units_padded, precision));
    for (int gate = 0; gate < 4; gate++)
        for (int unit = 0; unit < units; unit++)
            for (int k = 0; k < units; k++) {
                float value = weight_hh[((int64_t)gate * units + unit) * units + k];
                int64_t group = (int64_t)(unit / US_UNIT_GROUP) * units_padded * 64;
                int column = gate * US_UNIT_GROUP + unit % US_UNIT_GROUP;
                if (precision == US_RECURRENCE_BF16)
                    ((uint16_t *)packed)[group + (int64_t)(k / 2) * 128 + column * 2 + k % 2] = bf16(value);
                else
                    ((float *)packed)[group + (int64_t)k * 64 + column] = value;
            }
}

void us_pack_projection(int units, int units_padded, const float *projection, uint16_t *packed) {
    table()->pack_projection(units, units_padded, projection, packed);
}

void us_recurrence_step(const struct us_recurrence *recurrence, int rows, const uint16_t *const *projections,
                        const uint16_t *const *next, const void *h_previous, void *h_next, float *cell, float *last, float *maximum, float *sum) {
#if defined(__x86_64__)
    if (recurrence->precision == US_RECURRENCE_BF16) {
        us_recurrence_bf16_avx512(recurrence, rows, projections, next, h_previous, h_next, cell, last, maximum, sum);
        return;
    }
#endif
    table()->recurrence_f32(recurrence, rows, projections, next, h_previous, h_next, cell, last, maximum, sum);
}

void us_read_f16(int64_t count, const uint16_t *from, float *to) { table()->read_f16(count, from, to); }

void us_read_i8(int64_t count, const int8_t *from, float scale, float *to) {
    table()->read_i8(count, from, scale, to);
}

void us_add_rows_f16(int columns, const uint16_t *rows_of, const int32_t *rows, int64_t count, float scale,
                     float *into) {
    table()->add_rows_f16(columns, rows_of, rows, count, scale, into);
}

void us_project(int outputs, int inputs, const float *weights, const float *bias, const float *x, float *out) {
    table()->project(outputs, inputs, weights, bias, x, out);
}
