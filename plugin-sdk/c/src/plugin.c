// The component's exports: look-ups in the plugin's tables.

#include <stdlib.h>
#include <string.h>

#include "internal.h"

typedef exports_berth_node_nodes_node_type_t bth_node_type;
typedef exports_berth_node_nodes_input_t bth_input;
typedef exports_berth_node_nodes_output_t bth_output;
typedef exports_berth_node_nodes_port_t bth_port;

struct berth_outputs {
    const berth_node *node;
    size_t count;
    bth_value *at;
};

struct berth_needed {
    size_t count;
    bth_string *at;
};

/// Room for one more at the end of an array of `count`, which is freed with the others of its list.
static void *grown(void *array, size_t count, size_t size) {
    void *larger = bth_malloc((count + 1) * size);
    if (count) memcpy(larger, array, count * size);
    free(array);
    return larger;
}

// What the nodes are

static exports_berth_node_nodes_option_wide_integer_t wide_option(berth_wide x) {
    if (x > (berth_wide)UINT64_MAX || x < -(berth_wide)UINT64_MAX) {
        return (exports_berth_node_nodes_option_wide_integer_t){.is_some = false};
    }
    uint64_t magnitude = (uint64_t)(x < 0 ? -x : x);
    return (exports_berth_node_nodes_option_wide_integer_t){true, {x < 0, (uint32_t)(magnitude >> 32), (uint32_t)magnitude}};
}

static memory_node_option_f64_t number_option(double x) { return (memory_node_option_f64_t){x == x, x == x ? x : 0}; }

static memory_node_option_string_t text_option(const char *x) {
    memory_node_option_string_t option = {.is_some = x != NULL};
    if (x) option.val = bth_owned_text(x);
    return option;
}

static bth_strings owned_texts(berth_texts texts) {
    bth_strings list = {texts.count ? bth_malloc(texts.count * sizeof(bth_string)) : NULL, texts.count};
    for (size_t i = 0; i < texts.count; i++) list.ptr[i] = bth_owned_text(texts.at[i]);
    return list;
}

static void describe_choice(const berth_port *from, bth_port *port) {
    port->val.choice.default_ = text_option(from->choice.initial);
    exports_berth_node_nodes_choices_t *choices = &port->val.choice.choices;
    if (from->choice.images) {
        choices->tag = EXPORTS_BERTH_NODE_NODES_CHOICES_IMAGES;
    } else if (from->choice.models) {
        choices->tag = EXPORTS_BERTH_NODE_NODES_CHOICES_MODELS;
        choices->val.models = bth_owned_text(from->choice.models);
    } else {
        choices->tag = EXPORTS_BERTH_NODE_NODES_CHOICES_FIXED;
        choices->val.fixed = owned_texts(from->choice.options);
    }
}

static void describe_port(const berth_port *from, bth_port *port) {
    // The contract's cases are in the order of the enum.
    port->tag = (uint8_t)from->kind;
    switch (from->kind) {
    case BERTH_PORT_BOOLEAN:
        port->val.boolean.default_.is_some = from->boolean.initial >= 0;
        port->val.boolean.default_.val = from->boolean.initial > 0;
        break;
    case BERTH_PORT_INTEGER:
        port->val.integer.default_ = wide_option(from->integer.initial);
        port->val.integer.min = wide_option(from->integer.min);
        port->val.integer.max = wide_option(from->integer.max);
        port->val.integer.step = (memory_node_option_u32_t){from->integer.step != 0, from->integer.step};
        port->val.integer.seed = from->integer.seed;
        break;
    case BERTH_PORT_NUMBER:
        port->val.number.default_ = number_option(from->number.initial);
        port->val.number.min = number_option(from->number.min);
        port->val.number.max = number_option(from->number.max);
        port->val.number.step = number_option(from->number.step);
        break;
    case BERTH_PORT_TEXT:
        port->val.text.default_ = text_option(from->text.initial);
        port->val.text.multiline = from->text.multiline;
        break;
    case BERTH_PORT_CHOICE:
        describe_choice(from, port);
        break;
    case BERTH_PORT_WIRE:
        port->val.socket = bth_owned_text(from->wire);
        break;
    }
}

