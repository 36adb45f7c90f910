/* Gradient boosting with oblivious trees: one split per level for all leaves, so that prediction is branch-free. */
#include "kernel.h"

enum { SQUARED = 0, LOGISTIC = 1, SOFTMAX = 2, BLOCK = 512 };

/* Gradient and hessian of a row, or their sums in a cell. */
typedef float cell_t __attribute__((vector_size(8)));

typedef uint8_t bytes_t __attribute__((vector_size(16)));

/* Add `bit` to the leaf number of each row whose bin is beyond the cut: sixteen rows at a time, without a branch. */
static void mark(uint8_t *leaf, const uint8_t *bin, int32_t rows, uint8_t cut, uint8_t bit) {
    int32_t i = 0;
    for (; i + 16 <= rows; i += 16) {
        bytes_t a, b;
        memcpy(&a, leaf + i, 16);
        memcpy(&b, bin + i, 16);
        a |= (bytes_t)(b > cut) & bit;
        memcpy(leaf + i, &a, 16);
    }
    for (; i < rows; i++) leaf[i] |= bin[i] > cut ? bit : 0;
}

/* Leaf number (rows,) of each row of a block of one tree; bins[f] + offset is contiguous. */
static void leaf_numbers(const uint8_t *const *bins, int32_t offset, int32_t rows, const int32_t *feature,
                         const uint8_t *split, int depth, uint8_t *leaf) {
    memset(leaf, 0, rows);
    for (int level = 0; level < depth; level++)
        mark(leaf, bins[feature[level]] + offset, rows, split[level], (uint8_t)(1u << level));
}

/* Add trees [first, last) of one output to score (rows,). */
EXPORT void boost_predict(const uint8_t *const *bins, int32_t rows, const int32_t *feature, const uint8_t *split,
                          const float *value, int32_t depth, int32_t first, int32_t last, int32_t stride, float *score) {
    uint8_t leaf[BLOCK];
    for (int32_t offset = 0; offset < rows; offset += BLOCK) {
        int32_t count = rows - offset < BLOCK ? rows - offset : BLOCK;
        for (int32_t t = first; t < last; t += stride) {
            leaf_numbers(bins, offset, count, feature + (size_t)t * depth, split + (size_t)t * depth, depth, leaf);
            const float *v = value + ((size_t)t << depth);
            float *out = score + offset;
            for (int32_t i = 0; i < count; i++) out[i] += v[leaf[i]];
        }
    }
}

/* Sum of GL^2/(HL+l) + GR^2/(HR+l) over leaves for every cut of one feature's histogram (leaves, bins). */
static void best_of_feature(const cell_t *hist, int leaves, int bins, double lambda, double min_child, double *best,
                            int32_t *best_cut, double *score) {
    for (int b = 0; b < bins - 1; b++) score[b] = 0;
    double usable[BINS] = {0};
    for (int leaf = 0; leaf < leaves; leaf++) {
        const cell_t *row = hist + (size_t)leaf * bins;
        double g = 0, h = 0, gl = 0, hl = 0;
        for (int b = 0; b < bins; b++) {
            g += row[b][0];
            h += row[b][1];
        }
        for (int b = 0; b < bins - 1; b++) {
            gl += row[b][0];
            hl += row[b][1];
            double gr = g - gl, hr = h - hl;
            score[b] += gl * gl / (hl + lambda) + gr * gr / (hr + lambda);
            usable[b] += (hl >= min_child && hr >= min_child) ? 1 : 0;
        }
    }
    for (int b = 0; b < bins - 1; b++)
        if (usable[b] > 0 && score[b] > *best) {
            *best = score[b];
            *best_cut = b;
        }
}

static void gradients(int loss, int32_t outputs, int32_t output, const int32_t *rows, int32_t count, const float *target,
                      const float *score, int32_t n, cell_t *slope) {
    for (int32_t i = 0; i < count; i++) {
        int32_t row = rows[i];
        float s = score[(size_t)output * n + row];
        if (loss == SQUARED) {
            slope[i] = (cell_t){s - target[row], 1};
            continue;
        }
        float p, hit;
        if (loss == LOGISTIC) {
            p = 1.0f / (1.0f + expf(-s));
            hit = target[row];
        } else {
            float top = score[row], total = 0;
            for (int32_t k = 1; k < outputs; k++) top = fmaxf(top, score[(size_t)k * n + row]);
            for (int32_t k = 0; k < outputs; k++) total += expf(score[(size_t)k * n + row] - top);
            p = expf(s - top) / total;
            hit = target[row] == (float)output;
        }
        slope[i] = (cell_t){p - hit, fmaxf(p * (1 - p), 1e-6f)};
    }
}

static double mean_loss(int loss, int32_t outputs, const int32_t *rows, int32_t count, const float *target,
                        const float *score, int32_t n) {
    double total = 0;
    for (int32_t i = 0; i < count; i++) {
        int32_t row = rows[i];
        double s = score[row], y = target[row];
        if (loss == SQUARED) {
            total += (s - y) * (s - y);
        } else if (loss == LOGISTIC) {
            total += (s > 0 ? s : 0) - s * y + log1p(exp(-fabs(s)));
        } else {
            double top = s, sum = 0;
            for (int32_t k = 1; k < outputs; k++) top = fmax(top, score[(size_t)k * n + row]);
            for (int32_t k = 0; k < outputs; k++) sum += exp(score[(size_t)k * n + row] - top);
            total += top + log(sum) - score[(size_t)(int32_t)y * n + row];
        }
    }
    return count ? total / count : 0;
}

