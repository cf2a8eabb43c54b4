/// Berth nodes in C++: everything that a plugin needs, in one header.
///
/// Three rules hold for all of it:
///
/// 1. *Handles are dropped by their destructors*, and all of them when the run ends. A copy is a second handle
///    and costs no memory.
/// 2. *The first error stays.* A call that fails notes the error and gives an empty handle or 0. From then on
///    every call does nothing, so that a network reads as one expression. The node's result is
///    that error. `failed` asks; `attempt` makes a `std::expected` of it.
/// 3. *There are no C++ exceptions*: WebAssembly has them, but this compiler's library for it does not.
#pragma once

#include "berth/core.hpp"
#include "berth/tensor.hpp"
#include "berth/values.hpp"
#include "berth/wires.hpp"
#include "berth/context.hpp"
#include "berth/memory.hpp"
#include "berth/node.hpp"
#include "berth/plugin.hpp"
