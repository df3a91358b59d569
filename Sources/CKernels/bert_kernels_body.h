// The teacher's kernels, written once with vector extensions and compiled for each instruction set by the files
// bert_kernels_<level>.c, which define
//   BERT_WIDTH  floats in a vector (4, 8 or 16)
//   BERT_LEVEL  the level's name, unquoted
// Neither this nor the files below need include guards: each level includes them once.
#include "bert_vector_math.h"
#include "bert_layers.h"
#include "bert_attention.h"
#include "bert_training.h"

#define QUOTED(x) #x
#define NAME_OF(x) QUOTED(x)
#define JOINED(a, b) a##b
#define TABLE_OF(x) JOINED(bert_kernels_, x)

const struct bert_kernels TABLE_OF(BERT_LEVEL) = {
    .name = NAME_OF(BERT_LEVEL),
    .embed = embed,
    .bias_activation = bias_activation,
    .activation_backward = activation_backward,
    .bias = add_bias,
    .residual_layer_norm = residual_layer_norm,
    .layer_norm_backward = layer_norm_backward,
    .softmax = softmax,
    .attention = attention,
    .attention_backward = attention_backward,
    .dropout = apply_dropout,
    .add_column_sums = add_column_sums,
    .adamw = adamw,
    .add = add,
    .sum_of_squares = sum_of_squares,
};
