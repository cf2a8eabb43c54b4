"""What the component exports. Authors need nothing of this.

A Python exception that a node lets pass becomes an error with its message and with the line in
the author's file, and not a trap that says nothing; the whole traceback is logged.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from typing import Any

from . import _host
from .definitions import FUNCTIONS, NODES, Node
from .errors import Cancelled, Error, InvalidArgument
from .places import message_of
from .values import from_fields, to_fields, to_raw


def answer(work: Callable[[], Any]) -> Any:
    """Does what the host asks for; whatever is raised becomes the contract's error."""
    try:
        return work()
    except Error as error:
        raised = _host.raw_error(error)
        if not isinstance(error, Cancelled):
            _report(error)
    except BaseException as error:
        raised = _host.types.Error_Other(message_of(error))
        _report(error)
        traceback.clear_frames(error.__traceback__)
    raise _host.Err(raised)


def _report(error: BaseException) -> None:
    try:
        lines = "".join(traceback.format_exception(error))
        _host.context.log(_host.context.Level.DEBUG, lines)
    except BaseException as another:
        print(f"no traceback: {another}", file=sys.stderr)


def _node(name: str) -> Node[..., Any]:
    if name not in NODES:
        raise InvalidArgument(f"this plugin has no node `{name}`")
    return NODES[name]


def _output(value: Any, place: str) -> Any:
    try:
        return to_raw(value)
    except Error as error:
        raise error.at(place) from None


class Nodes:
    """The export `nodes`."""

    def describe(self) -> Any:
        return [node.describe() for node in NODES.values()]

    def run(self, node: str, inputs: Any) -> Any:
        def work() -> Any:
            found = _node(node)
            outputs = zip(found.slots, found.run(from_fields(inputs)))
            return [_output(one, f"{node}: output `{slot.name}`") for slot, one in outputs]

        return answer(work)

    def call(self, function: str, captures: Any, arguments: Any) -> Any:
        def work() -> Any:
            if function not in FUNCTIONS:
                raise InvalidArgument(f"this plugin has no function `{function}`")
            body = FUNCTIONS[function]
            return to_fields(body.run(from_fields(captures), from_fields(arguments)))

        return answer(work)

    def needs(self, node: str, inputs: Any) -> Any:
        return answer(lambda: _node(node).check("needs", from_fields(inputs)))

    def fingerprint(self, node: str, inputs: Any) -> Any:
        return answer(lambda: _node(node).check("fingerprint", from_fields(inputs)))

    def validate(self, node: str, inputs: Any) -> Any:
        return answer(lambda: _node(node).check("validate", from_fields(inputs)))
