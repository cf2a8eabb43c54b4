// The operations: each hands its operands to the host and makes a tensor of what it gives.

#include "internal.h"

typedef berth_node_ops_walk_t bth_walk;

/// An operand that may be left out, as the bindings want it.
#define OPTIONAL(x) ((x) ? &BTH_HANDLE(bth_borrow_tensor, x) : NULL)

/// Calls an operation of the host whose last arguments are its result and its error.
#define MAKE(operation, ...) \
    bth_own_tensor made; \
    bth_error error; \
    return bth_made(berth_node_ops_##operation(__VA_ARGS__, &made, &error), &made, &error)

// Arithmetic

berth_operand berth_tensor_operand(const berth_tensor *x) { return (berth_operand){.tensor = x}; }

berth_operand berth_number_operand(double x) { return (berth_operand){.number = x, .is_number = true}; }

static berth_tensor *combine(berth_binary function, const berth_tensor *a, const berth_tensor *b) {
    if (!a || !b) return NULL;
    MAKE(combine, bth_borrow(a), bth_borrow(b), (berth_node_ops_binary_t)function);
}

/// The operand as a tensor: a number becomes a scalar of the other's type, which `made` keeps to be dropped.
static const berth_tensor *as_tensor(berth_operand x, berth_operand other, berth_tensor **made) {
    if (!x.is_number) return x.tensor;
    return *made = berth_full(berth_dtype_of(other.tensor), BERTH_SCALAR, x.number);
}

static bool operands_ready(const char *operation, berth_operand a, berth_operand b) {
    const void *both[] = {a.is_number ? b.tensor : a.tensor, b.is_number ? a.tensor : b.tensor};
    return bth_ready(operation, both, 2);
}

berth_tensor *berth_combine(berth_binary function, berth_operand a, berth_operand b) {
    if (!operands_ready("berth_combine", a, b)) return NULL;
    // What a number does in one step of the host's: these round once, as the general way does.
    if (b.is_number && function == BERTH_ADD) return berth_affine(a.tensor, 1, b.number);
    if (b.is_number && function == BERTH_SUB) return berth_affine(a.tensor, 1, -b.number);
    if (b.is_number && function == BERTH_MUL) return berth_affine(a.tensor, b.number, 0);
    if (a.is_number && function == BERTH_ADD) return berth_affine(b.tensor, 1, a.number);
    if (a.is_number && function == BERTH_SUB) return berth_affine(b.tensor, -1, a.number);
    if (a.is_number && function == BERTH_MUL) return berth_affine(b.tensor, a.number, 0);
    berth_tensor *scalar = NULL;
    const berth_tensor *left = as_tensor(a, b, &scalar), *right = as_tensor(b, a, &scalar);
    berth_tensor *result = combine(function, left, right);
    berth_drop(scalar);
    return result;
}

static berth_tensor *compare(berth_comparison comparison, const berth_tensor *a, const berth_tensor *b) {
    if (!a || !b) return NULL;
    MAKE(compare, bth_borrow(a), bth_borrow(b), (berth_node_ops_comparison_t)comparison);
}

berth_tensor *berth_compare(berth_comparison comparison, berth_operand a, berth_operand b) {
    if (!operands_ready("berth_compare", a, b)) return NULL;
    berth_tensor *scalar = NULL;
    const berth_tensor *left = as_tensor(a, b, &scalar), *right = as_tensor(b, a, &scalar);
    berth_tensor *result = compare(comparison, left, right);
    berth_drop(scalar);
    return result;
}

berth_tensor *berth_affine(const berth_tensor *x, double scale, double shift) {
    BTH_NEED(NULL, x);
    MAKE(affine, bth_borrow(x), scale, shift);
}

berth_tensor *berth_power(const berth_tensor *x, double exponent) {
    BTH_NEED(NULL, x);
    MAKE(power, bth_borrow(x), exponent);
}

berth_tensor *berth_clamp(const berth_tensor *x, double low, double high) {
    BTH_NEED(NULL, x);
    MAKE(clamp, bth_borrow(x), low, high);
}

berth_tensor *berth_choose(const berth_tensor *condition, const berth_tensor *a, const berth_tensor *b) {
    BTH_NEED(NULL, condition, a, b);
    MAKE(choose, bth_borrow(condition), bth_borrow(a), bth_borrow(b));
}

berth_tensor *berth_cast(const berth_tensor *x, berth_dtype dtype) {
    BTH_NEED(NULL, x);
    MAKE(cast, bth_borrow(x), (berth_node_ops_dtype_t)dtype);
}

// Functions of each element

#define MAP(name, function) \
    berth_tensor *berth_##name(const berth_tensor *x) { \
        BTH_NEED(NULL, x); \
        MAKE(map, bth_borrow(x), BERTH_NODE_OPS_UNARY_##function); \
    }

MAP(neg, NEG)
MAP(abs, ABS)
MAP(sign, SIGN)
MAP(recip, RECIP)
MAP(sqrt, SQRT)
MAP(rsqrt, RSQRT)
MAP(exp, EXP)
MAP(ln, LOG)
MAP(sin, SIN)
MAP(cos, COS)
MAP(tanh, TANH)
MAP(erf, ERF)
MAP(floor, FLOOR)
MAP(ceil, CEIL)
MAP(round, ROUND)
MAP(relu, RELU)
MAP(sigmoid, SIGMOID)
MAP(silu, SILU)
MAP(gelu, GELU)
MAP(gelu_tanh, GELU_TANH)
MAP(gelu_quick, GELU_QUICK)
MAP(softplus, SOFTPLUS)
MAP(mish, MISH)

// Products and convolutions

berth_tensor *berth_matmul(const berth_tensor *a, const berth_tensor *b) {
    BTH_NEED(NULL, a, b);
    MAKE(matmul, bth_borrow(a), bth_borrow(b));
}

berth_tensor *berth_linear(const berth_tensor *x, const berth_tensor *weight, const berth_tensor *bias) {
    BTH_NEED(NULL, x, weight);
    MAKE(linear, bth_borrow(x), bth_borrow(weight), OPTIONAL(bias));
}

/// What a walk stands for: where it says 0, 1 is meant.
static bth_walk walked(berth_walk walk) {
    return (bth_walk){
        .stride = walk.stride ? walk.stride : 1,
        .padding = walk.padding,
        .dilation = walk.dilation ? walk.dilation : 1,
        .groups = walk.groups ? walk.groups : 1,
    };
}

berth_tensor *berth_conv1d(const berth_tensor *x, const berth_tensor *weight, const berth_tensor *bias,
                           berth_walk walk) {
    BTH_NEED(NULL, x, weight);
    bth_walk steps = walked(walk);
    MAKE(conv1d, bth_borrow(x), bth_borrow(weight), OPTIONAL(bias), &steps);
}

berth_tensor *berth_conv2d(const berth_tensor *x, const berth_tensor *weight, const berth_tensor *bias,
                           berth_walk walk) {
    BTH_NEED(NULL, x, weight);
    bth_walk steps = walked(walk);
    MAKE(conv2d, bth_borrow(x), bth_borrow(weight), OPTIONAL(bias), &steps);
}

berth_tensor *berth_conv_transpose2d(const berth_tensor *x, const berth_tensor *weight, const berth_tensor *bias,
                                     berth_walk walk, uint32_t output_padding) {
    BTH_NEED(NULL, x, weight);
    bth_walk steps = walked(walk);
    MAKE(conv_transpose2d, bth_borrow(x), bth_borrow(weight), OPTIONAL(bias), &steps, output_padding);
}

berth_tensor *berth_attention(const berth_tensor *q, const berth_tensor *k, const berth_tensor *v,
                              berth_attention_options options) {
    BTH_NEED(NULL, q, k, v);
    MAKE(attention, bth_borrow(q), bth_borrow(k), bth_borrow(v), options.heads ? options.heads : 1, OPTIONAL(options.mask),
         options.causal, options.scale != 0 ? &options.scale : NULL);
}

berth_tensor *berth_rotary(const berth_tensor *x, const berth_tensor *cosines, const berth_tensor *sines,
                           bool interleaved) {
    BTH_NEED(NULL, x, cosines, sines);
    MAKE(rotary, bth_borrow(x), bth_borrow(cosines), bth_borrow(sines), interleaved);
}

berth_tensor *berth_embedding(const berth_tensor *indices, const berth_tensor *weight) {
    BTH_NEED(NULL, indices, weight);
    MAKE(embedding, bth_borrow(indices), bth_borrow(weight));
}

// Normalization

berth_tensor *berth_group_norm(const berth_tensor *x, uint32_t groups, const berth_tensor *weight,
                               const berth_tensor *bias, float epsilon) {
    BTH_NEED(NULL, x);
    MAKE(group_norm, bth_borrow(x), groups, OPTIONAL(weight), OPTIONAL(bias), epsilon);
}

berth_tensor *berth_layer_norm(const berth_tensor *x, const berth_tensor *weight, const berth_tensor *bias,
                               float epsilon) {
    BTH_NEED(NULL, x);
    MAKE(layer_norm, bth_borrow(x), OPTIONAL(weight), OPTIONAL(bias), epsilon);
}

berth_tensor *berth_rms_norm(const berth_tensor *x, const berth_tensor *weight, float epsilon) {
    BTH_NEED(NULL, x);
    MAKE(rms_norm, bth_borrow(x), OPTIONAL(weight), epsilon);
}

berth_tensor *berth_softmax(const berth_tensor *x, int32_t axis) {
    BTH_NEED(NULL, x);
    MAKE(softmax, bth_borrow(x), axis);
}

// Along axes

static berth_tensor *reduce(const berth_tensor *x, berth_node_ops_reduction_t reduction, berth_axes axes, bool keep) {
    if (axes.count > BERTH_MAX_RANK) axes.count = BERTH_MAX_RANK;
    memory_node_list_s32_t list = {axes.at, axes.count};
    MAKE(reduce, bth_borrow(x), reduction, &list, keep);
}

#define REDUCE(name, reduction) \
    berth_tensor *berth_##name(const berth_tensor *x, berth_axes axes, bool keep) { \
        BTH_NEED(NULL, x); \
        return reduce(x, BERTH_NODE_OPS_REDUCTION_##reduction, axes, keep); \
    }

REDUCE(sum, SUM)
REDUCE(mean, MEAN)
REDUCE(max, MAX)
REDUCE(min, MIN)

berth_tensor *berth_argmax(const berth_tensor *x, int32_t axis, bool keep) {
    BTH_NEED(NULL, x);
    return reduce(x, BERTH_NODE_OPS_REDUCTION_ARGMAX, BERTH_AXES(axis), keep);
}

berth_tensor *berth_argmin(const berth_tensor *x, int32_t axis, bool keep) {
    BTH_NEED(NULL, x);
    return reduce(x, BERTH_NODE_OPS_REDUCTION_ARGMIN, BERTH_AXES(axis), keep);
}

berth_tensor *berth_argsort(const berth_tensor *x, int32_t axis, bool descending) {
    BTH_NEED(NULL, x);
    MAKE(argsort, bth_borrow(x), axis, descending);
}

berth_tensor *berth_cumulative_sum(const berth_tensor *x, int32_t axis) {
    BTH_NEED(NULL, x);
    MAKE(cumulative_sum, bth_borrow(x), axis);
}

// Shape and place

berth_tensor *berth_reshape(const berth_tensor *x, berth_dims shape) {
    BTH_NEED(NULL, x);
    bth_u32s dims = bth_dims(&shape);
    MAKE(reshape, bth_borrow(x), &dims);
}

berth_tensor *berth_permute(const berth_tensor *x, berth_dims axes) {
    BTH_NEED(NULL, x);
    bth_u32s dims = bth_dims(&axes);
    MAKE(permute, bth_borrow(x), &dims);
}

berth_tensor *berth_slice(const berth_tensor *x, int32_t axis, uint32_t start, uint32_t end) {
    return berth_slice_step(x, axis, start, end, 1);
}

berth_tensor *berth_slice_step(const berth_tensor *x, int32_t axis, uint32_t start, uint32_t end, uint32_t step) {
    BTH_NEED(NULL, x);
    MAKE(slice, bth_borrow(x), axis, start, end, step);
}

berth_tensor *berth_concat(const berth_tensor *const *tensors, size_t count, int32_t axis) {
    BTH_NEED(NULL, tensors);
    if (!bth_ready(__func__, (const void *const *)tensors, count)) return NULL;
    bth_borrow_tensor *handles = berth_alloc(count * sizeof *handles);
    for (size_t i = 0; i < count; i++) handles[i] = bth_borrow(tensors[i]);
    berth_node_ops_list_borrow_tensor_t list = {handles, count};
    bth_own_tensor made;
    bth_error error;
    bool done = berth_node_ops_concat(&list, axis, &made, &error);
    berth_drop(handles);
    return bth_made(done, &made, &error);
}

berth_tensor *berth_broadcast(const berth_tensor *x, berth_dims shape) {
    BTH_NEED(NULL, x);
    bth_u32s dims = bth_dims(&shape);
    MAKE(broadcast, bth_borrow(x), &dims);
}

berth_tensor *berth_flip(const berth_tensor *x, int32_t axis) {
    BTH_NEED(NULL, x);
    MAKE(flip, bth_borrow(x), axis);
}

berth_tensor *berth_pad(const berth_tensor *x, const berth_margin *margins, berth_padding padding, double value) {
    BTH_NEED(NULL, x, margins);
    memory_node_tuple2_u32_u32_t amounts[BERTH_MAX_RANK];
    uint32_t rank = berth_rank(x);
    for (uint32_t i = 0; i < rank; i++) amounts[i] = (memory_node_tuple2_u32_u32_t){margins[i].before, margins[i].after};
    memory_node_list_tuple2_u32_u32_t list = {amounts, rank};
    berth_node_ops_padding_t outside = {.tag = (uint8_t)padding, .val.constant = value};
    MAKE(pad, bth_borrow(x), &list, &outside);
}

berth_tensor *berth_gather(const berth_tensor *x, int32_t axis, const berth_tensor *indices) {
    BTH_NEED(NULL, x, indices);
    MAKE(gather, bth_borrow(x), axis, bth_borrow(indices));
}

berth_tensor *berth_index_select(const berth_tensor *x, int32_t axis, const berth_tensor *indices) {
    BTH_NEED(NULL, x, indices);
    MAKE(index_select, bth_borrow(x), axis, bth_borrow(indices));
}

berth_tensor *berth_interpolate(const berth_tensor *x, uint32_t height, uint32_t width, berth_sampling sampling) {
    BTH_NEED(NULL, x);
    MAKE(interpolate, bth_borrow(x), height, width, (berth_node_ops_sampling_t)sampling);
}
