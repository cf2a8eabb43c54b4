// What the tests of the SDK share.
#include <berth.h>
#include <math.h>
#include <string.h>

/// Fails the node, with the line, unless it holds and no error is pending.
#define CHECK(what) \
    do { \
        bool holds = (what); \
        if (!holds || berth_failed()) { \
            berth_error e = berth_catch(); \
            berth_failure("check", berth_format("%s:%d: %s (%s)", __FILE__, __LINE__, #what, e.message), ""); \
            return; \
        } \
    } while (0)

/// Whether exactly this error is pending, which is taken.
static inline bool caught(berth_error_kind kind, const char *part) {
    berth_error e = berth_catch();
    bool right = e.kind == kind && strstr(e.message, part) != NULL;
    if (!right) berth_log(BERTH_ERROR, "expected error %d with `%s`, got %d: %s", kind, part, e.kind, e.message);
    return right;
}

/// Whether a tensor has these numbers, to 1e-4.
#define HAS(x, ...) has(x, sizeof((double[]){__VA_ARGS__}) / sizeof(double), (double[]){__VA_ARGS__})
static inline bool has(berth_tensor *x, size_t count, const double *expected) {
    size_t got;
    double *numbers = berth_to_f64(x, &got);
    bool right = got == count;
    for (size_t i = 0; right && i < count; i++) right = fabs(numbers[i] - expected[i]) <= 1e-4;
    for (size_t i = 0; !right && i < got; i++) berth_log(BERTH_ERROR, "%zu: %g", i, numbers[i]);
    return right;
}

void run_tensors(const berth_fields *inputs, berth_outputs *outputs);
void run_ops(const berth_fields *inputs, berth_outputs *outputs);
void run_values(const berth_fields *inputs, berth_outputs *outputs);
void run_wires(const berth_fields *inputs, berth_outputs *outputs);
void run_context(const berth_fields *inputs, berth_outputs *outputs);
void run_memory(const berth_fields *inputs, berth_outputs *outputs);
