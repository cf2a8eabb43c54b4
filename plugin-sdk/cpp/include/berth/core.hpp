/// Errors, handles, shapes.
#pragma once

#include <berth.h>

#include <cstdint>
#include <expected>
#include <initializer_list>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace berth {

// Errors

/// Why something was not done, with all that the contract says of it.
struct Error {
    /// What kind it is.
    berth_error_kind kind = BERTH_OTHER;
    /// What went wrong, as people read it.
    std::string message;
    /// For programs, such as `model-not-found`; empty unless the kind is `BERTH_FAILED`.
    std::string code;
    /// What people can do about it; may be empty.
    std::string hint;
    /// For `BERTH_QUOTA_EXCEEDED` and `BERTH_OUT_OF_MEMORY`.
    berth_shortage shortage{};
};

/// What may fail, as a value.
template <class T> using Result = std::expected<T, Error>;

/// Whether an error is pending. Calls do nothing while there is one.
inline bool failed() { return berth_failed(); }

/// Takes the pending error back, so that calls work again.
inline std::optional<Error> caught() {
    if (!berth_failed()) return std::nullopt;
    berth_error e = berth_catch();
    return Error{e.kind, e.message, e.code, e.hint, e.shortage};
}

/// Makes an error pending, unless one is.
inline void raise(const Error &error) {
    berth_error e{error.kind, error.message.c_str(), error.code.c_str(), error.hint.c_str(), error.shortage};
    berth_raise(&e);
}

/// Makes an error of a kind pending, unless one is.
inline void fail(berth_error_kind kind, const std::string &message) { raise({kind, message, {}, {}, {}}); }

/// Makes a `BERTH_INVALID_ARGUMENT` pending, unless an error is.
inline void invalid(const std::string &message) { fail(BERTH_INVALID_ARGUMENT, message); }

/// Makes an error in the node's own words pending, unless one is: a code for programs, a message and a hint
/// (which may be empty) for people.
inline void failure(const std::string &code, const std::string &message, const std::string &hint) {
    raise({BERTH_FAILED, message, code, hint, {}});
}

/// Does something and gives what it gave, or the error that it met, which is not pending then:
/// `auto model = attempt([&] { return ModelFile::open("vae", label); });`.
template <class F> auto attempt(F &&work) -> Result<std::invoke_result_t<F>> {
    if (failed()) {
        const berth_error *e = berth_pending();
        return std::unexpected(Error{e->kind, e->message, e->code, e->hint, e->shortage});
    }
    if constexpr (std::is_void_v<std::invoke_result_t<F>>) {
        work();
        if (auto error = caught()) return std::unexpected(std::move(*error));
        return {};
    } else {
        auto made = work();
        if (auto error = caught()) return std::unexpected(std::move(*error));
        return made;
    }
}

// Handles

/// A handle of the host's, which its destructor drops. A copy is a second handle; an empty one has nothing.
template <class Raw> class Handle {
public:
    /// An empty handle.
    Handle() = default;
    /// Owns what the C SDK made.
    explicit Handle(Raw *raw) : raw_(raw) {}
    /// A second handle.
    Handle(const Handle &other) : raw_(static_cast<Raw *>(berth_share(other.raw_))) {}
    Handle(Handle &&other) noexcept : raw_(std::exchange(other.raw_, nullptr)) {}
    Handle &operator=(Handle other) noexcept {
        std::swap(raw_, other.raw_);
        return *this;
    }
    ~Handle() { berth_drop(raw_); }

    /// Whether it has something.
    explicit operator bool() const { return raw_ != nullptr; }
    /// What the C SDK's functions take. It is still this handle's.
    Raw *raw() const { return raw_; }

private:
    Raw *raw_ = nullptr;
};

// Shapes

/// Dimensions, outermost first; without any, those of a scalar. Axes for `permute` too.
class Shape {
public:
    /// The dimensions of a scalar.
    Shape() : dims_{} {}
    /// Dimensions by their values: `{1, height, width, 3}`. At most 8; others are left out.
    Shape(std::initializer_list<std::int64_t> dims) : dims_{} {
        for (std::int64_t dim : dims) {
            if (dim < 0 || dim > UINT32_MAX) invalid("a dimension is not between 0 and 4294967295");
            if (dims_.count < BERTH_MAX_RANK) dims_.at[dims_.count++] = static_cast<std::uint32_t>(dim);
        }
    }
    /// The dimensions that the C SDK gave.
    Shape(berth_dims dims) : dims_(dims) {}

    /// How many dimensions there are.
    std::size_t size() const { return dims_.count; }
    /// One of them; 0 past the end.
    std::uint32_t operator[](std::size_t index) const { return index < dims_.count ? dims_.at[index] : 0; }
    /// The first of them.
    const std::uint32_t *begin() const { return dims_.at; }
    /// Past the last of them.
    const std::uint32_t *end() const { return dims_.at + dims_.count; }
    /// As the C SDK has it.
    berth_dims raw() const { return dims_; }

private:
    berth_dims dims_;
};

/// Texts in order.
using Texts = std::vector<std::string>;

namespace detail {

/// A text of the C SDK, which is dropped.
inline std::string taken(const char *text) {
    std::string made = text ? text : "";
    berth_drop(const_cast<char *>(text));
    return made;
}

/// Texts of the C SDK, which are dropped.
inline Texts taken(berth_texts texts) {
    Texts made;
    for (std::size_t i = 0; i < texts.count; i++) made.push_back(taken(texts.at[i]));
    berth_drop(const_cast<const char **>(texts.at));
    return made;
}

} // namespace detail
} // namespace berth
