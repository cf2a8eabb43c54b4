/// Berth nodes in C: everything that a plugin needs, in one header.
///
/// Three rules hold for all of it:
///
/// 1. *Everything is made for you and dropped for you.* Tensors, objects and texts that a call gives
///    belong to the run, and go when the run ends. `berth_drop` lets one go at once, and
///    `berth_begin` and `berth_end` let go of all that a piece of work made.
/// 2. *The first error stays.* A call that fails notes the error and gives NULL, 0 or an empty value.
///    From then on every call does nothing, so that a network reads as one expression.
///    The node's result is that error. `berth_failed` asks, `berth_catch` takes it back.
/// 3. *Giving keeps.* What is put into an object, a list or an output is still yours afterwards.
#ifndef BERTH_H
#define BERTH_H

#include "berth/base.h"
#include "berth/tensor.h"
#include "berth/ops.h"
#include "berth/values.h"
#include "berth/wires.h"
#include "berth/context.h"
#include "berth/memory.h"
#include "berth/plugin.h"

#endif
