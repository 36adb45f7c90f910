/* Drawing rows from fitted columns: choose a tree, walk it, take a member of the leaf, move its number. */
#include "kernel.h"

/* What each counter of a row's stream is used for. */
enum { USE_TREE, USE_MEMBER, USE_TIE, USE_JITTER, USE_LEVEL, USES = 8 };

static inline uint64_t bits_of(uint64_t key, uint64_t row, int use) { return random64(key, row * USES + use); }

typedef struct {
    const node_t *nodes;     /* all trees, one after another */
    const uint32_t *sets;    /* all sets */
    const int32_t *members;  /* all members */
    const int32_t *counts;   /* members of each leaf, by node */
    const int64_t *node_at;  /* (trees,) offsets */
    const int64_t *set_at;   /* (trees,) */
    const int64_t *member_at; /* (trees,) */
    int32_t trees;
} forest_t;

enum { PART = 2048, LANES = 8, TRIES = 8 };

/* Walk LANES rows down one tree side by side, so that the loads of one hide behind those of the others. `codes` is
 * row-major, so that all features of a row lie in one or two cache lines. Lanes that reached a leaf stay there. */
static void walk(const node_t *nodes, const uint32_t *sets, const code_t *codes, int32_t features, const int32_t *row,
                 int32_t *at) {
    for (int j = 0; j < LANES; j++) at[j] = 0;
    for (int open = 1; open;) {
        open = 0;
        for (int j = 0; j < LANES; j++) {
            node_t node = nodes[at[j]];
            if (node.feature == LEAF) continue;
            unsigned categorical = node.feature >> 15, c = codes[(size_t)row[j] * features + (node.feature & 0x7FFF)];
            uint32_t word = sets[categorical ? (size_t)node.split * SET_WORDS + (c >> 5) : 0];
            int right = categorical ? !((word >> (c & 31)) & 1) : c > node.split;
            at[j] = node.left + right;
            open = 1;
        }
    }
}

/* A member of the leaf, uniformly, but if it can be avoided none that gave the made row a value before: so no made row
 * is the copy of one real row. used[d] (count,) are the earlier donors. */
static int32_t choose(const int32_t *members, int32_t count, uint64_t bits, const int32_t *const *used, int32_t donors,
                      int32_t row) {
    int32_t chosen = members[below(bits, count)];
    for (int attempt = 0; attempt < TRIES && count > 1; attempt++) {
        int seen = 0;
        for (int32_t d = 0; d < donors; d++) seen |= used[d][row] == chosen;
        if (!seen) break;
        bits = mix64(bits + 0x9E3779B97F4A7C15ULL);
        chosen = members[below(bits, count)];
    }
    return chosen;
}

/* member (count,): the real row whose value each made row takes. The block's rows are numbered first_row + i.
 * Returns 0, or -1 if memory ran out. */
