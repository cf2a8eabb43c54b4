"""The host, as componentize-py's bindings show it.

The bindings exist only while a component is built and run. Everywhere else (in an
editor, in a plain unit test) each of these names stands for a module that raises
an explanation as soon as something is taken from it, so that an author's file can
be imported, and its plain Python tested, without a component.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from .errors import Error, from_raw

T = TypeVar("T")

# While the component is built, the bindings are there, and no host behind them.
building = False


class _Absent:
    """A module of the bindings where there are none."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        raise RuntimeError(
            f"`{self._name}.{attribute}` is the host's: it is there only in a component"
        )


class _NoErr(Exception):
    """The bindings' exception where there are none: nothing raises it."""

    value: Any = None


context: Any
models: Any
ops: Any
tensors: Any
types: Any
values: Any
nodes: Any
Err: Any

try:
    from componentize_py_types import Err  # type: ignore
    from wit_world.exports import nodes  # type: ignore
    from wit_world.imports import context, models, ops, tensors, types, values  # type: ignore
except ModuleNotFoundError:
    Err = _NoErr
    nodes = _Absent("nodes")
    context = _Absent("context")
    models = _Absent("models")
    ops = _Absent("ops")
    tensors = _Absent("tensors")
    types = _Absent("types")
    values = _Absent("values")


def ask(function: Callable[..., T], *arguments: Any) -> T:
    """Calls a function of the bindings. Its arguments have to be checked (`arguments.py`).

    Raises:
        Error: The contract's error, as the exception of its case.
    """
    if building:
        raise RuntimeError(
            "tensors, models and all else of the host are not there while the plugin is built: "
            "use them inside of a node"
        )
    try:
        return function(*arguments)
    except Err as err:
        # The binding's frame holds the exception, and that its frame by the traceback: a circle
        # that would keep the arguments' handles.
        err.with_traceback(None)
        raise from_raw(err.value) from None


def raw_error(error: Error) -> Any:
    """The contract's error of an exception."""
    return error.to_raw(types)
