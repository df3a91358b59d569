// Compares every C kernel with the same arithmetic in plain double precision, on the processor that runs it. `run.sh`
// compiles it for Arm and runs it under qemu; the Swift tests cannot run there.
//
//     kernels LEVEL        LEVEL: the level that must be in use: 1 NEON, 2 with the dot product
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "understudy_kernels.h"

static int failures;

static void check(int holds, const char *what, int number, double found, double expected) {
    if (holds) return;
    if (failures++ < 20) printf("FAILED: %s, number %d: %g in place of %g\n", what, number, found, expected);
}

static void near(const float *found, const double *expected, int count, double tolerance, const char *what) {
    for (int i = 0; i < count; i++)
        check(fabs(found[i] - expected[i]) <= tolerance * (1 + fabs(expected[i])), what, i, found[i], expected[i]);
}

// A standard normal number, from a fixed sequence.
static float normal(void) {
    static unsigned long long state = 88172645463325252ull;
    double sum = 0;
    for (int i = 0; i < 12; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        sum += (double)(state >> 11) / 9007199254740992.0;
    }
    return (float)(sum - 6);
}

static float *normals(int count) {
    float *values = aligned_alloc(64, ((size_t)count * 4 + 63) / 64 * 64);
    for (int i = 0; i < count; i++) values[i] = normal();
    return values;
}

static float *copy_of(const float *values, int count) {
    float *copied = normals(count);
    memcpy(copied, values, (size_t)count * 4);
    return copied;
}

static double gelu(double x) { return 0.5 * x * (1 + erf(x / sqrt(2))); }

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

static void test_bytes(const char *name) {
    const int shapes[][3] = {{1, 1, 1}, {4, 32, 2}, {13, 40, 7}, {29, 96, 33}, {30, 70, 64}, {203, 72, 40}};
    const struct bert_i8_kernels *kernels = bert_i8_named(name);
    check(kernels != NULL, name, 0, 0, 1);
    if (!kernels) return;
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        int rows = shapes[s][0], outputs = shapes[s][1], inputs = shapes[s][2];
        float *x = normals(rows * inputs), *scales = normals(outputs), *x_scales = normals(rows);
        int8_t *weights = malloc((size_t)outputs * inputs);
        for (int i = 0; i < rows * inputs; i++) x[i] = fmaxf(-127, fminf(127, roundf(x[i] * 90)));
        for (int row = 0; row < rows; row++) x[row * inputs + row % inputs] = row % 2 ? -127 : 127;
        for (int i = 0; i < outputs * inputs; i++)
            weights[i] = (int8_t)(i < inputs ? 127 : i < 2 * inputs ? -128 : fmaxf(-127, fminf(127, normal() * 80)));
        uint8_t *packed = aligned_alloc(64, (size_t)(kernels->packed_bytes(weights, outputs, inputs) + 63) / 64 * 64);
        uint8_t *bytes = malloc((size_t)(rows * kernels->width(inputs)));
        kernels->pack(packed, weights, scales, outputs, inputs);
        kernels->convert(bytes, x_scales, x, rows, inputs);
        for (int first = 0; first < outputs; first += BERT_I8_PANEL) {
            int count = outputs - first;
            float *y = normals(rows * count);
            kernels->product(y, count, bytes, x_scales, rows, packed, first, count, inputs);
            for (int row = 0; row < rows; row++)
                for (int o = 0; o < count; o++) {
                    long sum = 0;
                    for (int i = 0; i < inputs; i++)
                        sum += (long)x[row * inputs + i] * weights[(first + o) * inputs + i];
                    float expected = (float)sum * scales[first + o];
                    check(y[row * count + o] == expected, name, row * count + o, y[row * count + o], expected);
                }
            free(y);
        }
        free(x), free(scales), free(x_scales), free(weights), free(packed), free(bytes);
    }
}

