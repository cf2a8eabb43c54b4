"""Writes src/bindings.zig from the C bindings, by `zig translate-c`. Run it in this folder when
they change: python3 translate.py [ZIG]. The first time, it takes two minutes."""

import subprocess
import sys

ZIG = sys.argv[1] if len(sys.argv) > 1 else "zig"
HEADER = "../c/bindings/memory_node.h"
FIRST = "pub const struct_memory_node_string_t"

command = [ZIG, "translate-c", "-target", "wasm32-wasi", "-lc", HEADER]
lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
start = next(i for i, line in enumerate(lines) if line.startswith(FIRST))
# What follows the last function are the compiler's own macros, and the constants of enums.
end = max(i for i, line in enumerate(lines) if line.startswith("pub extern fn ")) + 1
# Aliases of functions inside of the structs have no use here.
kept = [line for line in lines[start:end] if " = __root." not in line]
with open("src/bindings.zig", "w") as out:
    out.write("//! Generated from plugin-sdk/c/bindings by translate.py. DO NOT EDIT!\n\n")
    out.write("\n".join(kept) + "\n")
