/// Values: what travels on wires, in objects, and in and out of functions.
///
/// A value's case is its type, and nothing is converted on the way: a number is not an integer, even where it has no
/// fraction. `get<T>` takes `bool`, integers, `double`, `float`, `std::string`, `Bytes`, `Value` and all handles.
#pragma once

#include "tensor.hpp"

#include <variant>

namespace berth {

/// Bytes as they are.
using Bytes = std::vector<std::byte>;

/// An integer that holds every signed and every unsigned 64-bit number.
using Integer = berth_wide;

class Value;
class Fields;

/// What a model's header says of one tensor.
struct TensorInfo {
    /// The element type.
    DType dtype;
    /// The dimensions, outermost first.
    Shape shape;
};

/// An open model file.
class ModelFile : public Handle<berth_model> {
public:
    using Handle::Handle;
    /// Opens a label of a category, such as `checkpoints`, `vae`, `clip` or `loras`. Reads no weight.
    /// Errors: `BERTH_NOT_FOUND`, `BERTH_ACCESS_DENIED`, `BERTH_INVALID_ARGUMENT` for a file that is no model.
    static ModelFile open(const std::string &category, const std::string &label) {
        return ModelFile(berth_model_open(category.c_str(), label.c_str()));
    }
    /// The labels of a category that this plugin may open, sorted.
    static Texts available(const std::string &category) { return detail::taken(berth_models_available(category.c_str())); }
    /// The label it was opened by.
    std::string label() const { return detail::taken(berth_model_label(raw())); }
    /// The keys of all tensors, sorted.
    Texts keys() const { return detail::taken(berth_model_keys(raw())); }
    /// Element type and shape of one tensor, without reading it.
    std::optional<TensorInfo> info(const std::string &key) const {
        berth_tensor_info info = berth_model_info(raw(), key.c_str());
        return info.found ? std::optional(TensorInfo{info.dtype, info.shape}) : std::nullopt;
    }
    /// The tensor of a key. Nothing is read yet. Error: `BERTH_NOT_FOUND`.
    Tensor weight(const std::string &key) const { return Tensor(berth_model_weight(raw(), key.c_str())); }
    /// One entry of the file's metadata.
    std::optional<std::string> metadata(const std::string &name) const {
        const char *found = berth_model_metadata(raw(), name.c_str());
        return found ? std::optional(detail::taken(found)) : std::nullopt;
    }
    /// The names of the file's metadata.
    Texts metadata_names() const { return detail::taken(berth_model_metadata_names(raw())); }
};

/// A function of a plugin, with values captured. Whoever holds it can call it, from any plugin; it runs in a fresh
/// instance of the plugin that made it.
class Function : public Handle<berth_function> {
public:
    using Handle::Handle;
    /// This plugin's own function of that name, one of those in `BERTH_PLUGIN`.
    static Function create(const std::string &name, const Fields &captures);
    /// The same without captures.
    static Function create(const std::string &name);
    /// Calls it and waits for its results. Errors: the function's own; `BERTH_OTHER` when its plugin trapped.
    Fields call(const Fields &arguments) const;
};

/// Named values under a type name, held by the host. Immutable.
class Object : public Handle<berth_object> {
public:
    using Handle::Handle;
    /// An object of these fields.
    static Object create(const std::string &type_name, const Fields &fields);
    /// The type name.
    std::string type_name() const { return detail::taken(berth_type_name(raw())); }
    /// The names of the fields, in the order they were given.
    Texts field_names() const { return detail::taken(berth_field_names(raw())); }
    /// Whether there is a field of this name.
    bool has(const std::string &name) const;
    /// One field. Error: `BERTH_INVALID_ARGUMENT` that names the type and the field, when it is missing or of another type.
    template <class T> T get(const std::string &name) const;
    /// One field, if there is one of this name. Errors as `get`.
    template <class T> std::optional<T> find(const std::string &name) const;
    /// All fields.
    Fields fields() const;
    /// A copy in which these fields are set, and all others as they were.
    Object replace(const Fields &fields) const;
};

/// Values in order, held by the host. Immutable.
class Items : public Handle<berth_items> {
public:
    using Handle::Handle;
    /// A list of these values.
    static Items create(const std::vector<Value> &values);
    /// How many there are.
    std::uint32_t size() const { return berth_length(raw()); }
    /// One of them. Errors: `BERTH_NOT_FOUND` past the end, `BERTH_INVALID_ARGUMENT` when it is of another type.
    template <class T> T get(std::uint32_t index) const;
};

/// One value of any type, or none.
class Value {
public:
    /// No value.
    Value() = default;
    /// True or false.
    Value(bool x) : held_(x) {}
    /// An integer.
    template <class T>
        requires(std::is_integral_v<T> && !std::is_same_v<T, bool>)
    Value(T x) : held_(static_cast<Integer>(x)) {}
    /// An integer of up to 64 bits, signed or unsigned.
    Value(Integer x) : held_(x) {}
    /// A number.
    Value(double x) : held_(x) {}
    /// A text.
    Value(std::string x) : held_(std::move(x)) {}
    /// A text.
    Value(const char *x) : held_(std::string(x)) {}
    /// Bytes.
    Value(Bytes x) : held_(std::move(x)) {}
    /// A tensor. An empty handle, here and below, is no value.
    Value(const Tensor &x) { hold(x); }
    /// A model file.
    Value(const ModelFile &x) { hold(x); }
    /// A function.
    Value(const Function &x) { hold(x); }
    /// An object.
    Value(const Object &x) { hold(x); }
    /// A list.
    Value(const Items &x) { hold(x); }
    /// What is there, or no value.
    template <class T> Value(const std::optional<T> &x) : Value(x ? Value(*x) : Value()) {}