static void describe_node(const berth_node *from, bth_node_type *node) {
    node->name = bth_owned_text(from->name);
    node->display_name = bth_owned_text(from->display_name ? from->display_name : from->name);
    node->category = bth_owned_text(from->category);
    node->description = bth_owned_text(from->description);
    for (const berth_input *input = from->inputs; input && input->name; input++) {
        node->inputs.ptr = grown(node->inputs.ptr, node->inputs.len, sizeof(bth_input));
        bth_input *described = &node->inputs.ptr[node->inputs.len++];
        described->name = bth_owned_text(input->name);
        described->tooltip = bth_owned_text(input->tooltip);
        described->optional = input->optional;
        described->lazy = input->lazy;
        describe_port(&input->port, &described->port);
    }
    for (const berth_output *output = from->outputs; output && output->type; output++) {
        node->outputs.ptr = grown(node->outputs.ptr, node->outputs.len, sizeof(bth_output));
        bth_output *described = &node->outputs.ptr[node->outputs.len++];
        described->name = bth_owned_text(output->name ? output->name : output->type);
        described->type_name = bth_owned_text(output->type);
        described->tooltip = bth_owned_text(output->tooltip);
        described->passes = text_option(output->passes);
    }
    static const unsigned hidden[] = {BERTH_UNIQUE_ID, BERTH_PROMPT, BERTH_EXTRA_PNGINFO};
    for (uint8_t i = 0; i < 3; i++) {
        if (!(from->hidden & hidden[i])) continue;
        node->hidden.ptr = grown(node->hidden.ptr, node->hidden.len, sizeof(exports_berth_node_nodes_hidden_t));
        node->hidden.ptr[node->hidden.len++] = i;
    }
    node->output_node = from->output_node;
    node->deprecated = from->deprecated;
    node->experimental = from->experimental;
    if (from->needs) node->checks |= EXPORTS_BERTH_NODE_NODES_CHECKS_NEEDS;
    if (from->fingerprint) node->checks |= EXPORTS_BERTH_NODE_NODES_CHECKS_FINGERPRINT;
    if (from->validate) node->checks |= EXPORTS_BERTH_NODE_NODES_CHECKS_VALIDATE;
    node->search_aliases = owned_texts(from->search_aliases);
}

void exports_berth_node_nodes_describe(exports_berth_node_nodes_list_node_type_t *described) {
    *described = (exports_berth_node_nodes_list_node_type_t){NULL, 0};
    for (const berth_node *const *node = berth_this_plugin()->nodes; node && *node; node++) {
        described->ptr = grown(described->ptr, described->len, sizeof(bth_node_type));
        describe_node(*node, &described->ptr[described->len++]);
    }
    bth_end_run();
}

// Running them

static bool is_named(const char *name, const bth_string *text) {
    return strlen(name) == text->len && memcmp(name, text->ptr, text->len) == 0;
}

/// The node of a name, whose text is freed. Otherwise an error.
static const berth_node *node_of(bth_string *name) {
    const berth_node *found = NULL;
    for (const berth_node *const *node = berth_this_plugin()->nodes; node && *node && !found; node++) {
        if (is_named((*node)->name, name)) found = *node;
    }
    if (!found) berth_fail(BERTH_INVALID_ARGUMENT, "this plugin has no node `%.*s`", (int)name->len, (char *)name->ptr);
    memory_node_string_free(name);
    return found;
}

/// Ends an export: gives whether it went well, and the error when not.
static bool ended(bth_error *error) {
    bool well = !berth_failed();
    if (!well) bth_pending_error(error);
    bth_end_run();
    return well;
}

/// Checks a value against the type of a wire whose meaning is fixed, or of a widget.
static void check_output(const berth_output *output, berth_value value) {
    static const char *const objects[] = {"LATENT", "CONDITIONING", "MODEL", "CLIP", "VAE"};
    if (strcmp(output->type, "IMAGE") == 0) berth_as_image(value);
    else if (strcmp(output->type, "MASK") == 0) berth_as_mask(value);
    else if (strcmp(output->type, "BOOLEAN") == 0) berth_as_boolean(value);
    else if (strcmp(output->type, "FLOAT") == 0) berth_as_number(value);
    else if (strcmp(output->type, "STRING") == 0) berth_as_text(value);
    else if (strcmp(output->type, "INT") == 0) value.integer < 0 ? (void)berth_as_int(value) : (void)berth_as_uint(value);
    else if (berth_contains((berth_texts){5, objects}, output->type)) berth_as_object(value, output->type);
}