// One step of the recurrence, not the first, in a precision whose states have `bytes` bytes.
static void test_recurrence(int precision, double tolerance, const char *what) {
    enum { UNITS = 32, ROWS = 7, GATES = 4 * UNITS };
    float *weights = normals(GATES * UNITS), *projection = normals(GATES * ROWS);
    float *before = normals(ROWS * UNITS), *cell = normals(ROWS * UNITS);
    float *maximum = normals(ROWS * UNITS), *sum = normals(ROWS * UNITS);
    for (int i = 0; i < GATES * UNITS; i++) weights[i] *= 0.2f;
    for (int i = 0; i < ROWS * UNITS; i++) before[i] = fmaxf(-0.99f, fminf(0.99f, before[i] * 0.4f));
    void *packed = aligned_alloc(64, (size_t)us_recurrence_bytes(UNITS, precision));
    us_pack_recurrence(UNITS, UNITS, precision, weights, packed);
    uint16_t *table = aligned_alloc(64, GATES * ROWS * 2);
    const uint16_t *pointers[ROWS];
    for (int row = 0; row < ROWS; row++) {
        us_pack_projection(UNITS, UNITS, precision, projection + row * GATES, table + row * GATES);
        pointers[row] = table + row * GATES;
    }
    _Alignas(64) char previous[ROWS * UNITS * 4], next[ROWS * UNITS * 4];
    for (int i = 0; i < ROWS * UNITS; i++) {
        int whole = (int)nearbyintf(before[i] * 127);
        if (precision == US_RECURRENCE_F32) ((float *)(void *)previous)[i] = before[i];
        else if (precision == US_RECURRENCE_I8) ((int16_t *)(void *)previous)[i] = (int16_t)whole;
        else ((uint8_t *)previous)[i] = (uint8_t)(whole + 128);
    }
    double expected_cell[ROWS * UNITS], expected_sum[ROWS * UNITS], expected_maximum[ROWS * UNITS];
    for (int row = 0; row < ROWS; row++)
        for (int unit = 0; unit < UNITS; unit++) {
            double gates[4];
            for (int gate = 0; gate < 4; gate++) {
                gates[gate] = projection[row * GATES + gate * UNITS + unit];
                for (int k = 0; k < UNITS; k++)
                    gates[gate] += before[row * UNITS + k] * weights[(gate * UNITS + unit) * UNITS + k];
            }
            int at = row * UNITS + unit;
            expected_cell[at] = sigmoid(gates[1]) * cell[at] + sigmoid(gates[0]) * tanh(gates[2]);
            double h = sigmoid(gates[3]) * tanh(expected_cell[at]);
            expected_maximum[at] = fmax(maximum[at], h);
            expected_sum[at] = sum[at] + h;
        }
    struct us_step step = {.units = UNITS, .precision = precision, .weights = packed, .rows = ROWS,
                           .projections = pointers, .next = pointers, .h_previous = previous, .h_next = next,
                           .cell = cell, .maximum = maximum, .sum = sum};
    us_recurrence_step(&step);
    near(cell, expected_cell, ROWS * UNITS, tolerance, what);
    near(sum, expected_sum, ROWS * UNITS, tolerance, what);
    near(maximum, expected_maximum, ROWS * UNITS, tolerance, what);
    free(weights), free(projection), free(before), free(cell), free(maximum), free(sum), free(packed), free(table);
}

static void test_layers(void) {
    enum { ROWS = 5, N = 39 };
    const struct bert_kernels *kernels = bert_kernels_best();
    float *x = normals(ROWS * N), *bias = normals(N), *gain = normals(N), *shift = normals(N);
    double expected[ROWS * N];
    float *y = copy_of(x, ROWS * N);
    kernels->bias_activation(y, bias, ROWS, N, BERT_GELU, NULL);
    for (int i = 0; i < ROWS * N; i++) expected[i] = gelu((double)x[i] + bias[i % N]);
    near(y, expected, ROWS * N, 1e-5, "GELU");
    kernels->residual_layer_norm(y, x, bias, NULL, gain, shift, ROWS, N, 1e-5f, NULL, NULL, NULL);
    for (int row = 0; row < ROWS; row++) {
        double mean = 0, square = 0;
        for (int j = 0; j < N; j++) mean += ((double)x[row * N + j] + bias[j]) / N;
        for (int j = 0; j < N; j++) square += pow(x[row * N + j] + bias[j] - mean, 2) / N;
        for (int j = 0; j < N; j++)
            expected[row * N + j] = (x[row * N + j] + bias[j] - mean) / sqrt(square + 1e-5) * gain[j] + shift[j];
    }
    near(y, expected, ROWS * N, 1e-5, "layer norm");
    memcpy(y, x, ROWS * N * 4);
    kernels->softmax(y, ROWS, N, 0.7f);
    for (int row = 0; row < ROWS; row++) {
        double total = 0;
        for (int j = 0; j < N; j++) total += exp(0.7 * x[row * N + j]);
        for (int j = 0; j < N; j++) expected[row * N + j] = exp(0.7 * x[row * N + j]) / total;
    }
    near(y, expected, ROWS * N, 1e-5, "softmax");
    free(x), free(bias), free(gain), free(shift), free(y);
}

