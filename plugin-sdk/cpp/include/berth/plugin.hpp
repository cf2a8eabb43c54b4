/// What a plugin provides: nodes, and the functions behind its function values.
///
/// ```cpp
/// static const Node negative = {
///     .name = "Negative",
///     .category = "image",
///     .description = "Turns the colours of an image round.",
///     .inputs = {{"image", "The image to turn round."},
///                {.name = "strength", .tooltip = "0 leaves it as it is.", .initial = 1.0, .min = 0.0, .max = 1.0}},
///     .run = [](Image image, double strength) -> Image {
///         return image * (1.0 - strength) + (1.0 - image) * strength;
///     },
/// };
///
/// BERTH_PLUGIN(.nodes = {negative});
/// ```
#pragma once

#include "node.hpp"

#include <functional>

namespace berth {

/// One function of a plugin, which `Function::create` makes values of: `{"denoise", [](const Fields &captures, const Fields
/// &arguments) { return Fields{{"prediction", …}}; }}`.
class FunctionEntry {
public:
    /// Of a lambda without captures.
    template <detail::Stateless F> FunctionEntry(const char *name, F) {
        detail::Bound<F>::name = name;
        raw.name = name;
        raw.run = [](const berth_fields *captured, const berth_fields *given, berth_fields *results) {
            const char *place = detail::Bound<F>::name;
            Fields made = F{}(detail::fields_of(captured, place), detail::fields_of(given, place));
            // The C SDK reads the results after this returns: they stay until the plugin's instance goes.
            (new Fields(std::move(made)))->copy_to(results);
        };
    }

    /// As the C SDK has it.
    berth_function_entry raw;
};

/// A whole plugin.
struct Plugin {
    /// Its nodes.
    std::vector<std::reference_wrapper<const Node>> nodes;
    /// Its functions.
    std::vector<FunctionEntry> functions{};
};

namespace detail {

/// An array for the C SDK's tables, with a zero after it, which lives as long as the plugin.
template <class T> T *array(std::size_t count) { return new T[count + 1]{}; }

inline const char *or_null(const char *text) { return text && *text ? text : nullptr; }

inline void describe(const Input &from, const Parameter &type, berth_input &input) {
    input.name = from.name;
    input.tooltip = from.tooltip;
    input.optional = type.optional;
    input.lazy = from.lazy;
    berth_port &port = input.port;
    port.kind = from.wire ? BERTH_PORT_WIRE : type.kind;
    switch (port.kind) {
    case BERTH_PORT_BOOLEAN: port.boolean.initial = from.initial.boolean(); break;
    case BERTH_PORT_INTEGER:
        port.integer.initial = from.initial.integer();
        port.integer.min = from.min.integer();
        port.integer.max = from.max.integer();
        port.integer.step = from.step.boolean() > 0 ? static_cast<std::uint32_t>(from.step.integer()) : 0;
        port.integer.seed = from.seed;
        break;
    case BERTH_PORT_NUMBER:
        port.number = {from.initial.number(), from.min.number(), from.max.number(), from.step.number()};
        break;
    default:
        if (port.kind == BERTH_PORT_WIRE) port.wire = from.wire ? from.wire : type.wire;
        else if (from.choices.empty() && !from.models && !from.images) port.text = {from.initial.text(), from.multiline};
        else {
            port.kind = BERTH_PORT_CHOICE;
            port.choice = {{from.choices.size(), from.choices.data()}, from.models, from.images, from.initial.text()};
        }
    }
}

inline void describe(const Node &from, berth_node &node) {
    node.name = from.name;
    node.display_name = or_null(from.display_name);
    node.category = from.category;
    node.description = from.description;
    auto *inputs = array<berth_input>(from.inputs.size());
    std::size_t next = 0;
    for (const Parameter &type : from.run.parameters) {
        node.hidden |= type.hidden;
        if (type.hidden || type.all) continue;
        if (next < from.inputs.size()) describe(from.inputs[next], type, inputs[next]);
        next++;
    }
    if (next != from.inputs.size()) {
        // A plugin cannot fail here. The node does, when it runs.
        berth_log(BERTH_ERROR, "%s: `.run` takes %zu inputs, but `.inputs` names %zu", from.name, next, from.inputs.size());
    }
    node.inputs = inputs;
    auto *outputs = array<berth_output>(from.run.wires.size());
    for (std::size_t i = 0; i < from.run.wires.size(); i++) {
        Output named = i < from.outputs.size() ? from.outputs[i] : Output{};
        outputs[i] = {named.wire ? named.wire : from.run.wires[i], or_null(named.name), named.tooltip, named.passes};
    }
    node.outputs = outputs;
    node.output_node = from.output_node;
    node.deprecated = from.deprecated;
    node.experimental = from.experimental;
    node.search_aliases = {from.search_aliases.size(), from.search_aliases.data()};
    node.run = from.run.call;
    from.run.bind(from.name, &from.inputs);
    node.needs = from.needs.needs;
    node.fingerprint = from.fingerprint.text;
    node.validate = from.validate.text;
    if (from.needs.bind) from.needs.bind(from.name);
    if (from.fingerprint.bind) from.fingerprint.bind(from.name);
    if (from.validate.bind) from.validate.bind(from.name);
}

/// A plugin as the C SDK's tables.
inline const berth_plugin *table(const Plugin &plugin) {
    auto *nodes = array<berth_node>(plugin.nodes.size());
    auto *places = array<const berth_node *>(plugin.nodes.size());
    for (std::size_t i = 0; i < plugin.nodes.size(); i++) {
        describe(plugin.nodes[i].get(), nodes[i]);
        places[i] = &nodes[i];
    }
    auto *functions = array<berth_function_entry>(plugin.functions.size());
    for (std::size_t i = 0; i < plugin.functions.size(); i++) functions[i] = plugin.functions[i].raw;
    return new berth_plugin{places, functions};
}

} // namespace detail

#undef BERTH_PLUGIN
/// Says what the plugin is, once: `BERTH_PLUGIN(.nodes = {sharpen, upscale}, .functions = {{"denoise", […]}});`.
#define BERTH_PLUGIN(...) \
    extern "C" const berth_plugin *berth_this_plugin(void) { \
        static const berth_plugin *table = berth::detail::table(berth::Plugin{__VA_ARGS__}); \
        return table; \
    } \
    static_assert(true, "a semicolon follows")

} // namespace berth
