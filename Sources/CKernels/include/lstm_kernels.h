// LSTM kernels (Hochreiter & Schmidhuber 1997, in the form of PyTorch's nn.LSTM; gate order i, f, g, o).
#ifndef UNDERSTUDY_LSTM_KERNELS_H
#define UNDERSTUDY_LSTM_KERNELS_H

#include <stdint.h>

// Training, one step of `rows` lines. `gates` is (rows, 4·units): pre-activations in, activations out.
// cell_previous may be NULL (zeros). Writes cell, tanh_cell and hidden, each (rows, units).
void us_lstm_cell_forward(int rows, int units, float *gates, const float *cell_previous, float *cell,
                          float *tanh_cell, float *hidden);

// Backward of the same step. d_hidden (rows, units) is the loss's gradient by `hidden`; d_cell (rows, units) comes in
// as the gradient by `cell` from the next step and leaves as the gradient by cell_previous. `gates` holds the
// activations and leaves as the gradient by the pre-activations.
void us_lstm_cell_backward(int rows, int units, float *gates, const float *cell_previous, const float *tanh_cell,
                           const float *d_hidden, float *d_cell);

// The recurrence of the fast path. Units are padded to a multiple of 16 and handled 16 at a time, the four gates of a
// group side by side, so that a group's gates meet in registers.
enum { US_UNIT_GROUP = 16 };
enum us_recurrence_precision { US_RECURRENCE_F32 = 0, US_RECURRENCE_BF16 = 1 };

struct us_recurrence {
    int32_t units;      // padded to a multiple of US_UNIT_GROUP
    int32_t precision;  // enum us_recurrence_precision
    const void *weights;  // packed by us_pack_recurrence
};

// Bytes of packed weights.
int64_t us_recurrence_bytes(int units_padded, int precision);

// Packs W_hh (4·units, units; PyTorch's layout) for us_recurrence_step.
void us_pack_recurrence(int units, int units_padded, int precision, const float *weight_hh, void *packed);

// Packs one token's input projection (4·units, PyTorch's gate order, bias included) into the fast path's order as f16.
void us_pack_projection(int units, int units_padded, const float *projection, uint16_t *packed);

// One step of `rows` lines in lockstep. projections[r] points at 4·units f16 values packed by us_pack_projection.
// h_previous and h_next are (rows, units) in the recurrence's precision and must differ; cell, last, maximum and sum are
// (rows, units) f32, updated; maximum and sum may be NULL. `next` names the projections of the step to come (any of
// `rows` valid pointers), which are fetched from memory meanwhile: tables are larger than the caches.
void us_recurrence_step(const struct us_recurrence *recurrence, int rows, const uint16_t *const *projections,
                        const uint16_t *const *next, const void *h_previous, void *h_next, float *cell, float *last, float *maximum, float *sum);

#endif
