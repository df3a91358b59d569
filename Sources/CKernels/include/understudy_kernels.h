// SIMD kernels with run-time dispatch (AVX-512, AVX2, portable). Each has a readable reference in Swift.
#ifndef UNDERSTUDY_KERNELS_H
#define UNDERSTUDY_KERNELS_H

#include <stdint.h>

#include "bert_i8.h"
#include "bert_kernels.h"
#include "dispatch.h"
#include "lstm_kernels.h"
#include "optimizer_kernels.h"
#include "row_kernels.h"

#endif
