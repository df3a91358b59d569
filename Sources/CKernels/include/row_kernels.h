// Rows of weights that are stored with fewer bits than they are used with.
#ifndef UNDERSTUDY_ROW_KERNELS_H
#define UNDERSTUDY_ROW_KERNELS_H

#include <stdint.h>

// to = from, `count` f16 values as f32.
void us_read_f16(int64_t count, const uint16_t *from, float *to);

// to = scale · from.
void us_read_i8(int64_t count, const int8_t *from, float scale, float *to);

// into (columns) += scale · the sum of `count` rows of an f16 table, given by their numbers.
void us_add_rows_f16(int columns, const uint16_t *table, const int32_t *rows, int64_t count, float scale, float *into);

// out (outputs) = bias + x · Wᵀ with Wᵀ (inputs, outputs): one row of a product, with the same bits regardless of other
// rows. The number of outputs is a multiple of US_PROJECTION_BLOCK.
enum { US_PROJECTION_BLOCK = 64 };
void us_project(int outputs, int inputs, const float *transposed, const float *bias, const float *x, float *out);

#endif