static void test_attention(void) {
    enum { LENGTH = 11, HEADS = 3, WIDTH = 8, HIDDEN = HEADS * WIDTH };
    const struct bert_kernels *kernels = bert_kernels_best();
    float *qkv = normals(LENGTH * 3 * HIDDEN), *out = normals(LENGTH * HIDDEN);
    float *scratch = normals((int)bert_attention_scratch(LENGTH, WIDTH));
    struct bert_attention_shape shape = {LENGTH, HEADS, WIDTH, 3 * HIDDEN, 0.35f};
    kernels->attention(out, HIDDEN, qkv, LENGTH, &shape, scratch, NULL, NULL);
    double expected[LENGTH * HIDDEN];
    for (int h = 0; h < HEADS; h++)
        for (int i = 0; i < LENGTH; i++) {
            double weights[LENGTH], total = 0;
            for (int j = 0; j < LENGTH; j++) {
                double product = 0;
                for (int d = 0; d < WIDTH; d++)
                    product += (double)qkv[i * 3 * HIDDEN + h * WIDTH + d] * qkv[j * 3 * HIDDEN + HIDDEN + h * WIDTH + d];
                total += weights[j] = exp(0.35 * product);
            }
            for (int d = 0; d < WIDTH; d++) {
                double value = 0;
                for (int j = 0; j < LENGTH; j++)
                    value += weights[j] / total * qkv[j * 3 * HIDDEN + 2 * HIDDEN + h * WIDTH + d];
                expected[i * HIDDEN + h * WIDTH + d] = value;
            }
        }
    near(out, expected, LENGTH * HIDDEN, 1e-5, "attention");
    free(qkv), free(out), free(scratch);
}

static void test_training(void) {
    enum { ROWS = 3, UNITS = 19, COUNT = ROWS * UNITS };
    float *gates = normals(4 * COUNT), *previous = normals(COUNT), *cell = normals(COUNT);
    float *squashed = normals(COUNT), *hidden = normals(COUNT);
    double expected_cell[COUNT], expected_hidden[COUNT];
    for (int row = 0; row < ROWS; row++)
        for (int unit = 0; unit < UNITS; unit++) {
            const float *g = gates + row * 4 * UNITS + unit;
            int at = row * UNITS + unit;
            expected_cell[at] = sigmoid(g[UNITS]) * previous[at] + sigmoid(g[0]) * tanh(g[2 * UNITS]);
            expected_hidden[at] = sigmoid(g[3 * UNITS]) * tanh(expected_cell[at]);
        }
    us_lstm_cell_forward(ROWS, UNITS, gates, previous, cell, squashed, hidden);
    near(cell, expected_cell, COUNT, 1e-5, "LSTM cell");
    near(hidden, expected_hidden, COUNT, 1e-5, "LSTM hidden state");

    float *weights = normals(COUNT), *gradient = normals(COUNT), *first = normals(COUNT), *second = normals(COUNT);
    double expected[COUNT];
    for (int i = 0; i < COUNT; i++) second[i] = fabsf(second[i]);
    for (int i = 0; i < COUNT; i++) {
        double g = gradient[i] * 0.5, m = 0.9 * first[i] + 0.1 * g, v = 0.99 * second[i] + 0.01 * g * g;
        expected[i] = weights[i] - 0.02 * weights[i] - 0.1 * m / (sqrt(v * 1.5) + 1e-3);
    }
    us_adam(COUNT, weights, gradient, first, second, 0.9f, 0.99f, 0.1f, 1.5f, 1e-3f, 0.02f, 0.5f);
    near(weights, expected, COUNT, 1e-4, "Adam");
    for (int i = 0; i < COUNT; i++) expected[i] = weights[i] + 0.3 * first[i];
    us_add_scaled(COUNT, weights, first, 0.3f);
    near(weights, expected, COUNT, 1e-6, "scaled sum");
    double squares = 0;
    for (int i = 0; i < COUNT; i++) squares += (double)weights[i] * weights[i];
    check(fabs(us_sum_of_squares(COUNT, weights) - squares) < 1e-4 * squares, "sum of squares", 0, 0, squares);
    free(gates), free(previous), free(cell), free(squashed), free(hidden);
    free(weights), free(gradient), free(first), free(second);
}

