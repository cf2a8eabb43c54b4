"""Ports: what a node's parameters and results are in its description.

A parameter's annotation decides its port, and `Annotated[…, Input(…)]` gives it options. What
does not fit (an option that the type does not have, a type that no wire carries) is an error
while the plugin is built, at the node's own line.
"""

from __future__ import annotations

import types as python_types
import typing
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from enum import Enum
from typing import Any

from . import _host
from ._host import nodes
from .integers import LARGEST, to_wide
from .model import ModelFile
from .tensor import Tensor
from .values import Function, Items, Object


class DefinitionError(TypeError):
    """A node or a function is not defined as it can be. Raised while the plugin is built."""


@dataclass(frozen=True)
class Input:
    """Options of an input, in its annotation: `Annotated[float, Input(min=0, max=1)]`. What an
    input starts with is its parameter's default."""

    min: float | None = None
    """The smallest that is allowed: `int`, `float`."""
    max: float | None = None
    """The largest that is allowed: `int`, `float`."""
    step: float | None = None
    """From one that a client offers to the next: `int`, `float`."""
    seed: bool = False
    """A seed, which the client may change after each run: `int`. Its range is then all of the
    unsigned 64-bit integers, if no other is given."""
    multiline: bool = False
    """With room for several lines: `str`."""
    choices: Sequence[str] | None = None
    """One of these: `str`. `Literal["a", "b"]` and enums of texts say the same with more types."""
    models: str | None = None
    """One of the labels of this category of models: `str`."""
    images: bool = False
    """One of the image files of the operator's input folder: `str`."""
    lazy: bool = False
    """Computed only when the node's `needs` asks for it; the parameter can be `None`."""
    wire: str | None = None
    """The wire's type where the annotation has none of its own: `IMAGE`, several as `IMAGE,MASK`,
    any as `*`: `Tensor`, `Object`, `Items`, `Function`, `ModelFile`, `Any`."""
    name: str | None = None
    """Its name in a workflow, where that is not the parameter's."""
    tooltip: str | None = None
    """What it is for, where the docstring's `Args:` does not say it."""


@dataclass(frozen=True)
class Output:
    """Options of an output, in the result's annotation: `Annotated[Image, Output("sharp")]`."""

    name: str | None = None
    """What people read; otherwise the wire's type."""
    tooltip: str = ""
    """What it is, where the docstring's `Returns:` does not say it."""
    wire: str | None = None
    """The wire's type where the annotation has none of its own."""
    passes: str | None = None
    """The input whose value it passes on untouched: the wire has the type of what is linked
    there."""


class UniqueId(str):
    """The node's id in the workflow. A parameter of this type is given by the host, without a
    wire."""


class Prompt(str):
    """The workflow, in API format. Given by the host, without a wire."""


class ExtraPngInfo(str):
    """What the client sent along to be stored in images, a JSON object. Given by the host,
    without a wire, if there is any: annotate `ExtraPngInfo | None`."""


HIDDEN: dict[type, tuple[str, str]] = {
    UniqueId: ("UNIQUE_ID", "unique-id"),
    Prompt: ("PROMPT", "prompt"),
    ExtraPngInfo: ("EXTRA_PNGINFO", "extra-pnginfo"),
}
"""The case of each hidden input, and the name that its value comes under."""

_PLAIN_WIRES = {bool: "BOOLEAN", int: "INT", float: "FLOAT", str: "STRING"}
_ANY_WIRES = (Tensor, Object, Items, Function, ModelFile, bytes)
_MISSING: Any = object()

# The options that a port can have, beside `name` and `tooltip`.
_ALLOWED: dict[str, set[str]] = {
    "boolean": {"lazy"},
    "integer": {"min", "max", "step", "seed", "lazy"},
    "number": {"min", "max", "step", "lazy"},
    "text": {"multiline", "choices", "models", "images", "lazy"},
    "choice": {"lazy"},
    "socket": {"lazy", "wire"},
}


@dataclass(frozen=True)
class Taken:
    """An annotation taken apart."""

    kind: Any
    """The type, without `Optional` and `Annotated`."""
    optional: bool
    """Whether it can be `None`."""
    options: Any
    """The `Input` or `Output` in it, if any."""


