// What the tests of the SDK share.
#pragma once
#include <berth.hpp>
#include <cmath>

using namespace berth;

// Fails the node, with the line, unless it holds and no error is pending.
#define CHECK(what) \
    do { \
        bool holds = static_cast<bool>(what); \
        auto e = caught(); \
        if (!holds || e) { \
            failure("check", std::string(__FILE__) + ":" + std::to_string(__LINE__) + ": " #what " (" + (e ? e->message : "") + ")", ""); \
            return {}; \
        } \
    } while (0)

// Whether exactly this error is pending, which is taken.
inline bool was(berth_error_kind kind, const std::string &part) {
    auto e = caught();
    bool right = e && e->kind == kind && e->message.contains(part);
    if (!right) context::error("expected error with `" + part + "`, got " + (e ? e->message : "none"));
    return right;
}

// Whether a tensor has these numbers, to 1e-4.
inline bool has(const Tensor &x, std::initializer_list<double> expected) {
    auto got = x.to<double>();
    bool right = got.size() == expected.size();
    for (std::size_t i = 0; right && i < got.size(); i++) right = std::fabs(got[i] - expected.begin()[i]) <= 1e-4;
    for (std::size_t i = 0; !right && i < got.size(); i++) context::error(std::to_string(i) + ": " + std::to_string(got[i]));
    return right;
}

extern const Node tensors, ops, values, wires, run_context, run_memory;
