"""Writes REFERENCE.md from the doc comments of the headers: python3 reference.py"""

import pathlib
import re
import sys

FOLDER = pathlib.Path(__file__).parent
HEADERS = ["berth.h"] + [f"berth/{name}.h" for name in
                         ("base", "tensor", "ops", "values", "wires", "context", "memory", "plugin")]
HIDDEN = re.compile(r"^\s*(#if|#endif|#else|#pragma|#include|extern \"C\"|#define BERTH_\w+_H$|\}$)")
NAME = re.compile(r"#define (\w+)|typedef (?:struct|enum) (\w+)|__int128 (\w+)|extern const \w+ (\w+)|(\w+)\(")


def name_of(code):
    # Attributes come before the function's own name.
    found = NAME.search(re.sub(r"__attribute__\(\(.*\)\) ", "", code))
    return next(group for group in found.groups() if group)


def complete(code):
    """Whether these lines are a whole declaration."""
    if code[0].lstrip().startswith("#define"):
        return not code[-1].endswith("\\")
    text = "\n".join(line.split("///")[0] for line in code)
    return text.count("{") == text.count("}") and text.rstrip().endswith(";")


def entries(lines):
    """(kind, documentation, code) in order: kind is `title`, `heading` or `entry`."""
    doc, code = [], []
    for line in lines:
        if code:
            code.append(line)
        elif line.startswith("///"):
            doc.append(line[4:])
            continue
        elif re.match(r"// \S", line):
            yield "heading", [line[3:]], []
            continue
        elif not line.strip() or HIDDEN.match(line):
            if doc:
                yield "title", doc, []
            doc = []
            continue
        else:
            code = [line]
        if complete(code):
            if doc:
                yield "entry", doc, code
            doc, code = [], []


def main():
    out = ["# Reference", "", "Made of the headers by `python3 reference.py`. The [README](README.md) says how to begin."]
    for header in HEADERS:
        text = (FOLDER / "include" / header).read_text()
        out += ["", f"## `<{header}>`"]
        said = False
        for kind, doc, code in entries(text.splitlines()):
            if kind == "heading":
                # A comment of several lines is a heading and what is said under it.
                title, *rest = re.split(r"(?<=\.) |$", doc[0], maxsplit=1)
                if title[0].isupper() and not title.endswith((".", ",")) and len(title) < 60:
                    out += ["", f"### {title}"]
                else:
                    # Lines of one comment stay together.
                    out += [doc[0]] if said else ["", doc[0]]
                    said = True
                    continue
            said = False
            if kind == "heading":
                continue
            if kind == "entry":
                out += ["", f"#### `{name_of(code[0])}`"]
            out += ["", *doc]
            if code:
                out += ["", "```c", *code, "```"]
    (FOLDER / "REFERENCE.md").write_text("\n".join(out) + "\n")


if __name__ == "__main__":
    sys.exit(main())