def take_apart(annotation: Any, options_type: type) -> Taken:
    """The type, whether it is optional, and its options. A text in `Annotated` is a tooltip."""
    options: Any = None
    optional, tooltip = False, None
    while True:
        origin = typing.get_origin(annotation)
        if origin is typing.Annotated:
            annotation, *notes = typing.get_args(annotation)
            for note in notes:
                if isinstance(note, options_type):
                    options = note
                elif isinstance(note, str) and options_type is Input:
                    tooltip = note
        elif origin in (typing.Union, python_types.UnionType):
            parts = typing.get_args(annotation)
            others = [part for part in parts if part is not type(None)]
            if len(others) != 1 or len(others) == len(parts):
                raise DefinitionError(f"{annotation} is neither one type nor one or `None`")
            annotation, optional = others[0], True
        else:
            if tooltip is not None:
                options = replace(options or Input(), tooltip=tooltip)
            return Taken(annotation, optional, options)


@dataclass(frozen=True)
class Port:
    """An input of a node."""

    parameter: str
    name: str
    kind: Any
    case: str
    """`boolean`, `integer`, `number`, `text`, `choice`, `socket`, or `hidden`."""
    optional: bool
    default: Any
    options: Input
    tooltip: str
    texts: tuple[str, ...] | None = None
    """A choice's fixed texts."""
    wire: str = ""
    """A socket's type."""

    def to_raw(self) -> Any:
        """The contract's input."""
        raw = getattr(nodes, f"Port_{self.case.capitalize()}")(self._raw_port())
        return nodes.Input(self.name, raw, self.optional, bool(self.options.lazy), self.tooltip)

    def _raw_port(self) -> Any:
        options, default = self.options, self.default
        if self.case == "boolean":
            return nodes.BooleanPort(default)
        if self.case == "integer":
            low, high = options.min, options.max
            if options.seed and low is None and high is None:
                low, high = 0, LARGEST
            wide = [None if one is None else to_wide(int(one)) for one in (default, low, high)]
            step = None if options.step is None else int(options.step)
            return nodes.IntegerPort(*wide, step, bool(options.seed))
        if self.case == "number":
            numbers = (default, options.min, options.max, options.step)
            return nodes.NumberPort(*(None if one is None else float(one) for one in numbers))
        if self.case == "text":
            return nodes.TextPort(default, bool(options.multiline))
        if self.case == "choice":
            if self.texts is not None:
                choices = nodes.Choices_Fixed(list(self.texts))
            elif options.models is not None:
                choices = nodes.Choices_Models(options.models)
            else:
                choices = nodes.Choices_Images()
            return nodes.ChoicePort(choices, default)
        return self.wire


def port_of(
    parameter: str, annotation: Any, default: Any, tooltip: str, optional: bool = False
) -> Port:
    """The port of a parameter; `default` is `None` where there is none, and `optional` says that
    the parameter can be left out for `None` whatever its type says.

    Raises:
        DefinitionError: No wire carries the type, or an option does not fit it.
    """
    taken = take_apart(annotation, Input)
    kind, options = taken.kind, taken.options or Input()
    name = options.name or parameter
    texts, wire = None, ""
    if kind in HIDDEN:
        case, name = "hidden", HIDDEN[kind][1]
    elif kind in (bool, int, float):
        case = {bool: "boolean", int: "integer", float: "number"}[kind]
    elif kind is str:
        case = "text"
    elif typing.get_origin(kind) is typing.Literal:
        case, texts = "choice", tuple(typing.get_args(kind))
    elif isinstance(kind, type) and issubclass(kind, Enum):
        case, texts = "choice", tuple(member.value for member in kind)
    else:
        case, wire = "socket", _wire_of(kind, options.wire, parameter)
    _check_options(parameter, case, options)
    if case == "text" and (options.choices is not None or options.models or options.images):
        case = "choice"
        texts = None if options.choices is None else tuple(options.choices)
    if texts is not None and not all(isinstance(text, str) for text in texts):
        raise DefinitionError(f"`{parameter}`: the options of a choice are texts")
    optional = taken.optional or optional
    if options.lazy and not optional:
        raise DefinitionError(f"`{parameter}`: what is lazy may be missing: annotate `… | None`")
    if isinstance(default, Enum):
        default = default.value
    _check_default(parameter, case, default, texts)
    return Port(
        parameter=parameter,
        name=name,
        kind=str if typing.get_origin(kind) is typing.Literal else kind,
        case=case,
        optional=optional,
        default=default,
        options=options,
        tooltip=options.tooltip if options.tooltip is not None else tooltip,
        texts=texts,
        wire=wire,
    )


