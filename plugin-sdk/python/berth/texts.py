"""Docstrings as plain text: a node's description, and what each input is for."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field

_HEADING = re.compile(r"^(Args|Arguments|Inputs|Returns|Raises|Examples?|Notes?):\s*$")
_ENTRY = re.compile(r"^(\s*)(\w+)(?:\s*\([^)]*\))?:\s*(.*)$")


@dataclass
class Texts:
    """What a docstring says."""

    description: str = ""
    """Everything before the first section; a paragraph is a line."""
    inputs: dict[str, str] = field(default_factory=dict)
    """What `Args:` says of each parameter."""
    returns: str = ""
    """What `Returns:` says."""


def texts_of(docstring: str | None) -> Texts:
    """The texts of a docstring, whose sections are written as `Args:`, `Returns:` with what
    belongs to them indented below."""
    sections: dict[str, list[str]] = {"": []}
    current = sections[""]
    for line in inspect.cleandoc(docstring or "").splitlines():
        heading = _HEADING.match(line)
        if heading:
            current = sections.setdefault(heading[1], [])
        else:
            current.append(line)
    inputs: dict[str, list[str]] = {}
    for heading_name in ("Args", "Arguments", "Inputs"):
        _entries(sections.get(heading_name, []), inputs)
    return Texts(
        description=_paragraphs(sections[""]),
        inputs={name: _paragraphs(lines) for name, lines in inputs.items()},
        returns=_paragraphs(sections.get("Returns", [])),
    )


def _entries(lines: list[str], found: dict[str, list[str]]) -> None:
    """Puts the `name: text` entries of a section into `found`. Deeper lines go on with a text."""
    margin: int | None = None
    current: list[str] | None = None
    for line in lines:
        entry = _ENTRY.match(line)
        if entry and (margin is None or len(entry[1]) == margin):
            margin = len(entry[1])
            current = found.setdefault(entry[2], [])
            current.append(entry[3])
        elif current is not None:
            current.append(line)


def _paragraphs(lines: list[str]) -> str:
    text = "\n".join(line.strip() for line in lines).strip()
    return "\n\n".join(" ".join(part.split("\n")) for part in re.split(r"\n{2,}", text))


def words_of(name: str) -> list[str]:
    """The words of a Python name."""
    return [word for word in name.split("_") if word]


def camel_case(name: str) -> str:
    """`image_blur` as `ImageBlur`."""
    return "".join(word[:1].upper() + word[1:] for word in words_of(name))


def title_case(name: str) -> str:
    """`image_blur` as `Image Blur`."""
    return " ".join(word[:1].upper() + word[1:] for word in words_of(name))
