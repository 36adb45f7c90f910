/* Growing one regression or classification tree whose leaves keep their member rows. */
#include "kernel.h"

typedef struct {
    const code_t *const *codes; /* [features] -> (n,) */
    const uint8_t *categorical; /* (features,) */
    int32_t features;
    const double *target; /* (n, outputs), or NULL */
    const int32_t *label; /* (n,) class of each row, standing for a one-hot target, or NULL */
    int32_t outputs;
    const double *weight; /* (n,) people per row: 1 / rows of that person, or NULL */
    double min_leaf;      /* people */
    int32_t *rows;        /* (bag,) permuted so that each node's rows lie together */
    double *mass;         /* (BINS,) people by bin */
    double *sum;          /* (BINS, outputs) target sums by bin */
    double *left, *total, *direction; /* (outputs,), the last twice */
} grower_t;

typedef struct {
    double gain;
    int32_t feature;
    int32_t split; /* ordinal threshold */
    uint32_t set[SET_WORDS];
} best_t;

static inline double weight_of(const grower_t *g, int32_t row) { return g->weight ? g->weight[row] : 1.0; }

/* Fill the histogram of one feature: codes lo.. by steps of 2^shift. */
static void fill(grower_t *g, const code_t *code, int32_t start, int32_t end, int lo, int shift, int bins) {
    const int k = g->outputs;
    memset(g->mass, 0, sizeof(double) * bins);
    memset(g->sum, 0, sizeof(double) * bins * k);
    for (int32_t i = start; i < end; i++) {
        int32_t row = g->rows[i];
        int bin = (code[row] - lo) >> shift;
        double w = weight_of(g, row), *sum = g->sum + (size_t)bin * k;
        g->mass[bin] += w;
        if (g->label) {
            sum[g->label[row]] += w;
        } else {
            const double *target = g->target + (size_t)row * k;
            for (int c = 0; c < k; c++) sum[c] += w * target[c];
        }
    }
}

/* Walk bins in the given order (NULL: as they lie) and keep the cut with the greatest sum over outputs of
 * S_left^2 / n_left + S_right^2 / n_right; returns the number of bins left of it, or -1. */
static int best_cut(grower_t *g, const int *order, int bins, double total_mass, double *gain) {
    const int k = g->outputs;
    double mass = 0, left_square = 0, right_square = 0;
    int best = -1;
    memset(g->left, 0, sizeof(double) * k);
    for (int c = 0; c < k; c++) right_square += g->total[c] * g->total[c];
    for (int i = 0; i < bins - 1; i++) {
        int bin = order ? order[i] : i;
        if (g->mass[bin] <= 0) continue;
        mass += g->mass[bin];
        for (int c = 0; c < k; c++) {
            double w = g->sum[(size_t)bin * k + c];
            if (w == 0) continue;
            double left = g->left[c], right = g->total[c] - left;
            left_square += w * (2 * left + w);
            right_square += w * (w - 2 * right);
            g->left[c] = left + w;
        }
        double rest = total_mass - mass;
        if (mass < g->min_leaf) continue;
        if (rest < g->min_leaf) break;
        double value = left_square / mass + right_square / rest;
        if (value > *gain) {
            *gain = value;
            best = i + 1;
        }
    }
    return best;
}

/* Order the levels present along the first principal direction of their mean targets, smoothed by 5 people
 * (Coppersmith, Hong, Hosking 1999), found by a few power iterations; with one output this is its mean. */
static int order_levels(grower_t *g, int bins, double total_mass, int *order, double *key) {
    const int k = g->outputs;
    int present = 0;
    for (int b = 0; b < bins; b++)
        if (g->mass[b] > 0) order[present++] = b;
    double *v = g->direction, *u = g->direction + k;
    for (int c = 0; c < k; c++) v[c] = (c & 1) ? 1.0 + 0.01 * c : -1.0 - 0.013 * c;
    for (int step = 0; step < 6; step++) {
        double norm = 0;
        memset(u, 0, sizeof(double) * k);
        for (int i = 0; i < present; i++) {
            const double *sum = g->sum + (size_t)order[i] * k, mass = g->mass[order[i]], share = mass / total_mass;
            double dot = 0;
            for (int c = 0; c < k; c++) dot += v[c] * (sum[c] - share * g->total[c]);
            key[order[i]] = dot / (mass + 5);
            for (int c = 0; c < k; c++) u[c] += dot * mass / ((mass + 5) * (mass + 5)) * (sum[c] - share * g->total[c]);
        }
        for (int c = 0; c < k; c++) norm += u[c] * u[c];
        if (norm <= 1e-30) break;
        norm = 1.0 / sqrt(norm);
        for (int c = 0; c < k; c++) v[c] = u[c] * norm;
    }
    for (int i = 1; i < present; i++) { /* insertion sort: few levels, and stable */
        int b = order[i], j = i;
        for (; j > 0 && key[order[j - 1]] > key[b]; j--) order[j] = order[j - 1];
        order[j] = b;
    }
    return present;
}

