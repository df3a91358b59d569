// The public kernels: each call is forwarded to the table of the level in use.
#include "understudy_kernels.h"

#include <math.h>
#include <string.h>

#include "table.h"

static inline const struct us_table *table(void) {
#if defined(__x86_64__)
    int level = us_level();
    if (level >= US_AVX512) return &us_table_avx512;
    if (level >= US_AVX2) return &us_table_avx2;
#endif
    return &us_table_portable;
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

void us_adam_catch_up(int64_t count, float *weights, float *first, float *second, float travel, float first_decay,
                      float second_decay, float epsilon) {
    table()->adam_catch_up(count, weights, first, second, travel, first_decay, second_decay, epsilon);
}

void us_sgd(int64_t count, float *weights, float *gradient, float rate, float gradient_scale) {
    table()->sgd(count, weights, gradient, rate, gradient_scale);
}

double us_sum_of_squares(int64_t count, const float *values) { return table()->sum_of_squares(count, values); }

void us_add_scaled(int64_t count, float *into, const float *values, float scale) {
    table()->add_scaled(count, into, values, scale);
}

int us_state_bytes(int precision) {
    switch (precision) {
        case US_RECURRENCE_F32: return 4;
        case US_RECURRENCE_VNNI:
        case US_RECURRENCE_AVXVNNI:
        case US_RECURRENCE_VNNI_EMULATED: return 1;
        default: return 2;
    }
}

int us_byte_recurrence(void) {
#if defined(__x86_64__)
    if (us_has_vnni()) return US_RECURRENCE_VNNI;
    if (us_level() == US_AVXVNNI && us_supports_avxvnni()) return US_RECURRENCE_AVXVNNI;
#elif defined(__aarch64__)
    if (us_level() >= US_DOTPROD) return US_RECURRENCE_VNNI;
#endif
    return US_RECURRENCE_I8;
}

static int is_whole(int precision) { return precision != US_RECURRENCE_F32 && precision != US_RECURRENCE_BF16; }

int64_t us_recurrence_bytes(int units_padded, int precision) {
    int64_t columns = (int64_t)units_padded * 4, weights = columns * units_padded * us_state_bytes(precision);
    // Integers are followed by each column's scale and the start of its sum.
    return is_whole(precision) ? weights + columns * 8 : weights;
}

// f32 to bf16, to nearest even, as VCVTNEPS2BF16 does.
static uint16_t bf16(float value) {
    uint32_t bits;
    memcpy(&bits, &value, 4);
    return (uint16_t)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

// The gates i, f and o are stored halved if they are computed by σ(x) = ½ + ½·tanh(x/2).
static float gate_scale(int gate, int precision) { return precision != US_RECURRENCE_F32 && gate != 2 ? 0.5f : 1.0f; }

static void pack_column_i8(int units, const float *row, int precision, float gate_scale, void *group, int column,
                           float *scale, int32_t *start) {
    float greatest = 0;
    for (int k = 0; k < units; k++) greatest = fmaxf(greatest, fabsf(row[k]));
    if (!(greatest > 0)) return;
    int32_t sum = 0;
    for (int k = 0; k < units; k++) {
        int32_t value = (int32_t)nearbyintf(row[k] / greatest * 127.0f);
        sum += value;
        if (us_state_bytes(precision) == 1)
            ((int8_t *)group)[(int64_t)(k / 4) * 256 + column * 4 + k % 4] = (int8_t)value;
        else
            ((int16_t *)group)[(int64_t)(k / 2) * 128 + column * 2 + k % 2] = (int16_t)value;
    }
    *scale = gate_scale * greatest / (127.0f * 127.0f);
    *start = -128 * sum;
}

void us_pack_recurrence(int units, int units_padded, int precision, const float *weight_hh, void *packed) {
    memset(packed, 0, (size_t)us_recurrence_bytes(units_padded, precision));
    int64_t size = us_state_bytes(precision), columns = 4 * (int64_t)units_padded;
    float *scales = (float *)(void *)((char *)packed + columns * units_padded * size);
    int32_t *starts = (int32_t *)(void *)(scales + columns);
    for (int gate = 0; gate < 4; gate++)
        for (int unit = 0; unit < units; unit++) {
            const float *row = weight_hh + ((int64_t)gate * units + unit) * units;
            int column = gate * US_UNIT_GROUP + unit % US_UNIT_GROUP, number = unit / US_UNIT_GROUP;
            char *group = (char *)packed + (int64_t)number * units_padded * 64 * size;
            float halved = gate_scale(gate, precision);
            if (is_whole(precision)) {
                pack_column_i8(units, row, precision, halved, group, column, scales + number * 64 + column,
                               starts + number * 64 + column);
                continue;
            }
            for (int k = 0; k < units; k++)
                if (precision == US_RECURRENCE_BF16)
                    ((uint16_t *)(void *)group)[(int64_t)(k / 2) * 128 + column * 2 + k % 2] = bf16(row[k] * halved);
                else
                    ((float *)(void *)group)[(int64_t)k * 64 + column] = row[k];
        }
}

void us_pack_projection(int units, int units_padded, int precision, const float *projection, uint16_t *packed) {
    table()->pack_projection(units, units_padded, precision != US_RECURRENCE_F32, projection, packed);
}

void us_recurrence_step(const struct us_step *step) {
    switch (step->precision) {
#if defined(__x86_64__)
        case US_RECURRENCE_BF16: us_recurrence_bf16(step); return;
        case US_RECURRENCE_VNNI: us_recurrence_vnni(step); return;
        case US_RECURRENCE_AVXVNNI: us_recurrence_avxvnni(step); return;
        case US_RECURRENCE_VNNI_EMULATED: us_recurrence_avxvnni_emulated(step); return;
#elif defined(__aarch64__)
        case US_RECURRENCE_VNNI: us_recurrence_dotprod(step); return;
#endif
        case US_RECURRENCE_I8: table()->recurrence_i8(step); return;
        default: table()->recurrence_f32(step);
    }
}

void us_read_f16(int64_t count, const uint16_t *from, float *to) { table()->read_f16(count, from, to); }

void us_read_i8(int64_t count, const int8_t *from, float scale, float *to) {
    table()->read_i8(count, from, scale, to);
}

void us_add_rows_f16(int columns, const uint16_t *rows_of, const int32_t *rows, int64_t count, float scale,
                     float *into) {
    table()->add_rows_f16(columns, rows_of, rows, count, scale, into);
}

void us_project(int outputs, int inputs, const float *transposed, const float *bias, const float *x, float *out) {
    table()->project(outputs, inputs, transposed, bias, x, out);
}
