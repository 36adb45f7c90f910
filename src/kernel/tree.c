/* Growing one regression or classification tree whose leaves keep their member rows.
 *
 * Targets are whole numbers in steps of a power of two, so that sums are exact in any order. Codes and targets of the
 * bag are copied, and parted anew at each split, so that the rows of a node lie side by side. */
#include "kernel.h"

typedef int32_t four_t __attribute__((vector_size(16), may_alias));

#define SURE 20 /* times the variance of a row, the gain from which on a small leaf is beyond chance */

typedef struct {
    const uint8_t *categorical; /* (features,) */
    const uint8_t *apart;       /* (features,) 1 if its values may set few people apart */
    int32_t features, bag, outputs;
    int32_t fours;    /* of 4 numbers in a row of `target` or `sum`: 1 + outputs, rounded up */
    double min_leaf;  /* people */
    double least;     /* people in a leaf that is set apart */
    code_t *code;     /* (features, bag) */
    four_t *target;   /* (bag, 4 x fours) 1 and the targets in steps, or NULL */
    int32_t *label;   /* (bag,) class, or NULL */
    int32_t *amount;  /* (bag,) steps of a label's row, or NULL if each is 1 */
    double *weight;   /* (bag,) people per row, or NULL if each is 1 */
    int32_t *rows;    /* (bag,) */
    uint8_t *side;    /* (bag,) 1 if a row goes left */
    void *spare;      /* (bag,) of the widest of these */
    four_t *sum;      /* (BINS, 4 x fours) rows, and target sums in steps, by bin */
    double *mass;     /* (BINS,) people by bin, if weighted */
    double *left, *total, *direction; /* (outputs,), the last twice; sums in steps */
} grower_t;

typedef struct {
    double gain;
    int32_t feature;
    int32_t split; /* ordinal threshold */
    uint32_t set[SET_WORDS];
} best_t;

static inline const int32_t *cell_of(const grower_t *g, int bin) {
    return (const int32_t *)(g->sum + (size_t)bin * g->fours);
}

static inline double people(const grower_t *g, int bin) { return g->weight ? g->mass[bin] : cell_of(g, bin)[0]; }

/* Fill the histogram of one feature: codes lo.. by steps of 2^shift. */
static void fill(grower_t *g, const code_t *code, int32_t start, int32_t end, int lo, int shift, int bins) {
    const int fours = g->fours;
    four_t *sum = g->sum;
    memset(sum, 0, sizeof(four_t) * fours * bins);
    if (g->label) {
        int32_t *cells = (int32_t *)sum;
        for (int32_t i = start; i < end; i++) {
            int32_t *cell = cells + (size_t)((code[i] - lo) >> shift) * 4 * fours;
            cell[0]++;
            cell[1 + g->label[i]] += g->amount ? g->amount[i] : 1;
        }
    } else if (fours == 2) { /* five moments, and a count */
        const four_t *target = g->target + (size_t)start * 2;
        for (int32_t i = start; i < end; i++, target += 2) {
            four_t *cell = sum + (size_t)((code[i] - lo) >> shift) * 2;
            cell[0] += target[0];
            cell[1] += target[1];
        }
    } else {
        const four_t *target = g->target + (size_t)start * fours;
        for (int32_t i = start; i < end; i++, target += fours) {
            four_t *cell = sum + (size_t)((code[i] - lo) >> shift) * fours;
            for (int v = 0; v < fours; v++) cell[v] += target[v];
        }
    }
    if (!g->weight) return;
    memset(g->mass, 0, sizeof(double) * bins);
    for (int32_t i = start; i < end; i++) g->mass[(code[i] - lo) >> shift] += g->weight[i];
}

/* Walk bins in the given order (NULL: as they lie) and keep the cut with the greatest sum over outputs of
 * S_left^2 / n_left + S_right^2 / n_right; returns the number of bins left of it, or -1. Where that is over `sure`, a
 * side needs `least` people only. */
