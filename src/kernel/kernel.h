/* What the three parts of the kernel share: counter-based random numbers and the layout of fitted trees. */
#ifndef TUCKPOINT_KERNEL_H
#define TUCKPOINT_KERNEL_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

/* A feature code is 16 bits: 0 is missing, ordinal codes rise with the value, categorical codes are 1 + level.
 * Categorical features hold at most 255 levels, the rest pooled in the last. */
typedef uint16_t code_t;

enum { SET_WORDS = 8, MAX_LEVELS = 256, BINS = 256 };

/* One node in 8 bytes. A leaf has feature LEAF: `left` is its first member and `split` indexes nothing.
 * An inner node sends a row left if its code <= split (ordinal), or if the bit of its code is set in set number
 * `split` (categorical, marked by CATEGORICAL in `feature`). The right child follows the left one. */
typedef struct {
    uint16_t feature;
    uint16_t split;
    int32_t left;
} node_t;

enum { LEAF = 0xFFFF, CATEGORICAL = 0x8000 };

/* splitmix64's finaliser (Steele, Lea, Flood 2014), used on (key, counter): any number of a stream at any time. */
static inline uint64_t mix64(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
}

static inline uint64_t random64(uint64_t key, uint64_t counter) {
    return mix64(mix64(counter * 0x9E3779B97F4A7C15ULL + 0x632BE59BD9B4E019ULL) ^ key);
}

/* Uniform in [0, 1) with 53 bits. */
static inline double unit(uint64_t bits) { return (double)(bits >> 11) * 0x1.0p-53; }

/* Uniform whole number in [0, bound), bound < 2^32, by multiplication; the bias is below 2^-32. */
static inline uint32_t below(uint64_t bits, uint32_t bound) { return (uint32_t)(((bits >> 32) * bound) >> 32); }

#endif