/* Fit on train rows, watch the loss of the watched rows, stop after `patience` rounds without gain.
 *
 * bins[f] (n,) with bin_count[f] bins; target (n,): value, 0/1, or class number. Trees of round r, output k stand at
 * r * outputs + k. score (outputs, n) must hold the starting scores and ends as the scores of all rows at the best round.
 * Returns the number of rounds kept, or -1 if memory ran out. */
EXPORT int32_t boost_fit(const uint8_t *const *bins, const int32_t *bin_count, int32_t features, int32_t n,
                         const int32_t *train, int32_t train_count, const int32_t *watch, int32_t watch_count,
                         const float *target, int32_t loss, int32_t outputs, int32_t rounds, int32_t patience,
                         int32_t depth, double rate, double lambda, double min_child, double bag, uint64_t key,
                         int32_t *feature, uint8_t *split, float *value, float *score, double *watch_loss) {
    int32_t leaves = 1 << depth;
    cell_t *hist = malloc(sizeof(cell_t) * leaves * BINS);
    cell_t *slope = malloc(sizeof(cell_t) * train_count), *bag_slope = malloc(sizeof(cell_t) * train_count);
    int32_t *bagged = malloc(sizeof(int32_t) * train_count);
    uint8_t *leaf = malloc(train_count), *bag_bins = malloc((size_t)train_count * (features ? features : 1));
    if (!hist || !slope || !bag_slope || !bagged || !leaf || !bag_bins) {
        free(hist), free(slope), free(bag_slope), free(bagged), free(leaf), free(bag_bins);
        return -1;
    }
    double best_loss = watch_count ? mean_loss(loss, outputs, watch, watch_count, target, score, n) : INFINITY;
    int32_t best_round = 0, round = 0;
    for (; round < rounds; round++) {
        for (int32_t k = 0; k < outputs; k++) {
            int32_t tree = round * outputs + k;
            int32_t *tf = feature + (size_t)tree * depth;
            uint8_t *ts = split + (size_t)tree * depth;
            float *tv = value + ((size_t)tree << depth);
            gradients(loss, outputs, k, train, train_count, target, score, n, slope);
            int32_t count = 0;
            for (int32_t i = 0; i < train_count; i++) /* one bag per round, shared by its outputs */
                if (bag >= 1 || unit(random64(key, (uint64_t)round << 32 | (uint32_t)i)) < bag) {
                    bagged[count] = train[i];
                    bag_slope[count++] = slope[i];
                }
            if (!k) /* side by side, so that the histograms of all levels read them in a row */
                for (int32_t f = 0; f < features; f++)
                    for (int32_t i = 0; i < count; i++) bag_bins[(size_t)f * train_count + i] = bins[f][bagged[i]];
            memset(leaf, 0, count);
            for (int level = 0; level < depth; level++) {
                int now = 1 << level;
                double best = -1, scores[BINS];
                int32_t best_feature = 0, best_cut = 0;
                for (int32_t f = 0; f < features; f++) {
                    const uint8_t *bin = bag_bins + (size_t)f * train_count;
                    const size_t wide = bin_count[f];
                    if (wide < 2) continue;
                    memset(hist, 0, sizeof(cell_t) * now * wide);
                    for (int32_t i = 0; i < count; i++) hist[leaf[i] * wide + bin[i]] += bag_slope[i];
                    double before = best;
                    best_of_feature(hist, now, bin_count[f], lambda, min_child, &best, &best_cut, scores);
                    if (best > before) best_feature = f;
                }
                if (best < 0) best_cut = BINS - 1; /* nothing to split: all rows stay left */
                tf[level] = best_feature;
                ts[level] = (uint8_t)best_cut;
                const uint8_t *bin = bag_bins + (size_t)best_feature * train_count;
                mark(leaf, bin, count, (uint8_t)best_cut, (uint8_t)now);
            }
            double g[256] = {0}, h[256] = {0};
            for (int32_t i = 0; i < count; i++) {
                g[leaf[i]] += bag_slope[i][0];
                h[leaf[i]] += bag_slope[i][1];
            }
            for (int32_t l = 0; l < leaves; l++) tv[l] = (float)(-rate * g[l] / (h[l] + lambda));
        }
        for (int32_t k = 0; k < outputs; k++) { /* after the round, so that softmax gradients share one state */
            int32_t tree = round * outputs + k;
            boost_predict(bins, n, feature, split, value, depth, tree, tree + 1, 1, score + (size_t)k * n);
        }
        if (!watch_count) {
            best_round = round + 1;
            continue;
        }
        double now = mean_loss(loss, outputs, watch, watch_count, target, score, n);
        if (now < best_loss * (1 - 1e-5)) {
            best_loss = now;
            best_round = round + 1;
        } else if (round + 1 - best_round >= patience) {
            round++;
            break;
        }
    }
    for (int32_t tree = best_round * outputs; tree < round * outputs; tree++) { /* take late trees back out */
        float *tv = value + ((size_t)tree << depth);
        for (int32_t l = 0; l < leaves; l++) tv[l] = -tv[l];
        boost_predict(bins, n, feature, split, value, depth, tree, tree + 1, 1, score + (size_t)(tree % outputs) * n);
    }
    *watch_loss = best_loss;
    free(hist), free(slope), free(bag_slope), free(bagged), free(leaf), free(bag_bins);
    return best_round;
}
