/// Nodes: what one takes and gives, and how it runs. `berth/plugin.hpp` has an example.
#pragma once

#include "wires.hpp"

#include <tuple>

namespace berth {

// Inputs

/// A number, a boolean or a text in a node's description, or nothing.
class Option {
public:
    /// Nothing.
    Option() = default;
    /// True or false.
    Option(bool x) : integer_(x), given_(true) {}
    /// An integer of up to 64 bits.
    template <class T>
        requires(std::is_integral_v<T> && !std::is_same_v<T, bool>)
    Option(T x) : number_(static_cast<double>(x)), integer_(x), given_(true) {}
    /// A number.
    Option(double x) : number_(x), integer_(static_cast<Integer>(x)), given_(true) {}
    /// A text.
    Option(const char *x) : text_(x), given_(true) {}

    /// As a number of the C SDK's tables.
    double number() const { return given_ ? number_ : BERTH_ABSENT_NUMBER; }
    /// As an integer of the C SDK's tables.
    Integer integer() const { return given_ ? integer_ : BERTH_ABSENT_INTEGER; }
    /// As a boolean of the C SDK's tables.
    int boolean() const { return given_ ? integer_ != 0 : -1; }
    /// As a text of the C SDK's tables.
    const char *text() const { return text_; }

private:
    double number_ = 0;
    Integer integer_ = 0;
    const char *text_ = nullptr;
    bool given_ = false;
};

/// One input. The type of the parameter at its place says what it takes: `bool`, an integer, `double`, `std::string`, a
/// wire such as `Image`, or a `std::optional` of these for what may be left out.
struct Input {
    /// Its name in a workflow.
    const char *name;
    /// What it is for, as people read it.
    const char *tooltip = "";
    /// What the widget starts with.
    Option initial{};
    /// The smallest value allowed.
    Option min{};
    /// The largest value allowed.
    Option max{};
    /// The widget's step.
    Option step{};
    /// Of an integer: a seed, which the client may change after each run.
    bool seed = false;
    /// Of a text: whether the widget has several lines.
    bool multiline = false;
    /// Of a text: one of these.
    std::vector<const char *> choices{};
    /// Of a text: one of the labels of this category of models.
    const char *models = nullptr;
    /// Of a text: one of the image files of the operator's input folder.
    bool images = false;
    /// Another wire than the parameter's own, such as `IMAGE,MASK`.
    const char *wire = nullptr;
    /// Computed only when `needs` asks for it.
    bool lazy = false;
};

/// The inputs of a node. It is a list of its own kind so that the compiler does not list all that a vector could be made of
/// where an option is misspelled.
class Inputs : public std::vector<Input> {
public:
    /// None.
    Inputs() = default;
    /// These.
    Inputs(std::initializer_list<Input> list) : vector(list) {} // Look for a misspelled option, or one out of the order of Input.
};

/// One output. The type of what `run` returns says what it is.
struct Output {
    /// What people read; empty stands for the wire's type.
    const char *name = "";
    /// What it is, as people read it.
    const char *tooltip = "";
    /// The input whose value it passes on untouched, or null.
    const char *passes = nullptr;
    /// Another wire than the type's own.
    const char *wire = nullptr;
};

/// A parameter of `run` that the host gives without a wire: the node's id in the workflow.
struct UniqueId {
    std::string value;
};

/// A parameter of `run` that the host gives without a wire: the workflow, in API format.
struct Prompt {
    std::string value;
};

/// A parameter of `run` that the host gives without a wire: what the client sent along to be stored in images, a JSON object.
/// Empty where there is none.
struct ExtraPngInfo {
    std::string value;
};

struct Node;

namespace detail {

template <class T> struct Hidden {
    static constexpr unsigned flag = 0;
    static constexpr const char *name = nullptr;
};
template <> struct Hidden<UniqueId> {
    static constexpr unsigned flag = BERTH_UNIQUE_ID;
    static constexpr const char *name = "unique-id";
};
template <> struct Hidden<Prompt> {
    static constexpr unsigned flag = BERTH_PROMPT;
    static constexpr const char *name = "prompt";
};
template <> struct Hidden<ExtraPngInfo> {
    static constexpr unsigned flag = BERTH_EXTRA_PNGINFO;
    static constexpr const char *name = "extra-pnginfo";
};

template <class T> constexpr bool is_optional = false;
template <class T> constexpr bool is_optional<std::optional<T>> = true;
template <class T> constexpr bool is_result = false;
template <class T> constexpr bool is_result<Result<T>> = true;
template <class T> constexpr bool is_tuple = false;
template <class... T> constexpr bool is_tuple<std::tuple<T...>> = true;

/// What a parameter takes.
struct Parameter {
    berth_port_kind kind;
    const char *wire;
    bool optional;
    unsigned hidden;
    bool all;
};

template <class T> constexpr berth_port_kind kind_of() {
    if constexpr (std::is_same_v<T, bool>) return BERTH_PORT_BOOLEAN;
    else if constexpr (std::is_integral_v<T>) return BERTH_PORT_INTEGER;
    else if constexpr (std::is_floating_point_v<T>) return BERTH_PORT_NUMBER;
    else if constexpr (std::is_same_v<T, std::string>) return BERTH_PORT_TEXT;
    else return BERTH_PORT_WIRE;
}

/// The type of a value's wire.
template <class T> constexpr const char *wire_of() {
    if constexpr (is_result<T> || is_optional<T>) return wire_of<typename T::value_type>();
    else if constexpr (requires { T::wire; }) return T::wire;
    else if constexpr (std::is_same_v<T, bool>) return "BOOLEAN";
    else if constexpr (std::is_integral_v<T> || std::is_same_v<T, Integer>) return "INT";
    else if constexpr (std::is_floating_point_v<T>) return "FLOAT";
    else if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, const char *>) return "STRING";
    else return "*";
}

template <class T> constexpr Parameter parameter() {
    if constexpr (is_optional<T>) {
        Parameter inner = parameter<typename T::value_type>();
        inner.optional = true;
        return inner;
    }
    else return {kind_of<T>(), wire_of<T>(), false, Hidden<T>::flag, std::is_same_v<T, Fields>};
}

/// Whether a parameter has an entry in `.inputs`.
template <class T> constexpr bool has_entry = Hidden<T>::flag == 0 && !std::is_same_v<T, Fields>;

/// The parameter of this place in a node's function.
template <class T> T argument(const Fields &fields, const std::vector<Input> &inputs, std::size_t &next) {
    if constexpr (Hidden<T>::flag != 0) return T{fields.find<std::string>(Hidden<T>::name).value_or("")};
    else if constexpr (std::is_same_v<T, Fields>) return fields;
    else if constexpr (is_optional<T>) return fields.find<typename T::value_type>(inputs[next++].name);
    else return fields.get<T>(inputs[next++].name);
}

template <class T> void give(berth_outputs *outputs, const T &made) {
    if constexpr (is_result<T>) {
        if (!made) raise(made.error());
        else if constexpr (!std::is_void_v<typename T::value_type>) give(outputs, *made);
    }
    else if constexpr (is_tuple<T>) std::apply([&](const auto &...each) { (give(outputs, each), ...); }, made);
    else berth_give_value(outputs, Value(made).raw());
}

template <class T> void outputs_of(std::vector<const char *> &wires) {
    if constexpr (std::is_void_v<T>) return;
    else if constexpr (is_result<T>) outputs_of<typename T::value_type>(wires);
    else if constexpr (is_tuple<T>) {
        [&]<class... E>(std::type_identity<std::tuple<E...>>) { (outputs_of<E>(wires), ...); }(std::type_identity<T>());
    }
    else wires.push_back(wire_of<T>());
}

/// What a lambda without captures is called with: it has no state, so that its type says all.
template <class F> struct Bound {
    static inline const char *name = "";
    static inline const std::vector<Input> *inputs = nullptr;
};

template <class F>
concept Stateless = std::is_empty_v<F> && std::is_default_constructible_v<F>;

inline Fields fields_of(const berth_fields *raw, const char *place) {
    return Fields::taken(const_cast<berth_fields *>(raw), place);
}

} // namespace detail

