// Nodes that call everything that the SDK has, and check what it gives.

#include "check.h"

static void run_lazy(const berth_fields *inputs, berth_outputs *outputs) {
    berth_give(outputs, berth_format("lazy %s %s", berth_has(inputs, "unused") ? "with" : "without", berth_get_text(inputs, "used")));
}

static void needs_lazy(const berth_fields *inputs, berth_needed *needed) {
    if (!berth_has(inputs, "used")) berth_need(needed, "used");
}

static const char *fingerprint_lazy(const berth_fields *inputs) { return berth_format("%llu", (unsigned long long)berth_get_uint(inputs, "number")); }

static const char *validate_lazy(const berth_fields *inputs) { return berth_get_uint(inputs, "number") == 13 ? "13 brings bad luck" : NULL; }

static const berth_node lazy = {
    .name = "Lazy", .category = "test", .description = "Checks.",
    .inputs = BERTH_INPUTS({"number", BERTH_INT(.initial = 1)}, {"used", BERTH_WIRE("STRING"), "Lazy.", .lazy = true},
                           {"unused", BERTH_WIRE("STRING"), .optional = true, .lazy = true}),
    .outputs = BERTH_OUTPUTS({"STRING"}),
    .run = run_lazy, .needs = needs_lazy, .fingerprint = fingerprint_lazy, .validate = validate_lazy,
};

static void run_show(const berth_fields *inputs, berth_outputs *outputs) {
    (void)outputs;
    berth_value value = berth_get(inputs, "any");
    berth_show_text(value.kind == BERTH_TEXT_VALUE ? value.text : berth_describe_value(value));
}

static const berth_node show = {
    .name = "Show", .display_name = "Show a value", .category = "test", .description = "Shows.",
    .inputs = BERTH_INPUTS({"any", BERTH_WIRE("*")}), .output_node = true, .run = run_show,
};

static void run_wrong(const berth_fields *inputs, berth_outputs *outputs) {
    uint64_t how = berth_get_uint(inputs, "how");
    if (how == 0) berth_give(outputs, berth_ones(BERTH_F32, BERTH_DIMS(2)));
    if (how == 2) __builtin_trap();
    if (how == 3) berth_give(outputs, berth_relu(berth_reshape(berth_ones(BERTH_F32, BERTH_DIMS(2)), BERTH_DIMS(3))));
}

static const berth_node wrong = {
    .name = "Wrong", .category = "test", .description = "Is wrong.", .deprecated = true, .experimental = true,
    .search_aliases = BERTH_TEXTS("false", "bad"),
    .inputs = BERTH_INPUTS({"how", BERTH_INT(.initial = 0, .min = 0, .max = 9, .step = 1)}),
    .outputs = BERTH_OUTPUTS({"IMAGE", "picture", "None."}), .run = run_wrong,
};

#define TEST(variable, title, function) \
    static const berth_node variable = {.name = title, .category = "test", .description = "Tests.", \
                                        .outputs = BERTH_OUTPUTS({"STRING"}), .run = function}
TEST(tensors, "Tensors", run_tensors);
TEST(ops, "Ops", run_ops);
TEST(context, "Context", run_context);
TEST(memory, "Memory", run_memory);

static const berth_node values = {
    .name = "Values", .category = "test", .description = "Tests.",
    .inputs = BERTH_INPUTS(
        {"seed", BERTH_INT(.initial = UINT64_MAX, .min = 0, .max = UINT64_MAX, .seed = true)},
        {"low", BERTH_INT(.initial = INT64_MIN, .min = INT64_MIN, .max = INT64_MAX)},
        {"flag", BERTH_BOOL(.initial = true)}, {"bare", BERTH_BOOL(), .optional = true},
        {"words", BERTH_TEXT(.initial = "ä\nb", .multiline = true)},
        {"mode", BERTH_CHOICE(.options = BERTH_TEXTS("one", "two"), .initial = "two")},
        {"model", BERTH_CHOICE(.models = "upscale_models"), .optional = true},
        {"picture", BERTH_CHOICE(.images = true), .optional = true},
        {"any", BERTH_WIRE("*")}, {"left_out", BERTH_NUMBER(), .optional = true}),
    .outputs = BERTH_OUTPUTS({"STRING"}, {"*", "same", .passes = "any"}, {"INT"}),
    .hidden = BERTH_UNIQUE_ID | BERTH_PROMPT | BERTH_EXTRA_PNGINFO,
    .run = run_values,
};

static const berth_node wires = {
    .name = "Wires", .category = "test", .description = "Tests.",
    .outputs = BERTH_OUTPUTS({"MODEL"}, {"CLIP"}, {"VAE"}, {"LATENT"}, {"CONDITIONING"}), .run = run_wires,
};

// Functions

static void fail(const berth_fields *captures, const berth_fields *arguments, berth_fields *results) {
    (void)results;
    berth_raise(&(berth_error){(berth_error_kind)berth_get_uint(arguments, "kind"), berth_get_text(captures, "text"), "code", "hint", {BERTH_HOST, 1, 2, 3}});
}

static void trap(const berth_fields *captures, const berth_fields *arguments, berth_fields *results) {
    (void)captures, (void)arguments, (void)results;
    __builtin_trap();
}

static void denoise(const berth_fields *captures, const berth_fields *arguments, berth_fields *results) {
    double factor = berth_get_number(captures, "scale") * berth_get_number(arguments, "timestep");
    berth_tensor *made = berth_mul(berth_get_tensor(arguments, "latent"), factor);
    berth_set(results, "prediction", berth_has(arguments, "pooled") ? berth_add(made, 1) : made);
}

static void encode_text(const berth_fields *captures, const berth_fields *arguments, berth_fields *results) {
    (void)captures;
    berth_entry entry = {.embedding = berth_zeros(BERTH_F32, BERTH_DIMS(1, strlen(berth_get_text(arguments, "text")), 8))};
    berth_set(results, "conditioning", berth_conditioning_new(&entry, 1));
}

static void encode(const berth_fields *captures, const berth_fields *arguments, berth_fields *results) {
    (void)captures;
    berth_set(results, "latent", berth_permute(berth_get_image(arguments, "image"), BERTH_DIMS(0, 3, 1, 2)));
}

static void decode(const berth_fields *captures, const berth_fields *arguments, berth_fields *results) {
    (void)captures;
    berth_set(results, "image", berth_permute(berth_get_tensor(arguments, "latent"), BERTH_DIMS(0, 2, 3, 1)));
}

BERTH_PLUGIN(
    .nodes = BERTH_NODES(&tensors, &ops, &values, &wires, &context, &memory, &lazy, &show, &wrong),
    .functions = BERTH_FUNCTIONS({"fail", fail}, {"trap", trap}, {"denoise", denoise}, {"encode-text", encode_text},
                                 {"encode", encode}, {"decode", decode}));