void berth_give_value(berth_outputs *outputs, berth_value value) {
    BTH_NEED(, outputs);
    const berth_output *declared = outputs->node->outputs;
    for (size_t i = 0; declared && declared->type && i < outputs->count; i++) declared++;
    if (!declared || !declared->type) {
        berth_fail(BERTH_OTHER, "%s gives more outputs than it declares", outputs->node->name);
        return;
    }
    if (value.kind == BERTH_NOTHING) {
        berth_fail(BERTH_OTHER, "%s: output %zu is NULL", outputs->node->name, outputs->count + 1);
        return;
    }
    check_output(declared, value);
    if (berth_failed()) {
        berth_error wrong = berth_catch();
        berth_fail(wrong.kind, "%s: output %zu: %s", outputs->node->name, outputs->count + 1, wrong.message);
        return;
    }
    outputs->at = grown(outputs->at, outputs->count, sizeof(bth_value));
    bth_give_value(value, &outputs->at[outputs->count++]);
}

bool exports_berth_node_nodes_run(bth_string *name, exports_berth_node_nodes_list_named_value_t *given,
                                  exports_berth_node_nodes_list_value_t *result, bth_error *error) {
    const berth_node *node = node_of(name);
    berth_fields *inputs = bth_take_fields((bth_named *)given, node ? node->name : NULL);
    if (!node) return ended(error);
    berth_outputs outputs = {.node = node};
    if (node->run) node->run(inputs, &outputs);
    else berth_fail(BERTH_OTHER, "%s has no `.run`", node->name);
    size_t declared = 0;
    while (node->outputs && node->outputs[declared].type) declared++;
    if (!berth_failed() && outputs.count != declared) {
        berth_fail(BERTH_OTHER, "%s gave %zu of its %zu outputs: give each by `berth_give`, in their order", node->name,
                   outputs.count, declared);
    }
    *result = (exports_berth_node_nodes_list_value_t){outputs.at, outputs.count};
    return ended(error);
}

bool exports_berth_node_nodes_call(bth_string *name, exports_berth_node_nodes_list_named_value_t *captured,
                                   exports_berth_node_nodes_list_named_value_t *given,
                                   exports_berth_node_nodes_list_named_value_t *result, bth_error *error) {
    const berth_function_entry *entry = berth_this_plugin()->functions;
    while (entry && entry->name && !is_named(entry->name, name)) entry++;
    if (!entry || !entry->name) {
        berth_fail(BERTH_INVALID_ARGUMENT, "this plugin lists no function `%.*s`", (int)name->len, (char *)name->ptr);
        entry = NULL;
    }
    memory_node_string_free(name);
    berth_fields *captures = bth_take_fields((bth_named *)captured, entry ? entry->name : NULL);
    berth_fields *arguments = bth_take_fields((bth_named *)given, entry ? entry->name : NULL);
    if (!entry) return ended(error);
    berth_fields *results = berth_fields_new();
    entry->run(captures, arguments, results);
    if (!berth_failed()) {
        bth_named named = bth_give_fields(results);
        *result = (exports_berth_node_nodes_list_named_value_t){named.ptr, named.len};
    }
    return ended(error);
}

// The optional checks

void berth_need(berth_needed *needed, const char *input) {
    BTH_NEED(, needed, input);
    needed->at = grown(needed->at, needed->count, sizeof(bth_string));
    needed->at[needed->count++] = bth_owned_text(input);
}

bool exports_berth_node_nodes_needs(bth_string *name, exports_berth_node_nodes_list_named_value_t *given,
                                    bth_strings *result, bth_error *error) {
    const berth_node *node = node_of(name);
    berth_fields *inputs = bth_take_fields((bth_named *)given, node ? node->name : NULL);
    berth_needed needed = {0};
    if (node && node->needs) node->needs(inputs, &needed);
    *result = (bth_strings){needed.at, needed.count};
    return ended(error);
}

bool exports_berth_node_nodes_fingerprint(bth_string *name, exports_berth_node_nodes_list_named_value_t *given,
                                          bth_string *result, bth_error *error) {
    const berth_node *node = node_of(name);
    berth_fields *inputs = bth_take_fields((bth_named *)given, node ? node->name : NULL);
    *result = bth_owned_text(node && node->fingerprint ? node->fingerprint(inputs) : "");
    return ended(error);
}

bool exports_berth_node_nodes_validate(bth_string *name, exports_berth_node_nodes_list_named_value_t *given,
                                       memory_node_option_string_t *result, bth_error *error) {
    const berth_node *node = node_of(name);
    berth_fields *inputs = bth_take_fields((bth_named *)given, node ? node->name : NULL);
    *result = text_option(node && node->validate ? node->validate(inputs) : NULL);
    return ended(error);
}