static int best_cut(grower_t *g, const int *order, int bins, double total_mass, double sure, double *gain) {
    const int k = g->outputs;
    const double fewest = isfinite(sure) ? g->least : g->min_leaf;
    double mass = 0, left_square = 0, right_square = 0;
    int best = -1;
    memset(g->left, 0, sizeof(double) * k);
    for (int c = 0; c < k; c++) right_square += g->total[c] * g->total[c];
    for (int i = 0; i < bins - 1; i++) {
        int bin = order ? order[i] : i;
        const int32_t *cell = cell_of(g, bin);
        if (!cell[0]) continue;
        mass += people(g, bin);
        for (int c = 0; c < k; c++) {
            double w = cell[1 + c];
            if (w == 0) continue;
            double left = g->left[c], right = g->total[c] - left;
            left_square += w * (2 * left + w);
            right_square += w * (w - 2 * right);
            g->left[c] = left + w;
        }
        double rest = total_mass - mass;
        if (mass < fewest) continue;
        if (rest < fewest) break;
        double value = left_square / mass + right_square / rest;
        if (value > *gain && (value > sure || (mass >= g->min_leaf && rest >= g->min_leaf))) {
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
        if (cell_of(g, b)[0]) order[present++] = b;
    double *v = g->direction, *u = g->direction + k;
    for (int c = 0; c < k; c++) v[c] = (c & 1) ? 1.0 + 0.01 * c : -1.0 - 0.013 * c;
    for (int step = 0; step < 6; step++) {
        double norm = 0;
        memset(u, 0, sizeof(double) * k);
        for (int i = 0; i < present; i++) {
            const int32_t *sum = cell_of(g, order[i]) + 1;
            const double mass = people(g, order[i]), share = mass / total_mass;
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

/* The gain from which on a cut is beyond chance. Where a feature foretells nothing, the best cut of n levels, ordered by
 * what they seem to foretell, gains some n times a row's variance; the best cut of ordered values, with n = 0, a
 * chi-square of it that is hardly more for many values than for two. */
static double beyond_chance(const grower_t *g, int f, double base, double variance, int n) {
    return g->apart[f] && g->least < g->min_leaf ? base + (SURE + n) * variance : INFINITY;
}

static void try_feature(grower_t *g, int f, int32_t start, int32_t end, double mass, double base, double variance,
                        best_t *best) {
    const code_t *code = g->code + (size_t)f * g->bag;
    code_t lo = code[start], hi = lo;
    for (int32_t i = start; i < end; i++) {
        lo = code[i] < lo ? code[i] : lo;
        hi = code[i] > hi ? code[i] : hi;
    }
    if (lo == hi) return;
    double gain = best->gain;
    if (g->categorical[f]) {
        int order[MAX_LEVELS];
        double key[MAX_LEVELS];
        fill(g, code, start, end, 0, 0, hi + 1);
        int present = order_levels(g, hi + 1, mass, order, key);
        int cut = best_cut(g, order, present, mass, beyond_chance(g, f, base, variance, present), &gain);
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
        int cut = best_cut(g, NULL, bins, mass, beyond_chance(g, f, base, variance, 0), &gain);
        if (cut < 0) return;
        best->gain = gain;
        best->feature = f;
        best->split = lo + (cut << shift) - 1;
    }
}

/* Move what goes left before what goes right, both in their order; `side` and `count` are those of one node. */
#define PART(type, values)                                  \
    do {                                                    \
        type *part_ = (values), *right_ = spare;            \
        int32_t l_ = 0, r_ = 0;                             \
        for (int32_t i = 0; i < count; i++) {               \
            type value_ = part_[i];                         \
            part_[l_] = value_;                             \
            right_[r_] = value_;                            \
            l_ += side[i];                                  \
            r_ += !side[i];                                 \
        }                                                   \
        memcpy(part_ + l_, right_, sizeof(type) * (size_t)r_); \
    } while (0)

static void part_targets(four_t *target, int fours, const uint8_t *side, int32_t count, four_t *right) {
    four_t *left = target, *first = right;
    for (int32_t i = 0; i < count; i++, target += fours) {
        for (int v = 0; v < fours; v++) {
            four_t value = target[v];
            left[v] = value;
            right[v] = value;
        }
        left += side[i] ? fours : 0;
        right += side[i] ? 0 : fours;
    }
    memcpy(left, first, sizeof(four_t) * (size_t)(right - first));
}

static int32_t partition(grower_t *g, const best_t *best, int32_t start, int32_t end) {
    const code_t *by = g->code + (size_t)best->feature * g->bag + start;
    const int32_t count = end - start;
    const int cat = g->categorical[best->feature];
    uint8_t *side = g->side;
    void *spare = g->spare;
    int32_t left = 0;
    for (int32_t i = 0; i < count; i++) {
        side[i] = cat ? (best->set[by[i] >> 5] >> (by[i] & 31)) & 1 : by[i] <= best->split;
        left += side[i];
    }
    for (int f = 0; f < g->features; f++) PART(code_t, g->code + (size_t)f * g->bag + start);
    PART(int32_t, g->rows + start);
    if (g->label) PART(int32_t, g->label + start);
    if (g->amount) PART(int32_t, g->amount + start);
    if (g->weight) PART(double, g->weight + start);
    if (g->target) part_targets(g->target + (size_t)start * g->fours, g->fours, side, count, spare);
    return start + left;
}

/* The squared target of a row, in steps, by its weight. */
static double square_of(const grower_t *g, int32_t row) {
    double square = 0;
    if (g->label) {
        const double amount = g->amount ? g->amount[row] : 1;
        square = amount * amount;
    } else {
        const int32_t *target = (const int32_t *)(g->target + (size_t)row * g->fours) + 1;
        for (int c = 0; c < g->outputs; c++) square += (double)target[c] * target[c];
    }
    return g->weight ? square / g->weight[row] : square;
}

static int split_node(grower_t *g, int32_t start, int32_t end, best_t *best) {
    const int k = g->outputs;
    const int usual = g->least >= g->min_leaf;
    double mass = end - start, base = 0, square = 0;
    if (g->weight) {
        mass = 0;
        for (int32_t i = start; i < end; i++) mass += g->weight[i];
    }
    if (mass < 2 * (usual ? g->min_leaf : g->least)) return 0;
    memset(g->sum, 0, sizeof(four_t) * g->fours);
    int32_t *sum = (int32_t *)g->sum;
    if (g->label)
        for (int32_t i = start; i < end; i++) sum[1 + g->label[i]] += g->amount ? g->amount[i] : 1;
    else
        for (int32_t i = start; i < end; i++)
            for (int v = 0; v < g->fours; v++) g->sum[v] += g->target[(size_t)i * g->fours + v];
    for (int c = 0; c < k; c++) {
        g->total[c] = sum[1 + c];
        base += g->total[c] * g->total[c] / mass;
    }
    if (!usual)
        for (int32_t i = start; i < end; i++) square += square_of(g, i);
    best->gain = base + 1e-9 * (fabs(base) + 1e-12);
    best->feature = -1;
    for (int f = 0; f < g->features; f++)
        if (mass >= 2 * g->min_leaf || g->apart[f])
            try_feature(g, f, start, end, mass, base, (square - base) / mass, best);
    return best->feature >= 0;
}

/* Steps in one: the greatest power of two at which no sum of targets leaves 31 bits. */
static double steps_in_one(double largest, int32_t bag) {
    int exponent;
    frexp(largest * bag, &exponent); /* largest x bag < 2^exponent */
    return largest > 0 ? ldexp(1, 30 - exponent) : 1;
}

/* Copy what the bag needs. target (n, outputs), or NULL and label (n,); weight (n,) or NULL. */
static void gather(grower_t *g, const code_t *const *codes, const double *target, const int32_t *label,
                   const double *weight) {
    const int32_t bag = g->bag, *rows = g->rows, k = g->outputs;
    for (int f = 0; f < g->features; f++)
        for (int32_t i = 0; i < bag; i++) g->code[(size_t)f * bag + i] = codes[f][rows[i]];
    double largest = 0;
    for (int32_t i = 0; i < bag; i++) {
        double w = weight ? weight[rows[i]] : 1;
        if (weight) g->weight[i] = w;
        if (label) g->label[i] = label[rows[i]];
        if (label && w > largest) largest = w;
        for (int c = 0; target && c < k; c++) largest = fmax(largest, fabs(w * target[(size_t)rows[i] * k + c]));
    }
    const double steps = label && !weight ? 1 : steps_in_one(largest, bag);
    for (int32_t i = 0; i < bag; i++) {
        double w = weight ? weight[rows[i]] : 1;
        if (g->amount) g->amount[i] = (int32_t)lrint(w * steps);
        if (!target) continue;
        int32_t *row = (int32_t *)(g->target + (size_t)i * g->fours);
        row[0] = 1;
        for (int c = 0; c < k; c++) row[1 + c] = (int32_t)lrint(w * target[(size_t)rows[i] * k + c] * steps);
        for (int c = k + 1; c < 4 * g->fours; c++) row[c] = 0;
    }
}

static void *taken(uint8_t **space, size_t bytes) {
    void *at = *space;
    *space += (bytes + 15) / 16 * 16;
    return at;
}

/* Lay the grower's arrays out from `space` on; returns how many bytes they take. */
static size_t lay_out(grower_t *g, uint8_t *space, int labelled, int weighted) {
    uint8_t *at = space;
    const size_t bag = g->bag, k = g->outputs, row = sizeof(four_t) * g->fours;
    g->code = taken(&at, sizeof(code_t) * bag * g->features);
    g->target = labelled ? NULL : taken(&at, row * bag);
    g->label = labelled ? taken(&at, sizeof(int32_t) * bag) : NULL;
    g->amount = labelled && weighted ? taken(&at, sizeof(int32_t) * bag) : NULL;
    g->weight = weighted ? taken(&at, sizeof(double) * bag) : NULL;
    g->side = taken(&at, bag);
    g->spare = taken(&at, (labelled ? sizeof(double) : row) * bag);
    g->sum = taken(&at, row * BINS);
    g->mass = taken(&at, sizeof(double) * BINS);
    g->left = taken(&at, sizeof(double) * k);
    g->total = taken(&at, sizeof(double) * k);
    g->direction = taken(&at, sizeof(double) * 2 * k);
    return at - space;
}

/* Grow a tree on rows (bag,), which is permuted so that the members of a leaf lie together: bag positions
 * [left, left + counts) of its node. Every leaf holds at least min_leaf people, or `least` if the values of a feature
 * that may set people `apart` do so beyond chance.
 * Returns the number of nodes, or -1 if memory ran out; *set_count tells the sets used. */
EXPORT int32_t tree_grow(const code_t *const *codes, const uint8_t *categorical, const uint8_t *apart,
                         int32_t features, const double *target, const int32_t *label, int32_t outputs,
                         const double *weight, double min_leaf, double least, int32_t *rows, int32_t bag,
                         node_t *nodes, int32_t max_nodes, int32_t *counts, uint32_t *sets, int32_t max_sets,
                         int32_t *set_count) {
    grower_t g = {.categorical = categorical, .apart = apart, .features = features, .bag = bag, .outputs = outputs,
                  .fours = (outputs + 4) / 4, .min_leaf = min_leaf, .least = least, .rows = rows};
    uint8_t *space = malloc(lay_out(&g, NULL, !!label, !!weight) + 16);
    int32_t *stack = malloc(sizeof(int32_t) * 3 * (size_t)(max_nodes + 1));
    if (!space || !stack) {
        free(space), free(stack);
        return -1;
    }
    lay_out(&g, space, !!label, !!weight);
    gather(&g, codes, label ? NULL : target, label, weight);
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