def _wire_of(kind: Any, given: str | None, place: str) -> str:
    own = getattr(kind, "wire", None)
    if isinstance(own, str) and isinstance(kind, type):
        if given is not None:
            raise DefinitionError(f"`{place}`: the wire of {kind.__name__} is {own}")
        return own
    if kind is Any or kind is object or kind in _ANY_WIRES:
        return given or "*"
    shown = getattr(kind, "__name__", str(kind))
    raise DefinitionError(
        f"`{place}`: no wire carries {shown}; there are bool, int, float, str, Literal and enums "
        "of texts, Image, Mask, Latent, Conditioning, Model, Clip, Vae, Tensor, Object, Items, "
        "Function, ModelFile, bytes, Any, and subclasses of Wire"
    )


def _check_options(parameter: str, case: str, options: Input) -> None:
    allowed = _ALLOWED.get(case, set()) | {"name", "tooltip"}
    for option in fields(options):
        value = getattr(options, option.name)
        if option.name not in allowed and value != option.default:
            kinds = [known for known, has in _ALLOWED.items() if option.name in has]
            raise DefinitionError(
                f"`{parameter}`: `{option.name}` is an option of {' and '.join(kinds)} inputs, "
                f"and this is a {case} input"
            )
        if case == "integer" and option.name in ("min", "max", "step") and value is not None:
            if not isinstance(value, int) or abs(value) > LARGEST:
                raise DefinitionError(f"`{parameter}`: `{option.name}` is an integer of 64 bits")
            if option.name == "step" and not 0 < value < 2**32:
                raise DefinitionError(f"`{parameter}`: `step` is between 1 and {2**32 - 1}")
    for option_name in ("models", "wire", "name", "tooltip"):
        value = getattr(options, option_name)
        if value is not None and not isinstance(value, str):
            raise DefinitionError(f"`{parameter}`: `{option_name}` is a text, not {value!r}")
    sources = [options.choices is not None, options.models is not None, options.images]
    if sum(sources) > 1:
        raise DefinitionError(f"`{parameter}`: `choices`, `models`, `images`: one of them")


def _check_default(parameter: str, case: str, default: Any, texts: tuple[str, ...] | None) -> None:
    if default is None:
        return
    fits = {
        "boolean": isinstance(default, bool),
        "integer": isinstance(default, int) and not isinstance(default, bool),
        "number": isinstance(default, (int, float)) and not isinstance(default, bool),
        "text": isinstance(default, str),
        "choice": isinstance(default, str) and (texts is None or default in texts),
    }
    if not fits.get(case, False):
        if case not in fits:
            raise DefinitionError(f"`{parameter}`: an input with a wire has no default but `None`")
        wrong = f"{case}" if case != "choice" else f"choice of {', '.join(texts or ())}"
        raise DefinitionError(f"`{parameter}`: its default, {default!r}, is no {wrong}")


@dataclass(frozen=True)
class Slot:
    """An output of a node."""

    name: str
    kind: Any
    wire: str
    tooltip: str
    passes: str | None

    def to_raw(self) -> Any:
        """The contract's output."""
        return nodes.Output(self.name, self.wire, self.tooltip, self.passes)


def slots_of(annotation: Any, tooltip: str) -> list[Slot]:
    """The outputs of a result's annotation: one, a tuple's, or none of `None`.

    Raises:
        DefinitionError: No wire carries the type.
    """
    if annotation is None or annotation is type(None):
        return []
    several = typing.get_origin(annotation) is tuple
    parts = typing.get_args(annotation) if several else (annotation,)
    slots = []
    for index, part in enumerate(parts):
        taken = take_apart(part, Output)
        if taken.optional:
            raise DefinitionError("an output is always given: its type has no `None`")
        options, kind = taken.options or Output(), taken.kind
        if typing.get_origin(kind) is typing.Literal:
            kind = str
        if kind in _PLAIN_WIRES:
            wire = options.wire or _PLAIN_WIRES[kind]
        elif isinstance(kind, type) and issubclass(kind, Enum):
            wire = options.wire or "STRING"
        else:
            wire = _wire_of(kind, options.wire, f"output {index}")
        text = options.tooltip or (tooltip if not several else "")
        slots.append(Slot(options.name or wire, kind, wire, text, options.passes))
    return slots


def hidden_to_raw(port: Port) -> Any:
    """The contract's hidden input."""
    return _host.nodes.Hidden[HIDDEN[port.kind][0]]