static void test_rows(void) {
    enum { COLUMNS = 13, ROWS = 6, INPUTS = 5 };
    float *x = normals(COLUMNS * ROWS), *out = normals(COLUMNS);
    _Float16 halves[COLUMNS * ROWS];
    double expected[US_PROJECTION_BLOCK];
    for (int i = 0; i < COLUMNS * ROWS; i++) halves[i] = (_Float16)x[i];
    us_read_f16(COLUMNS, (const uint16_t *)(const void *)halves, out);
    for (int i = 0; i < COLUMNS; i++) expected[i] = (double)halves[i];
    near(out, expected, COLUMNS, 0, "f16");
    const int32_t rows[3] = {4, 0, 4};
    memset(out, 0, COLUMNS * 4);
    us_add_rows_f16(COLUMNS, (const uint16_t *)(const void *)halves, rows, 3, 0.5f, out);
    for (int i = 0; i < COLUMNS; i++) expected[i] = (double)halves[4 * COLUMNS + i] + 0.5 * (double)halves[i];
    near(out, expected, COLUMNS, 1e-5, "rows of f16");
    int8_t bytes[COLUMNS];
    for (int i = 0; i < COLUMNS; i++) bytes[i] = (int8_t)(i * 20 - 120), expected[i] = 0.25 * bytes[i];
    us_read_i8(COLUMNS, bytes, 0.25f, out);
    near(out, expected, COLUMNS, 0, "i8");
    float *transposed = normals(INPUTS * US_PROJECTION_BLOCK), *bias = normals(US_PROJECTION_BLOCK);
    float *y = normals(US_PROJECTION_BLOCK);
    us_project(US_PROJECTION_BLOCK, INPUTS, transposed, bias, x, y);
    for (int o = 0; o < US_PROJECTION_BLOCK; o++) {
        expected[o] = bias[o];
        for (int i = 0; i < INPUTS; i++) expected[o] += (double)x[i] * transposed[i * US_PROJECTION_BLOCK + o];
    }
    near(y, expected, US_PROJECTION_BLOCK, 1e-5, "projection");
    free(x), free(out), free(transposed), free(bias), free(y);
}

int main(int count, char **arguments) {
    int level = count > 1 ? atoi(arguments[1]) : US_NEON;
    check(us_level() == level, "level", 0, us_level(), level);
    test_bytes("neon");
    if (level >= US_DOTPROD) test_bytes("dotprod");
    else check(bert_i8_named("dotprod") == NULL, "the dot product on a processor without it", 0, 1, 0);
    test_recurrence(US_RECURRENCE_F32, 1e-3, "recurrence in f32");
    test_recurrence(US_RECURRENCE_I8, 0.03, "recurrence in 8 bits");
    check(us_byte_recurrence() == (level >= US_DOTPROD ? US_RECURRENCE_VNNI : US_RECURRENCE_I8), "precision", 0, 0, 0);
    test_recurrence(us_byte_recurrence(), 0.03, "recurrence in the best of 8 bits");
    test_layers();
    test_attention();
    test_training();
    test_rows();
    printf(failures ? "%d failures\n" : "all kernels agree\n", failures);
    return failures != 0;
}
