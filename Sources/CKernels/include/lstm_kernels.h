// LSTM kernels (Hochreiter & Schmidhuber 1997, in the form of PyTorch's nn.LSTM; gate order i, f, g, o).
#ifndef UNDERSTUDY_LSTM_KERNELS_H
#define UNDERSTUDY_LSTM_KERNELS_H

#include <stdint.h>

// Training, one step of `rows` lines. `gates` is (rows, 4·units): pre-activations in, activations out.
// cell_previous may be NULL (zeros). Writes cell, tanh_cell and hidden, each (rows, units).
void us_lstm_cell_forward(int rows, int units, float *gates, const float *cell_previous, float *cell,
                          float *tanh_cell, float *hidden);

// Backward of the same step. d_hidden (rows, units) is the loss's gradient with respect to `hidden`. d_cell (rows,
// units) is on entry the gradient of `cell` from the next step, on return that of cell_previous. `gates` is on entry
// the activations, on return the gradient of the pre-activations.
void us_lstm_cell_backward(int rows, int units, float *gates, const float *cell_previous, const float *tanh_cell,
                           const float *d_hidden, float *d_cell);

// The recurrence of the fast path. Units are padded to a multiple of 16 and processed 16 at a time, with the four gates
// of a group adjacent, so that a group's gates are in registers together.
enum { US_UNIT_GROUP = 16 };

// The format of W_hh and the hidden states; sums, gates and cells are f32 (for i8 the sums are integers until the
// gates).
enum us_recurrence_precision {
    US_RECURRENCE_F32 = 0,
    US_RECURRENCE_BF16 = 1,  // needs us_has_bf16
    // 8-bit integers: W with one scale per column and the greatest magnitude 127; h as round(127 · h).
    US_RECURRENCE_I8 = 2,     // stored in 16 bits, for every processor
    US_RECURRENCE_VNNI = 3,   // the same sums with a dot product of bytes: AVX-512 VNNI, Armv8.2
    US_RECURRENCE_AVXVNNI = 5,  // the same in the 256 bits of AVX-VNNI
    US_RECURRENCE_VNNI_EMULATED = 4,  // for tests with AVX2: VNNI in 256 bits without its instruction
};

// I8, VNNI or AVXVNNI, the fastest one at the level in use.
int us_byte_recurrence(void);

// Bytes of packed weights, and of one hidden state.
int64_t us_recurrence_bytes(int units_padded, int precision);
int us_state_bytes(int precision);

// Packs W_hh (4·units, units; PyTorch's layout) for us_recurrence_step. `packed` is aligned to 64 bytes.
void us_pack_recurrence(int units, int units_padded, int precision, const float *weight_hh, void *packed);

// Packs one token's input projection (4·units, PyTorch's gate order, bias included) in the fast path's order as f16.
void us_pack_projection(int units, int units_padded, int precision, const float *projection, uint16_t *packed);

// One step of `rows` lines in lockstep.
struct us_step {
    int32_t units;      // padded to a multiple of US_UNIT_GROUP
    int32_t precision;  // enum us_recurrence_precision
    const void *weights;  // packed by us_pack_recurrence
    int32_t rows;
    // projections[r] points at 4·units f16 values packed by us_pack_projection. `next` points at those of the next step
    // (any `rows` valid pointers), which are prefetched meanwhile: tables are larger than the caches.
    const uint16_t *const *projections;
    const uint16_t *const *next;
    // (rows, units) in the precision's format; they must differ. h_previous is NULL in a line's first step: then the
    // following arrays are only written, not read.
    const void *h_previous;
    void *h_next;
    // (rows, units) f32, updated: the cell, the last hidden state, and the states' maximum and sum. The last three may
    // be NULL.
    float *cell, *last, *maximum, *sum;
};

void us_recurrence_step(const struct us_step *step);

#endif
