// Parameter updates over flat arrays.
#ifndef UNDERSTUDY_OPTIMIZER_KERNELS_H
#define UNDERSTUDY_OPTIMIZER_KERNELS_H

#include <stdint.h>

// Adam (Kingma & Ba 2015, algorithm 1) with decoupled weight decay (Loshchilov & Hutter 2019, algorithm 2).
// step_size = learning rate / (1 − beta1^t); second_correction = 1 / (1 − beta2^t); decay = learning rate · weight decay.
// gradient is scaled by gradient_scale first and zeroed afterwards.
void us_adam(int64_t count, float *weights, float *gradient, float *first, float *second, float beta1, float beta2,
             float step_size, float second_correction, float epsilon, float decay, float gradient_scale);

// The effect of several of Adam's steps with gradients of zero: weights -= travel · first / (√second + epsilon), then
// first and second are multiplied by their decays.
void us_adam_catch_up(int64_t count, float *weights, float *first, float *second, float travel, float first_decay,
                      float second_decay, float epsilon);

// weights -= rate · scale · gradient; zeroes the gradient.
void us_sgd(int64_t count, float *weights, float *gradient, float rate, float gradient_scale);

// Sum of squares, accumulated in double.
double us_sum_of_squares(int64_t count, const float *values);

// into += scale · values.
void us_add_scaled(int64_t count, float *into, const float *values, float scale);

#endif