    /// Takes over a value of the C SDK.
    static Value taken(berth_value x) {
        Value value;
        switch (x.kind) {
        case BERTH_NOTHING: break;
        case BERTH_BOOLEAN: value.held_ = x.boolean; break;
        case BERTH_INTEGER: value.held_ = static_cast<Integer>(x.integer); break;
        case BERTH_NUMBER_VALUE: value.held_ = x.number; break;
        case BERTH_TEXT_VALUE:
            value.held_ = std::string(x.text, x.size);
            berth_drop(const_cast<char *>(x.text));
            break;
        case BERTH_BYTES: {
            auto *data = static_cast<const std::byte *>(x.bytes);
            value.held_ = Bytes(data, data + x.size);
            berth_drop(const_cast<void *>(x.bytes));
            break;
        }
        case BERTH_TENSOR: value.held_ = Tensor(x.tensor); break;
        case BERTH_MODEL_FILE: value.held_ = ModelFile(x.model); break;
        case BERTH_FUNCTION: value.held_ = Function(x.function); break;
        case BERTH_OBJECT: value.held_ = Object(x.object); break;
        case BERTH_ITEMS: value.held_ = Items(x.items); break;
        }
        return value;
    }

    /// Whether there is a value.
    explicit operator bool() const { return !std::holds_alternative<std::monostate>(held_); }
    /// What it is.
    berth_kind kind() const { return raw().kind; }
    /// The value as a type. Error: `BERTH_INVALID_ARGUMENT`, which says what was expected and what came.
    template <class T> T get() const;
    /// What errors call it, such as `a f32 tensor of [2, 3]`.
    std::string describe() const { return detail::taken(berth_describe_value(raw())); }
    /// As the C SDK has it, as long as this value lives.
    berth_value raw() const {
        return std::visit(
            [](const auto &x) -> berth_value {
                using T = std::remove_cvref_t<decltype(x)>;
                if constexpr (std::is_same_v<T, std::monostate>) return berth_value{};
                else if constexpr (std::is_same_v<T, bool>) return berth_boolean_value(x);
                else if constexpr (std::is_same_v<T, Integer>) return berth_integer_value(x);
                else if constexpr (std::is_same_v<T, double>) return berth_number_value(x);
                else if constexpr (std::is_same_v<T, std::string>) {
                    berth_value value = berth_text_value(x.c_str());
                    value.size = x.size();
                    return value;
                }
                else if constexpr (std::is_same_v<T, Bytes>) return berth_bytes_value(x.data(), x.size());
                else if constexpr (std::is_same_v<T, Tensor>) return berth_tensor_value(x.raw());
                else if constexpr (std::is_same_v<T, ModelFile>) return berth_model_value(x.raw());
                else if constexpr (std::is_same_v<T, Function>) return berth_function_value(x.raw());
                else if constexpr (std::is_same_v<T, Object>) return berth_object_value(x.raw());
                else return berth_items_value(x.raw());
            },
            held_);
    }

private:
    template <class H> void hold(const H &x) {
        if (x) held_ = x;
    }
    std::variant<std::monostate, bool, Integer, double, std::string, Bytes, Tensor, ModelFile, Function, Object, Items>
        held_;
};

namespace detail {

template <class T> T second(auto *raw) { return T(static_cast<decltype(raw)>(berth_share(raw))); }

} // namespace detail

template <class T> T Value::get() const {
    berth_value x = raw();
    if constexpr (std::is_same_v<T, Value>) return *this;
    else if constexpr (std::is_same_v<T, bool>) return berth_as_boolean(x);
    else if constexpr (std::is_same_v<T, Integer>) {
        return x.kind == BERTH_INTEGER ? static_cast<Integer>(x.integer) : static_cast<Integer>(berth_as_int(x));
    }
    else if constexpr (std::is_integral_v<T>) {
        bool is_signed = std::is_signed_v<T>;
        Integer wide = is_signed ? static_cast<Integer>(berth_as_int(x)) : static_cast<Integer>(berth_as_uint(x));
        if (wide == static_cast<Integer>(static_cast<T>(wide))) return static_cast<T>(wide);
        invalid("an integer of " + std::to_string(sizeof(T) * 8) + " bits was expected");
        return T{};
    }
    else if constexpr (std::is_floating_point_v<T>) return static_cast<T>(berth_as_number(x));
    else if constexpr (std::is_same_v<T, std::string>) {
        berth_as_text(x);
        return failed() ? std::string() : std::string(x.text, x.size);
    }
    else if constexpr (std::is_same_v<T, Bytes>) {
        std::size_t size;
        auto *data = static_cast<const std::byte *>(berth_as_bytes(x, &size));
        return Bytes(data, data + size);
    }
    else if constexpr (std::is_same_v<T, Tensor>) return detail::second<Tensor>(berth_as_tensor(x));
    else if constexpr (std::is_same_v<T, ModelFile>) return detail::second<ModelFile>(berth_as_model(x));
    else if constexpr (std::is_same_v<T, Function>) return detail::second<Function>(berth_as_function(x));
    else if constexpr (std::is_same_v<T, Items>) return detail::second<Items>(berth_as_items(x));
    else if constexpr (std::is_same_v<T, Object>) return detail::second<Object>(berth_as_object(x, nullptr));
    else if constexpr (std::is_base_of_v<Object, T>) return detail::second<T>(berth_as_object(x, T::wire));
    else return T(detail::second<Tensor>(berth_as_tensor(x)));
}

/// Named values in order: a node's inputs, a function's captures, arguments and results, an object's fields.
class Fields {
public:
    /// No fields.
    Fields() = default;
    /// Fields by their names: `{{"latent", latent}, {"timestep", 3.0}}`. No value adds nothing.
    Fields(std::initializer_list<std::pair<const char *, Value>> fields) {
        for (const auto &[name, value] : fields) set(name, value);
    }
    /// Takes over fields of the C SDK; errors say `place` before a field's name.
    static Fields taken(berth_fields *fields, const std::string &place) {
        Fields made;
        made.place_ = place;
        for (std::size_t i = 0; i < berth_field_count(fields); i++) {
            const char *name = berth_field_name(fields, i);
            made.entries_.emplace_back(name, Value::taken(berth_find(fields, name)));
        }
        berth_drop(fields);
        return made;
    }

