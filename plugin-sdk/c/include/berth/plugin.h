/// What a plugin provides: nodes, and the functions behind its function values. Both are tables.
///
/// ```c
/// static const berth_node sharpen = {
///     .name = "Sharpen",
///     .category = "image/filters",
///     .description = "Makes the edges of an image clearer.",
///     .inputs = BERTH_INPUTS(
///         {"image", BERTH_WIRE("IMAGE"), "The image to sharpen."},
///         {"amount", BERTH_NUMBER(.initial = 1.0, .min = 0.0), "0 leaves it as it is."}),
///     .outputs = BERTH_OUTPUTS({"IMAGE"}),
///     .run = run_sharpen,
/// };
///
/// BERTH_PLUGIN(.nodes = BERTH_NODES(&sharpen));
/// ```
#ifndef BERTH_PLUGIN_H
#define BERTH_PLUGIN_H

#include "values.h"

#ifdef __cplusplus
extern "C" {
#else
#pragma clang diagnostic ignored "-Winitializer-overrides" // The author's options replace what stands for none.
#pragma clang diagnostic ignored "-Wmissing-field-initializers" // What is left out is zero.
#endif

// Inputs

/// In a table: an integer's option is left out.
#define BERTH_ABSENT_INTEGER ((berth_wide)1 << 100)

/// In a table: a number's option is left out.
#define BERTH_ABSENT_NUMBER __builtin_nan("")

/// What an input takes.
typedef enum berth_port_kind {
    BERTH_PORT_BOOLEAN,
    BERTH_PORT_INTEGER,
    BERTH_PORT_NUMBER,
    BERTH_PORT_TEXT,
    BERTH_PORT_CHOICE,
    BERTH_PORT_WIRE,
} berth_port_kind;

/// What an input takes, and the options of its widget. Made by the macros below.
typedef struct berth_port {
    /// Which of the members below it is.
    berth_port_kind kind;
    union {
        /// Of `BERTH_BOOL`.
        struct {
            /// What the widget starts with: 0 or 1; −1 leaves it to the client.
            int initial;
        } boolean;
        /// Of `BERTH_INT`.
        struct {
            /// What the widget starts with.
            berth_wide initial;
            /// The smallest value allowed.
            berth_wide min;
            /// The largest value allowed.
            berth_wide max;
            /// The widget's step.
            uint32_t step;
            /// A seed: the client may change it after each run.
            bool seed;
        } integer;
        /// Of `BERTH_NUMBER`.
        struct {
            /// What the widget starts with.
            double initial;
            /// The smallest value allowed.
            double min;
            /// The largest value allowed.
            double max;
            /// The widget's step.
            double step;
        } number;
        /// Of `BERTH_TEXT`.
        struct {
            /// What the widget starts with; NULL leaves it to the client.
            const char *initial;
            /// Whether the widget has several lines.
            bool multiline;
        } text;
        /// Of `BERTH_CHOICE`.
        struct {
            /// These, as `BERTH_TEXTS` makes them, unless one of the two below is set.
            berth_texts options;
            /// The labels of this category of models.
            const char *models;
            /// The image files of the operator's input folder.
            bool images;
            /// What the widget starts with; NULL leaves it to the client.
            const char *initial;
        } choice;
        /// Of `BERTH_WIRE`: `IMAGE`, several as `IMAGE,MASK`, any as `*`.
        const char *wire;
    };
} berth_port;

/// A wire of this type: `BERTH_WIRE("IMAGE")`, several as `IMAGE,MASK`, any as `*`.
#define BERTH_WIRE(type) {.kind = BERTH_PORT_WIRE, .wire = type}
/// True or false: `BERTH_BOOL(.initial = true)`.
#define BERTH_BOOL(...) {.kind = BERTH_PORT_BOOLEAN, .boolean = {.initial = -1, __VA_ARGS__}}
/// An integer: `BERTH_INT(.initial = 20, .min = 1, .max = 100, .step = 1)`, a seed as
/// `BERTH_INT(.initial = 0, .min = 0, .max = UINT64_MAX, .seed = true)`.
#define BERTH_INT(...) \
    {.kind = BERTH_PORT_INTEGER, .integer = {.initial = BERTH_ABSENT_INTEGER, .min = BERTH_ABSENT_INTEGER, \
     .max = BERTH_ABSENT_INTEGER, __VA_ARGS__}}
/// A number: `BERTH_NUMBER(.initial = 1.0, .min = 0.0, .max = 5.0, .step = 0.01)`.
#define BERTH_NUMBER(...) \
    {.kind = BERTH_PORT_NUMBER, .number = {.initial = BERTH_ABSENT_NUMBER, .min = BERTH_ABSENT_NUMBER, \
     .max = BERTH_ABSENT_NUMBER, .step = BERTH_ABSENT_NUMBER, __VA_ARGS__}}
/// A text: `BERTH_TEXT(.initial = "a lighthouse", .multiline = true)`.
#define BERTH_TEXT(...) {.kind = BERTH_PORT_TEXT, .text = {.initial = NULL, __VA_ARGS__}}
/// One of some texts: `BERTH_CHOICE(.options = BERTH_TEXTS("a", "b"), .initial = "a")`, of a category's
/// models: `BERTH_CHOICE(.models = "checkpoints")`, of the input folder's images: `BERTH_CHOICE(.images = true)`.
#define BERTH_CHOICE(...) {.kind = BERTH_PORT_CHOICE, .choice = {.initial = NULL, __VA_ARGS__}}
/// Texts, in a table.
#define BERTH_TEXTS(...) \
    {sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *), (const char *const[]){__VA_ARGS__}}

