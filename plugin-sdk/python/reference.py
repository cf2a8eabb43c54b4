"""Makes REFERENCE.md of the docstrings: `python3 reference.py`. With `--check`, only says whether
it is as it would be made."""

from __future__ import annotations

import ast
import inspect
import sys
from pathlib import Path

FOLDER = Path(__file__).parent

# What is shown, in order: a title, the module, and which of its names (all public ones where
# there is no list).
SECTIONS: list[tuple[str, str, list[str] | None]] = [
    ("Nodes and functions", "definitions", ["node", "Node", "function", "PluginFunction"]),
    ("Inputs and outputs", "ports", ["Input", "Output", "UniqueId", "Prompt", "ExtraPngInfo", "DefinitionError"]),
    ("Wires", "wires", None),
    ("Tensors", "tensor", ["Tensor", "Upload", "Generator"]),
    ("Operations on tensors", "operations", None),
    ("Operations element by element", "elementwise", ["Elementwise"]),
    ("Element types", "dtypes", ["DType"]),
    ("Values", "values", ["Function", "Object", "Items"]),
    ("Model files", "model", None),
    ("The run: `context`", "context", None),
    ("Errors", "errors", None),
    ("Layers: `nn`", "nn", None),
    ("Memory: `memory`", "memory", None),
]  # fmt: skip

HIDDEN_NAMES = {
    "from_raw",
    "to_raw",
    "from_value",
    "to_value",
    "describe",
    "run",
    "check",
    "sinusoids",
}
INTERNAL_BASES = {"Generic[P, R]", "Arithmetic", "Operations", "Elementwise"}


def text_of(node: ast.AST) -> str:
    """A docstring as Markdown: its sections become lists."""
    lines: list[str] = []
    for line in inspect.cleandoc(ast.get_docstring(node) or "").splitlines():  # type: ignore[arg-type]
        if line.strip() in ("Args:", "Raises:", "Returns:"):
            if lines and lines[-1]:
                lines.append("")
            lines += [f"*{line.strip()}*", ""]
        elif line.startswith("    ") and not line.startswith("     "):
            name, _, rest = line.strip().partition(":")
            lines.append(f"- `{name}`:{rest}" if rest else f"- {line.strip()}")
        else:
            lines.append(line.replace("        ", "  ", 1) if line.startswith("     ") else line)
    return "\n".join(lines).strip()


def signature(function: ast.FunctionDef) -> str:
    """A function's name, parameters and result in a line."""
    decorators = {ast.unparse(decorator) for decorator in function.decorator_list}
    arguments = ast.unparse(function.args)
    arguments = arguments.removeprefix("self, ").removeprefix("self").removeprefix("cls, ")
    result = f" -> {ast.unparse(function.returns)}" if function.returns else ""
    if "property" in decorators:
        return f"{function.name}: {ast.unparse(function.returns)}" if function.returns else ""
    prefix = "static " if "staticmethod" in decorators else ""
    return f"{prefix}{function.name}({arguments}){result}"


def is_public(name: str) -> bool:
    return not name.startswith("_") and name not in HIDDEN_NAMES


def entry(head: str, text: str) -> list[str]:
    """One name: its head as code, and its text."""
    return [f"**`{head}`**", "", text or "—", ""]


def of_class(node: ast.ClassDef) -> list[str]:
    """A class: its text, how it is made, and its members."""
    bases = [ast.unparse(base) for base in node.bases]
    bases = [base for base in bases if not base.startswith("_") and base not in INTERNAL_BASES]
    lines = [f"### {node.name}", ""]
    if bases:
        lines += [f"A `{'`, `'.join(bases)}`.", ""]
    lines += [text_of(node), ""]
    for here, after in zip(node.body, [*node.body[1:], None]):
        documented = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        if isinstance(here, (ast.AnnAssign, ast.Assign)):
            target = here.target if isinstance(here, ast.AnnAssign) else here.targets[0]
            if not is_public(ast.unparse(target)) or ast.unparse(target) == "raw":
                continue
            text = inspect.cleandoc(str(after.value.value)) if documented else ""  # type: ignore[union-attr]
            lines.append(f"- `{ast.unparse(here)}`{': ' if text else ''}{' '.join(text.split())}")
    if lines[-1]:
        lines.append("")
    for member in node.body:
        if not isinstance(member, ast.FunctionDef):
            continue
        special = member.name in ("__init__", "__call__", "__getitem__", "__len__", "__iter__")
        for_sdk = (ast.get_docstring(member) or "").startswith("For the SDK")
        if (is_public(member.name) or special and ast.get_docstring(member)) and not for_sdk:
            if member.name == "__init__":
                head = signature(member).replace("__init__", node.name).removesuffix(" -> None")
            else:
                head = signature(member)
            lines += entry(head, text_of(member))
    return lines


def main() -> int:
    lines = [
        "# Reference",
        "",
        "Made of the docstrings by `python3 reference.py`. The names of the first sections are in",
        "`berth`; `context`, `nn` and `memory` are modules in it.",
        "",
    ]
    for title, module, names in SECTIONS:
        tree = ast.parse((FOLDER / "berth" / f"{module}.py").read_text())
        lines += [f"## {title}", ""]
        if title.endswith("`") or module in ("operations", "arithmetic"):
            lines += [text_of(tree), ""]
        shown: dict[str, list[str]] = {}
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and is_public(node.name):
                shown[node.name] = of_class(node)
            elif isinstance(node, ast.FunctionDef) and is_public(node.name):
                if "overload" not in {ast.unparse(one) for one in node.decorator_list}:
                    shown[node.name] = entry(signature(node), text_of(node))
        for name in names or list(shown):
            lines += shown[name]
    text = "\n".join(lines).rstrip() + "\n"
    file = FOLDER / "REFERENCE.md"
    if "--check" in sys.argv[1:]:
        fresh = file.exists() and file.read_text() == text
        print("up to date" if fresh else "REFERENCE.md is stale: run `python3 reference.py`")
        return 0 if fresh else 1
    file.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