    /// Adds a field, in the place of one of the same name. No value adds nothing.
    void set(const std::string &name, Value value) {
        if (!value) return;
        for (auto &[known, held] : entries_) {
            if (known != name) continue;
            held = std::move(value);
            return;
        }
        entries_.emplace_back(name, std::move(value));
    }
    /// Whether there is a field of this name.
    bool has(const std::string &name) const { return value_of(name) != nullptr; }
    /// A field. Error: `BERTH_INVALID_ARGUMENT` that names the field, when it is missing or of another type.
    template <class T> T get(const std::string &name) const {
        auto found = find<T>(name);
        if (!found) invalid(before() + "`" + name + "` is missing");
        return found ? std::move(*found) : T{};
    }
    /// A field, if there is one of this name. Error: `BERTH_INVALID_ARGUMENT` that names the field, when it is of another type.
    template <class T> std::optional<T> find(const std::string &name) const {
        const Value *value = value_of(name);
        if (!value) return std::nullopt;
        bool well = !failed();
        T found = value->get<T>();
        if (well) {
            if (auto error = caught()) {
                error->message = before() + "`" + name + "`: " + error->message;
                raise(*error);
            }
        }
        return found;
    }
    /// The names, in order.
    Texts names() const {
        Texts names;
        for (const auto &entry : entries_) names.push_back(entry.first);
        return names;
    }
    /// How many there are.
    std::size_t size() const { return entries_.size(); }
    /// As the C SDK has them, as long as these fields live.
    berth_fields *raw() const {
        berth_fields *fields = berth_fields_new();
        copy_to(fields);
        return fields;
    }
    /// Sets these fields in some of the C SDK, where they count as long as these live.
    void copy_to(berth_fields *fields) const {
        for (const auto &[name, value] : entries_) berth_set_value(fields, name.c_str(), value.raw());
    }

private:
    const Value *value_of(const std::string &name) const {
        for (const auto &[known, value] : entries_) {
            if (known == name) return &value;
        }
        return nullptr;
    }
    std::string before() const { return place_.empty() ? "" : place_ + ": "; }