// Nodes

/// A node's function: a lambda without captures, whose parameters are the inputs in order, and which returns the output, a
/// `std::tuple` of several, or nothing; or a `Result` of these. It is not called when an input is of another type.
class Run {
public:
    /// Of a lambda without captures.
    template <detail::Stateless F> Run(F) : Run(F{}, &F::operator()) {}

    /// What its parameters take.
    std::vector<detail::Parameter> parameters;
    /// The wires of what it returns.
    std::vector<const char *> wires;
    /// As the C SDK calls it.
    void (*call)(const berth_fields *, berth_outputs *);
    /// Tells it its node's name and inputs.
    void (*bind)(const char *name, const std::vector<Input> *inputs);

private:
    template <class F, class R, class... A> Run(F, R (F::*)(A...) const) {
        (parameters.push_back(detail::parameter<std::remove_cvref_t<A>>()), ...);
        detail::outputs_of<R>(wires);
        bind = [](const char *name, const std::vector<Input> *inputs) {
            detail::Bound<F>::name = name;
            detail::Bound<F>::inputs = inputs;
        };
        call = [](const berth_fields *given, berth_outputs *outputs) {
            Fields fields = detail::fields_of(given, detail::Bound<F>::name);
            const std::vector<Input> &inputs = *detail::Bound<F>::inputs;
            constexpr std::size_t taken = (0 + ... + detail::has_entry<std::remove_cvref_t<A>>);
            if (inputs.size() != taken) {
                berth_fail(BERTH_OTHER, "%s: `.run` takes %zu inputs, but `.inputs` names %zu", detail::Bound<F>::name, taken,
                           inputs.size());
                return;
            }
            [[maybe_unused]] std::size_t next = 0;
            std::tuple<std::remove_cvref_t<A>...> arguments{
                detail::argument<std::remove_cvref_t<A>>(fields, inputs, next)...};
            if (failed()) return;
            if constexpr (std::is_void_v<R>) std::apply(F{}, std::move(arguments));
            else detail::give(outputs, std::apply(F{}, std::move(arguments)));
        };
    }
};