static void try_feature(grower_t *g, int f, int32_t start, int32_t end, double mass, best_t *best) {
    const code_t *code = g->codes[f];
    int lo = code[g->rows[start]], hi = lo;
    for (int32_t i = start + 1; i < end; i++) {
        int c = code[g->rows[i]];
        lo = c < lo ? c : lo;
        hi = c > hi ? c : hi;
    }
    if (lo == hi) return;
    double gain = best->gain;
    if (g->categorical[f]) {
        int order[MAX_LEVELS];
        double key[MAX_LEVELS];
        fill(g, code, start, end, 0, 0, hi + 1);
        int present = order_levels(g, hi + 1, mass, order, key);
        int cut = best_cut(g, order, present, mass, &gain);
        if (cut < 0) return;
        best->gain = gain;
        best->feature = f;
        memset(best->set, 0, sizeof best->set);
        for (int i = 0; i < cut; i++) best->set[order[i] >> 5] |= 1u << (order[i] & 31);
    } else {
        int shift = 0;
        while (((hi - lo) >> shift) >= BINS) shift++;
        int bins = ((hi - lo) >> shift) + 1;
        fill(g, code, start, end, lo, shift, bins);
        int cut = best_cut(g, NULL, bins, mass, &gain);
        if (cut < 0) return;
        best->gain = gain;
        best->feature = f;
        best->split = lo + (cut << shift) - 1;
    }
}

static inline int goes_left(const grower_t *g, const best_t *best, int32_t row) {
    int c = g->codes[best->feature][row];
    if (g->categorical[best->feature]) return (best->set[c >> 5] >> (c & 31)) & 1;
    return c <= best->split;
}

static int32_t partition(grower_t *g, const best_t *best, int32_t start, int32_t end) {
    int32_t i = start, j = end;
    while (i < j) {
        if (goes_left(g, best, g->rows[i])) {
            i++;
        } else {
            int32_t row = g->rows[--j];
            g->rows[j] = g->rows[i];
            g->rows[i] = row;
        }
    }
    return i;
}

static int split_node(grower_t *g, int32_t start, int32_t end, best_t *best) {
    const int k = g->outputs;
    double mass = 0, base = 0;
    memset(g->total, 0, sizeof(double) * k);
    for (int32_t i = start; i < end; i++) {
        int32_t row = g->rows[i];
        double w = weight_of(g, row);
        mass += w;
        if (g->label)
            g->total[g->label[row]] += w;
        else
            for (int c = 0; c < k; c++) g->total[c] += w * g->target[(size_t)row * k + c];
    }
    if (mass < 2 * g->min_leaf) return 0;
    for (int c = 0; c < k; c++) base += g->total[c] * g->total[c] / mass;
    best->gain = base + 1e-9 * (fabs(base) + 1e-12);
    best->feature = -1;
    for (int f = 0; f < g->features; f++) try_feature(g, f, start, end, mass, best);
    return best->feature >= 0;
}

/* Grow a tree on rows (bag,), which is permuted so that the members of a leaf lie together: bag positions
 * [left, left + counts) of its node. Every leaf holds at least min_leaf people.
 * Returns the number of nodes, or -1 if memory ran out; *set_count tells the sets used. */
EXPORT int32_t tree_grow(const code_t *const *codes, const uint8_t *categorical, int32_t features, const double *target,
                         const int32_t *label, int32_t outputs, const double *weight, double min_leaf, int32_t *rows,
                         int32_t bag, node_t *nodes, int32_t max_nodes, int32_t *counts, uint32_t *sets,
                         int32_t max_sets, int32_t *set_count) {
    size_t k = outputs;
    double *space = malloc(sizeof(double) * (BINS + BINS * k + 4 * k));
    int32_t *stack = malloc(sizeof(int32_t) * 3 * (size_t)(max_nodes + 1));
    if (!space || !stack) {
        free(space), free(stack);
        return -1;
    }
    grower_t g = {codes, categorical, features, target, label, outputs, weight, min_leaf, rows, space,
                  space + BINS, space + BINS + BINS * k, space + BINS + BINS * k + k, space + BINS + BINS * k + 2 * k};
    int32_t node_count = 1, depth = 1;
    *set_count = 0;
    stack[0] = 0, stack[1] = 0, stack[2] = bag;
    while (depth > 0) {
        depth--;
        int32_t node = stack[3 * depth], start = stack[3 * depth + 1], end = stack[3 * depth + 2];
        best_t best;
        int room = node_count + 2 <= max_nodes && *set_count < max_sets;
        if (!(room && end > start && split_node(&g, start, end, &best))) {
            nodes[node] = (node_t){LEAF, 0, start};
            counts[node] = end - start;
            continue;
        }
        int32_t middle = partition(&g, &best, start, end), left = node_count;
        int cat = categorical[best.feature];
        if (cat) memcpy(sets + (size_t)*set_count * SET_WORDS, best.set, sizeof best.set);
        nodes[node].feature = (uint16_t)(best.feature | (cat ? CATEGORICAL : 0));
        nodes[node].split = (uint16_t)(cat ? (*set_count)++ : best.split);
        nodes[node].left = left;
        counts[node] = 0;
        node_count += 2;
        int32_t *top = stack + 3 * depth;
        top[0] = left + 1, top[1] = middle, top[2] = end;
        top[3] = left, top[4] = start, top[5] = middle;
        depth += 2;
    }
    free(space), free(stack);
    return node_count;
}

/* The leaf (count,) that each of these rows falls into. */
EXPORT void tree_apply(const code_t *const *codes, const node_t *nodes, const uint32_t *sets, const int32_t *rows,
                       int32_t count, int32_t *leaf) {
    for (int32_t i = 0; i < count; i++) {
        const node_t *node = nodes;
        while (node->feature != LEAF) {
            int c = codes[node->feature & ~CATEGORICAL][rows[i]], right = c > node->split;
            if (node->feature & CATEGORICAL) right = !((sets[(size_t)node->split * SET_WORDS + (c >> 5)] >> (c & 31)) & 1);
            node = nodes + node->left + right;
        }
        leaf[i] = (int32_t)(node - nodes);
    }
}