    std::string place_;
    std::vector<std::pair<std::string, Value>> entries_;
};

namespace detail {

/// Hands fields to a function of the C SDK.
template <class F> auto with(const Fields &fields, F &&use) {
    berth_fields *raw = fields.raw();
    auto made = use(raw);
    berth_drop(raw);
    return made;
}

} // namespace detail

inline Function Function::create(const std::string &name, const Fields &captures) {
    return Function(detail::with(captures, [&](berth_fields *raw) { return berth_function_new(name.c_str(), raw); }));
}

inline Function Function::create(const std::string &name) { return create(name, Fields()); }

inline Fields Function::call(const Fields &arguments) const {
    auto *results = detail::with(arguments, [&](berth_fields *given) { return berth_call(raw(), given); });
    return Fields::taken(results, "a function's results");
}

inline Object Object::create(const std::string &type_name, const Fields &fields) {
    return Object(detail::with(fields, [&](berth_fields *raw) { return berth_object_new(type_name.c_str(), raw); }));
}

inline Object Object::replace(const Fields &fields) const {
    return Object(detail::with(fields, [&](berth_fields *given) { return berth_replace(raw(), given); }));
}

inline Fields Object::fields() const { return Fields::taken(berth_fields_of(raw()), failed() ? "" : type_name()); }

inline bool Object::has(const std::string &name) const {
    return static_cast<bool>(Value::taken(berth_object_find(raw(), name.c_str())));
}

template <class T> std::optional<T> Object::find(const std::string &name) const {
    Value value = Value::taken(berth_object_find(raw(), name.c_str()));
    if (!value) return std::nullopt;
    T found = value.get<T>();
    if (auto error = caught()) {
        error->message = type_name() + ": `" + name + "`: " + error->message;
        raise(*error);
    }
    return found;
}

template <class T> T Object::get(const std::string &name) const {
    auto found = find<T>(name);
    if (!found && !failed()) invalid(type_name() + ": `" + name + "` is missing");
    return found ? std::move(*found) : T{};
}

inline Items Items::create(const std::vector<Value> &values) {
    std::vector<berth_value> raws;
    for (const Value &value : values) raws.push_back(value.raw());
    return Items(berth_items_new(raws.data(), raws.size()));
}

template <class T> T Items::get(std::uint32_t index) const {
    Value value = Value::taken(berth_item(raw(), index));
    return failed() ? T{} : value.get<T>();
}

} // namespace berth