/// An optional check of a node: a lambda without captures that takes `const Fields &`.
template <class Native> class Check {
public:
    /// The node has no such check.
    Check() = default;
    /// Of a lambda without captures.
    template <detail::Stateless F> Check(F) {
        bind = [](const char *name) { detail::Bound<F>::name = name; };
        if constexpr (std::is_same_v<Native, Texts>) {
            needs = [](const berth_fields *given, berth_needed *needed) {
                for (const std::string &input : F{}(detail::fields_of(given, detail::Bound<F>::name))) {
                    berth_need(needed, input.c_str());
                }
            };
        }
        else {
            text = [](const berth_fields *given) -> const char * {
                Native made = F{}(detail::fields_of(given, detail::Bound<F>::name));
                if constexpr (std::is_same_v<Native, std::string>) return berth_format("%s", made.c_str());
                else return made ? berth_format("%s", made->c_str()) : nullptr;
            };
        }
    }

    /// Tells it its node's name.
    void (*bind)(const char *name) = nullptr;
    /// As the C SDK calls it.
    void (*needs)(const berth_fields *, berth_needed *) = nullptr;
    /// As the C SDK calls it.
    const char *(*text)(const berth_fields *) = nullptr;
};

/// One kind of node. What is left out is empty or false.
struct Node {
    /// The class name that workflows use. It is unique within a plugin and does not change.
    const char *name;
    /// What people read; empty stands for the name.
    const char *display_name = "";
    /// Folders in a menu, separated by `/`.
    const char *category = "";
    /// What it does, in a sentence or more.
    const char *description = "";
    /// Names, tooltips and options of the inputs, in the order of `run`'s parameters.
    Inputs inputs{};
    /// Names and tooltips of the outputs, in the order of what `run` returns; may be left out.
    std::vector<Output> outputs{};
    /// Runs for its effect: a workflow is run for its output nodes.
    bool output_node = false;
    /// Kept for old workflows only.
    bool deprecated = false;
    /// May still change.
    bool experimental = false;
    /// Other words that should find it.
    std::vector<const char *> search_aliases{};
    /// Runs it.
    Run run;
    /// Gives the names of the lazy inputs that the node still needs, given those it has, as `Texts`.
    Check<Texts> needs{};
    /// Gives a `std::string` that changes when the node must run again though its inputs are the same. With an error, it runs
    /// each time.
    Check<std::string> fingerprint{};
    /// Gives what is wrong with the constant inputs as a `std::optional<std::string>`, or nothing.
    Check<std::optional<std::string>> validate{};
};

} // namespace berth
