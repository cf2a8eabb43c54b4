// The C SDK as one object file: C and C++ take different options, so a command compiles one of them.
#include "../../c/src/blocks.c"
#include "../../c/src/context.c"
#include "../../c/src/error.c"
#include "../../c/src/memory.c"
#include "../../c/src/objects.c"
#include "../../c/src/ops.c"
#include "../../c/src/plugin.c"
#include "../../c/src/tensor.c"
#include "../../c/src/texts.c"
#include "../../c/src/values.c"
#include "../../c/src/wires.c"
// The last, for it turns the compiler's advice off.
#include "../../c/src/bindings.c"