/// One input.
typedef struct berth_input {
    /// Its name in a workflow.
    const char *name;
    /// What it takes.
    berth_port port;
    /// What it is for, as people read it; may be NULL.
    const char *tooltip;
    /// Whether the node runs without it.
    bool optional;
    /// Computed only when `needs` asks for it.
    bool lazy;
} berth_input;

/// One output.
typedef struct berth_output {
    /// The wire's type, such as `IMAGE`, `INT`, `FLOAT`, `STRING` or `BOOLEAN`.
    const char *type;
    /// What people read; NULL stands for the type.
    const char *name;
    /// What it is, as people read it; may be NULL.
    const char *tooltip;
    /// The input whose value it passes on untouched, or NULL: the wire has the type of what is linked there.
    const char *passes;
} berth_output;

/// The inputs of a node, in the order of the widgets: each is `{name, port, tooltip, .optional = true}`.
#define BERTH_INPUTS(...) ((const berth_input[]){__VA_ARGS__, {0}})
/// The outputs of a node, in the order of `berth_give`: each is `{type, name, tooltip, passes}`.
#define BERTH_OUTPUTS(...) ((const berth_output[]){__VA_ARGS__, {0}})

// Nodes

/// Values that the host gives without a wire, as texts in the inputs.
typedef enum berth_hidden {
    /// The node's id in the workflow, as `unique-id`.
    BERTH_UNIQUE_ID = 1,
    /// The workflow, in API format, as `prompt`.
    BERTH_PROMPT = 2,
    /// What the client sent along to be stored in images, a JSON object, as `extra-pnginfo`.
    BERTH_EXTRA_PNGINFO = 4,
} berth_hidden;

/// The outputs of a node that runs.
typedef struct berth_outputs berth_outputs;

/// Which inputs a node needs.
typedef struct berth_needed berth_needed;

/// One kind of node. What is left out is empty, NULL or false.
typedef struct berth_node {
    /// The class name that workflows use. It is unique within a plugin and does not change.
    const char *name;
    /// What people read; NULL stands for the name.
    const char *display_name;
    /// Folders in a menu, separated by `/`.
    const char *category;
    /// What it does, in a sentence or more.
    const char *description;
    /// Its inputs, as `BERTH_INPUTS` makes them; NULL for none.
    const berth_input *inputs;
    /// Its outputs, as `BERTH_OUTPUTS` makes them; NULL for none.
    const berth_output *outputs;
    /// What it is given without a wire: `BERTH_UNIQUE_ID | BERTH_PROMPT`.
    unsigned hidden;
    /// Runs for its effect: a workflow is run for its output nodes.
    bool output_node;
    /// Kept for old workflows only.
    bool deprecated;
    /// May still change.
    bool experimental;
    /// Other words that should find it, as `BERTH_TEXTS` makes them.
    berth_texts search_aliases;
    /// Runs it: reads the inputs and gives the outputs, in order, by `berth_give`.
    void (*run)(const berth_fields *inputs, berth_outputs *outputs);
    /// Says which lazy inputs the node still needs, by `berth_need`, given those it has. NULL: all of them.
    void (*needs)(const berth_fields *inputs, berth_needed *needed);
    /// Gives a text that changes when the node must run again though its inputs are the same. With an
    /// error, it runs each time. NULL: only changed inputs make it run again.
    const char *(*fingerprint)(const berth_fields *inputs);
    /// Checks the constant inputs before anything runs, and gives what is wrong with them, or NULL.
    const char *(*validate)(const berth_fields *inputs);
} berth_node;

/// Gives the next output. The host's wires are checked: an `IMAGE` is a `f32` tensor of 4 dimensions.
/// Error: `BERTH_INVALID_ARGUMENT` for a value that is not of the output's type.
void berth_give_value(berth_outputs *outputs, berth_value value);

#ifndef __cplusplus
/// Gives the next output: anything that `BERTH_VALUE` takes.
#define berth_give(outputs, x) berth_give_value(outputs, BERTH_VALUE(x))
#endif

/// In `needs`: this lazy input is to be computed.
void berth_need(berth_needed *needed, const char *input);

/// One function of a plugin, which `berth_function_new` makes values of.
typedef struct berth_function_entry {
    /// Its name.
    const char *name;
    /// Runs it: reads what was captured and what it is called with, and sets its results.
    void (*run)(const berth_fields *captures, const berth_fields *arguments, berth_fields *results);
} berth_function_entry;

/// A whole plugin.
typedef struct berth_plugin {
    /// Its nodes, as `BERTH_NODES` makes them.
    const berth_node *const *nodes;
    /// Its functions, as `BERTH_FUNCTIONS` makes them; NULL for none.
    const berth_function_entry *functions;
} berth_plugin;

/// The nodes of a plugin: `BERTH_NODES(&sharpen, &upscale)`.
#define BERTH_NODES(...) ((const berth_node *const[]){__VA_ARGS__, NULL})
/// The functions of a plugin: `BERTH_FUNCTIONS({"denoise", denoise})`.
#define BERTH_FUNCTIONS(...) ((const berth_function_entry[]){__VA_ARGS__, {0}})
/// Says what the plugin is, once: `BERTH_PLUGIN(.nodes = BERTH_NODES(&sharpen));`. The linker calls it `BERTH_PLUGIN` too,
/// where no file has it.
#define BERTH_PLUGIN(...) \
    static const berth_plugin berth_plugin_of_this_file = {__VA_ARGS__}; \
    const berth_plugin *berth_this_plugin(void) { return &berth_plugin_of_this_file; } \
    _Static_assert(true, "a semicolon follows")

/// What `BERTH_PLUGIN` defines: what this plugin is.
const berth_plugin *berth_this_plugin(void) __asm__("BERTH_PLUGIN");

#ifdef __cplusplus
}
#endif
#endif