EXPORT int32_t draw_members(const forest_t *forest, const code_t *const *codes, int32_t features,
                            const int32_t *const *used, int32_t donors, int32_t count, uint64_t first_row,
                            uint64_t key, int32_t *member) {
    static const uint32_t no_sets[SET_WORDS] = {0};
    int32_t trees = forest->trees, width = features ? features : 1;
    code_t *wide = calloc((size_t)PART * width, sizeof(code_t));
    int32_t *start = malloc(sizeof(int32_t) * (trees + 2)), *order = malloc(sizeof(int32_t) * (PART + LANES));
    int32_t *first = malloc(sizeof(int32_t) * 2 * PART), *size = first + PART; /* of the leaf that each row reached */
    uint32_t *tree = malloc(sizeof(uint32_t) * PART);
    if (!wide || !start || !order || !first || !tree) {
        free(wide), free(start), free(order), free(first), free(tree);
        return -1;
    }
    for (int32_t offset = 0; offset < count; offset += PART) {
        int32_t part = count - offset < PART ? count - offset : PART;
        for (int32_t f = 0; f < features; f++)
            for (int32_t i = 0; i < part; i++) wide[(size_t)i * width + f] = codes[f][offset + i];
        memset(start, 0, sizeof(int32_t) * (trees + 2));
        for (int32_t i = 0; i < part; i++) { /* group the rows by their tree */
            tree[i] = below(bits_of(key, first_row + offset + i, USE_TREE), trees);
            start[tree[i] + 2]++;
        }
        for (int32_t t = 0; t < trees; t++) start[t + 2] += start[t + 1];
        for (int32_t i = 0; i < part; i++) order[start[tree[i] + 1]++] = i;
        for (int32_t t = 0; t < trees; t++) {
            const node_t *nodes = forest->nodes + forest->node_at[t];
            const uint32_t *sets = forest->sets ? forest->sets + forest->set_at[t] * SET_WORDS : no_sets;
            const int32_t *counts = forest->counts + forest->node_at[t];
            const int32_t *members = forest->members + forest->member_at[t];
            for (int32_t i = start[t]; i < start[t + 1]; i += LANES) {
                int32_t row[LANES], at[LANES], lanes = start[t + 1] - i < LANES ? start[t + 1] - i : LANES;
                for (int j = 0; j < LANES; j++) row[j] = order[j < lanes ? i + j : i];
                walk(nodes, sets, wide, width, row, at);
                for (int j = 0; j < lanes; j++) {
                    uint64_t bits = bits_of(key, first_row + offset + row[j], USE_MEMBER);
                    first[row[j]] = nodes[at[j]].left;
                    size[row[j]] = counts[at[j]];
                    __builtin_prefetch(members + first[row[j]] + below(bits, size[row[j]]));
                }
            }
            for (int32_t i = start[t]; i < start[t + 1]; i++) { /* once all members were called from memory */
                int32_t row = order[i], made = offset + row;
                uint64_t bits = bits_of(key, first_row + made, USE_MEMBER);
                member[made] = choose(members + first[row], size[row], bits, used, donors, made);
            }
        }
    }
    free(wide), free(start), free(order), free(first), free(tree);
    return 0;
}

/* Standard normal distribution function and its inverse (Acklam 2003, relative error 1.15e-9). */
static inline double normal_cdf(double z) { return 0.5 * erfc(-z * 0.70710678118654752440); }

