"""Writes REFERENCE.md from the doc comments in src/. Run it in this folder:
python3 reference.py > REFERENCE.md"""

import re

FILES = ["node", "tensor", "ops", "wires", "object", "value", "failure", "context", "memory"]
# What only the SDK itself calls.
INTERNAL = re.compile(
    r"\b(fromHost|toHost|lend|lendList|give|keep\(failure|set|note|clear|text|encode\(value|decode\(comptime T"
    r"|encodeFields|hyphens|wideInteger|mismatch|share|borrow|own|broken|result|fromAny|toAny|describe|fill|nameOf"
    r"|texts|at|unary|run|call)\("
)
print("# Reference of the Zig SDK\n\nWritten by `python3 reference.py > REFERENCE.md` from the doc comments.")
print("Everything is in `@import(\"berth\")`; functions of `ops.zig` that take `x` first are methods of `Tensor`.")


def declaration(lines, at):
    """A declaration that begins at a line, up to its body or its end."""
    text = lines[at].strip()
    while not text.endswith(("{", ";", ",")) or text.count("(") > text.count(")"):
        at += 1
        text += " " + lines[at].strip()
    if text.startswith("pub fn"):
        return text.rstrip("{ ").strip()
    if "enum" in text and text.endswith("{"):
        body = []
        while not lines[at + 1].strip().startswith(("}", "///", "pub ")) and lines[at + 1].strip():
            at += 1
            body.append(lines[at].strip())
        return text + " " + " ".join(body) + " }"
    return re.sub(r"( = (struct|union|error)[^{]*)\{$", r"\1", text).rstrip(" ;")


for name in FILES:
    lines = open(f"src/{name}.zig").read().splitlines()
    print(f"\n## {name}.zig\n")
    print("\n".join(line[3:].strip() for line in lines if line.startswith("//!")))
    doc, parent = [], ""
    for at, line in enumerate(lines):
        stripped = line.strip()
        if stripped.startswith("///"):
            doc.append(stripped[3:].removeprefix(" "))
            continue
        is_field = re.match(r"[a-z_0-9@\"A-Z]+(: .*)?,$", stripped)
        if line == "};":
            parent = ""
        if stripped.startswith("pub ") and line.startswith("pub const") and stripped.endswith("{"):
            parent = re.match(r"pub const (\w+)", stripped)[1] + "."
        if doc and (stripped.startswith("pub ") or is_field) and not INTERNAL.search(stripped):
            shown = declaration(lines, at) if stripped.startswith("pub ") else stripped.rstrip(",")
            if stripped.startswith("pub ") and not line.startswith(" "):
                print(f"\n### `{shown}`\n")
                print("\n".join(doc))
            else:
                print(f"- `{parent}{shown.removeprefix('pub ').removeprefix('fn ').removeprefix('const ')}`: " + " ".join(doc))
        doc = []
