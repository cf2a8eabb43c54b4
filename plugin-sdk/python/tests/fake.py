"""The bindings as far as the tests need them: plain data, and tensors that hold their numbers.
Import this before `berth`."""

from __future__ import annotations

import sys
from dataclasses import make_dataclass
from enum import Enum, Flag, auto
from types import ModuleType
from typing import Any

CASES = "InvalidArgument AccessDenied NotFound QuotaExceeded OutOfMemory Unsupported Failed Other"
DTYPES = "U8 U32 I32 I64 F16 BF16 F32 F64 F8_E4M3 F8_E5M2 Q4_0"


class Err(Exception):
    """What the bindings raise."""

    def __init__(self, value: Any) -> None:
        super().__init__(value)
        self.value = value


def module(name: str, **names: Any) -> ModuleType:
    made = ModuleType(name)
    made.__dict__.update(names)
    sys.modules[name] = made
    return made


def one(*names: str) -> dict[str, Any]:
    """Cases of a variant, each with a value."""
    return {name: make_dataclass(name, ["value"]) for name in names}


class Checks(Flag):
    NEEDS = auto()
    FINGERPRINT = auto()
    VALIDATE = auto()


types = module(
    "wit_world.imports.types",
    WideInteger=make_dataclass("WideInteger", ["negative", "high", "low"]),
    Shortage=make_dataclass("Shortage", ["tier", "requested", "limit", "used"]),
    Failure=make_dataclass("Failure", ["code", "message", "hint"]),
    Tier=Enum("Tier", "DEVICE HOST DISK"),
    Dtype=Enum("Dtype", DTYPES),
    Error_Cancelled=make_dataclass("Error_Cancelled", []),
    **one(*(f"Error_{case}" for case in CASES.split())),
)


class RawTensor:
    """A handle to a tensor of a shape."""

    def __init__(self, shape: list[int], dtype: str = "F32") -> None:
        self._shape, self._dtype = shape, dtype
        self.open = True

    def shape(self) -> list[int]:
        return self._shape

    def dtype(self) -> Any:
        return types.Dtype[self._dtype]

    def share(self) -> RawTensor:
        return RawTensor(self._shape, self._dtype)

    def __exit__(self, *exception: object) -> None:
        self.open = False


asked: list[tuple[Any, ...]] = []
"""What the operations were asked for."""


def operation(name: str) -> Any:
    def ask(*arguments: Any) -> RawTensor:
        asked.append((name, *arguments))
        if name == "reshape":
            return RawTensor(arguments[1])
        if name == "slice":
            x, axis, start, end, step = arguments
            shape = list(x.shape())
            shape[axis] = len(range(start, end, step))
            return RawTensor(shape)
        if name in ("flip", "affine", "combine", "compare"):
            return RawTensor(arguments[0].shape())
        raise Err(types.Error_Other(f"the tests know no {name}"))

    return ask


KINDS = "Boolean Integer Number Text Bytes Tensor Model Function Object Items"
values = module(
    "wit_world.imports.values",
    NamedValue=make_dataclass("NamedValue", ["name", "value"]),
    **one(*(f"Value_{kind}" for kind in KINDS.split())),
)
ops = module(
    "wit_world.imports.ops",
    Binary=Enum("Binary", "ADD SUB MUL DIV MINIMUM MAXIMUM"),
    Comparison=Enum("Comparison", "EQ NE LT LE GT GE"),
    **{name: operation(name) for name in "reshape slice flip affine combine compare".split()},
)
tensors = module(
    "wit_world.imports.tensors", full=lambda dtype, shape, value: RawTensor(shape, dtype.name)
)
logged: list[str] = []
context = module(
    "wit_world.imports.context",
    Level=Enum("Level", "TRACE DEBUG INFO WARN ERROR"),
    log=lambda level, message: logged.append(message),
)
models = module("wit_world.imports.models")
nodes = module(
    "wit_world.exports.nodes",
    Checks=Checks,
    Hidden=Enum("Hidden", "UNIQUE_ID PROMPT EXTRA_PNGINFO"),
    Input=make_dataclass("Input", ["name", "port", "optional", "lazy", "tooltip"]),
    Output=make_dataclass("Output", ["name", "type_name", "tooltip", "passes"]),
    BooleanPort=make_dataclass("BooleanPort", ["default"]),
    IntegerPort=make_dataclass("IntegerPort", ["default", "min", "max", "step", "seed"]),
    NumberPort=make_dataclass("NumberPort", ["default", "min", "max", "step"]),
    TextPort=make_dataclass("TextPort", ["default", "multiline"]),
    ChoicePort=make_dataclass("ChoicePort", ["choices", "default"]),
    Choices_Images=make_dataclass("Choices_Images", []),
    NodeType=make_dataclass(
        "NodeType",
        "name display_name category description inputs outputs hidden output_node checks "
        "deprecated experimental search_aliases".split(),
    ),
    **one("Choices_Fixed", "Choices_Models"),
    **one(*(f"Port_{case}" for case in "Boolean Integer Number Text Choice Socket".split())),
)
module("componentize_py_types", Err=Err)
world = module("wit_world")
imports = module("wit_world.imports", types=types, tensors=tensors, ops=ops, values=values)
imports.__dict__.update(context=context, models=models)
exports = module("wit_world.exports", nodes=nodes)
world.__dict__.update(imports=imports, exports=exports)