static double normal_quantile(double p) {
    static const double a[] = {-3.969683028665376e+01, 2.209460984245205e+02,  -2.759285104469687e+02,
                               1.383577518672690e+02,  -3.066479806614716e+01, 2.506628277459239e+00};
    static const double b[] = {-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02,
                               6.680131188771972e+01,  -1.328068155288572e+01};
    static const double c[] = {-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                               -2.549732539343734e+00, 4.374664141464968e+00,  2.938163982698783e+00};
    static const double d[] = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                               3.754408661907416e+00};
    double q, r;
    if (p < 0.02425 || p > 0.97575) {
        q = sqrt(-2 * log(p < 0.5 ? p : 1 - p));
        r = (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5]) /
            ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1);
        return p < 0.5 ? r : -r;
    }
    q = p - 0.5;
    r = q * q;
    return (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * q /
           (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
}

/* One numeric column as the kernel draws from it. */
typedef struct {
    const double *value;     /* (n,) the value of each real row */
    const code_t *code;      /* (n,) its code */
    const int32_t *place;    /* (n,) first pool position of its value; -1: an atom or missing, taken as it is */
    const int32_t *ties;     /* (n,) pool positions that its value fills */
    const double *pool;      /* (pool_size,) sorted values that may be moved */
    const code_t *pool_code; /* (pool_size,) */
    int32_t pool_size;
    int32_t snap; /* 1: only values of the pool, nothing between them */
    double width;  /* half width of the rank jitter, in positions */
    double power;  /* 10^decimals: values are rounded to its inverse; 0: not at all */
    double reach;  /* share of the difference in prediction by which a member is moved */
    double low, high; /* bounds of made values */
} numbers_t;

/* Turn members into values and codes. Values that are not atoms keep their place in the pool up to the jitter, moved
 * by reach x (prediction here - out-of-fold prediction of the member), in normal scores of the pool.
 * here (2, count): both fold models' predictions, or NULL; fold (n,) the fold of each real row, out_of_fold (n,). */
EXPORT void draw_numbers(const numbers_t *c, const int32_t *member, int32_t count, uint64_t first_row, uint64_t key,
                         const float *here, const float *out_of_fold, const uint8_t *fold, double *value, code_t *code) {
    double last = c->pool_size - 1;
    for (int32_t i = 0; i < count; i++) {
        int32_t m = member[i];
        if (c->place[m] < 0 || c->pool_size < 2) {
            value[i] = c->value[m];
            code[i] = c->code[m];
            continue;
        }
        double tie = unit(bits_of(key, first_row + i, USE_TIE)), shake = unit(bits_of(key, first_row + i, USE_JITTER));
        double at = c->place[m] + tie * c->ties[m] - 0.5;
        if (here) {
            double shift = c->reach * (here[(size_t)fold[m] * count + i] - out_of_fold[m]);
            double p = (at + 0.5) / c->pool_size;
            p = p < 1e-12 ? 1e-12 : (p > 1 - 1e-12 ? 1 - 1e-12 : p);
            at = normal_cdf(normal_quantile(p) + shift) * c->pool_size - 0.5;
        }
        at = fabs(at + (2 * shake - 1) * c->width); /* reflected at both ends */
        if (at > last) at = 2 * last - at;
        at = at < 0 ? 0 : (at > last ? last : at);
        if (c->snap) at = nearbyint(at);
        int32_t below_at = (int32_t)at;
        int32_t above = below_at < last ? below_at + 1 : below_at;
        double from = c->pool[below_at], made = from + (at - below_at) * (c->pool[above] - from);
        if (c->power > 0) made = nearbyint(made * c->power) / c->power;
        value[i] = made < c->low ? c->low : (made > c->high ? c->high : made);
        code[i] = c->pool_code[value[i] >= c->pool[above] ? above : below_at];
    }
}

/* Code of a boosted prediction as a feature of trees: `steps` equal steps between low and high. */
EXPORT void draw_steps(const float *prediction, int32_t count, double low, double scale, int32_t steps, code_t *code) {
    for (int32_t i = 0; i < count; i++) {
        double at = (prediction[i] - low) * scale;
        code[i] = (code_t)(1 + (at < 0 ? 0 : (at > steps ? steps : (int32_t)at)));
    }
}

/* Draw a level from the scores (outputs, count) of a logistic (outputs = 1) or softmax model; score is overwritten. */
EXPORT void draw_levels(float *score, int32_t outputs, int32_t count, uint64_t first_row, uint64_t key, int32_t *level) {
    for (int32_t i = 0; i < count; i++) {
        double u = unit(bits_of(key, first_row + i, USE_LEVEL));
        if (outputs == 1) {
            level[i] = u < 1.0 / (1.0 + exp(-(double)score[i]));
            continue;
        }
        float top = score[i];
        double total = 0, sum = 0;
        for (int32_t k = 1; k < outputs; k++) top = fmaxf(top, score[(size_t)k * count + i]);
        for (int32_t k = 0; k < outputs; k++) {
            float *s = score + (size_t)k * count + i;
            *s = expf(*s - top);
            total += *s;
        }
        int32_t k = 0;
        for (; k < outputs - 1; k++) {
            sum += score[(size_t)k * count + i];
            if (u * total < sum) break;
        }
        level[i] = k;
    }
}

/* bin[i] = map[code[i]], with codes past the end read as the last. */
EXPORT void draw_bins(const code_t *code, int32_t count, const uint8_t *map, int32_t size, uint8_t *bin) {
    for (int32_t i = 0; i < count; i++) bin[i] = map[code[i] < size ? code[i] : size - 1];
}
