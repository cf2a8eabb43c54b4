"""Writes REFERENCE.md from the doc comments of the headers: python3 reference.py"""

import pathlib
import re
import sys

FOLDER = pathlib.Path(__file__).parent
HEADERS = ["berth.hpp"] + [f"berth/{name}.hpp" for name in
                           ("core", "tensor", "values", "wires", "context", "memory", "node", "plugin")]
HIDDEN = re.compile(r"^\s*(#|public:|private:|namespace |\}|using Handle::|friend .* operator symbol)")
TYPE = re.compile(r"^(?:template <.*> )?(class|struct) (\w+)")


def head(code):
    """A declaration without its body, on one line."""
    text = " ".join(line.strip() for line in code)
    text = re.sub(r"^inline ", "", text)
    if TYPE.match(text):
        return re.sub(r" (: public .*)?\{.*", lambda m: " " + m.group(1).strip() if m.group(1) else "", text)
    if text.startswith("#define"):
        return re.sub(r"\s*\\.*", "", text)
    depth = 0
    for place, letter in enumerate(text):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        rest = text[place:]
        # A body begins outside of parentheses, after them or at an initializer list.
        if depth == 0 and ")" in text[:place] and (rest.startswith(" {") or rest.startswith(" : ")):
            return text[:place] + ";"
        if depth == 0 and letter == ";":
            return text[:place + 1]
    return text


def whole(code):
    """Whether these lines have all of a declaration's head."""
    text = " ".join(code)
    return text.count("(") == text.count(")") and re.search(r"[{;]|\)$|>$|^#define", text) is not None


def entries(lines):
    """(documentation, heading, code): documentation above the first declaration has no code; what is in no class has
    the heading `top`."""
    doc, code, hidden, top = [], [], "", False
    for line in lines:
        bare = line.strip()
        if hidden or bare == "namespace detail {" or bare == "private:":
            # What is not for authors, up to its end.
            hidden = hidden or bare
            ends = ("} // namespace detail",) if hidden.startswith("namespace") else ("public:", "};")
            if bare in ends:
                hidden = ""
        elif code:
            code.append(bare)
        elif bare.startswith("///"):
            doc.append(bare[4:])
            continue
        elif re.match(r"// [A-Z]", bare) and not doc:
            yield [], bare[3:], []
            continue
        elif doc and not bare:
            yield doc, "", []
            doc = []
            continue
        elif doc and (not HIDDEN.match(line) or bare.startswith("#define")):
            code, top = [bare], not line.startswith(" ")
        elif doc and bare.startswith("#"):
            yield doc, "", []
            doc = []
            continue
        if code and whole(code):
            # A template's constraint stands before what it is of.
            if bare.startswith("requires") or code[-1].startswith("template <") and bare.endswith(">"):
                continue
            yield doc, "top" if top else "", code
            doc, code = [], []


def main():
    out = ["# Reference", "", "Made of the headers by `python3 reference.py`. The [README](README.md) says how to begin.",
           "What begins with `berth_` or `BERTH_` is [C's](../c/REFERENCE.md)."]
    for header in HEADERS:
        out += ["", f"## `<{header}>`"]
        member = False
        text = (FOLDER / "include" / header).read_text()
        for doc, heading, code in entries(text.splitlines()):
            if heading and not code:
                out += ["", f"**{heading}**"]
            elif not code:
                out += ["", *doc]
                member = False
            elif heading:
                out += ["", f"### `{head(code)}`", "", *doc]
                member = False
            else:
                out += ([] if member else [""]) + [f"- `{head(code)}`  ", *(f"  {line}" for line in doc)]
                member = True
    (FOLDER / "REFERENCE.md").write_text("\n".join(out) + "\n")


if __name__ == "__main__":
    sys.exit(main())
