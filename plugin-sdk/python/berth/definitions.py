"""Nodes and functions: what `@node` and `@function` make of Python's functions."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar, overload

from ._host import ask, nodes, values
from .arguments import text
from .errors import Error, InvalidArgument, Other
from .ports import DefinitionError, Port, hidden_to_raw, port_of, slots_of
from .texts import camel_case, texts_of, title_case
from .values import Function, Value, kind_of, to_fields, typed

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])

NODES: dict[str, Node[..., Any]] = {}
"""The plugin's nodes, in the order of their definition."""
FUNCTIONS: dict[str, PluginFunction[..., Any]] = {}
"""The functions behind the plugin's function values."""

_CHECKS = ("needs", "fingerprint", "validate")


class Node(Generic[P, R]):
    """A node. Calling it calls its function, without any host in between.

    `@NODE.needs`, `@NODE.fingerprint` and `@NODE.validate` give it the optional checks. Their
    functions take those of the node's inputs that they name; one that is not there, since it
    is linked or was not computed yet, is `None`.
    """

    def __init__(
        self,
        function: Callable[P, R],
        *,
        category: str,
        name: str | None,
        display_name: str | None,
        aliases: tuple[str, ...],
        output_node: bool,
        deprecated: bool,
        experimental: bool,
    ) -> None:
        self.function = function
        self.__doc__ = function.__doc__
        self.__name__ = function.__name__
        for one in (category, *aliases, name or "", display_name or ""):
            text(one, "a text for `category`, `name`, `display_name` and in `aliases`")
        self.name = name or camel_case(function.__name__)
        self.display_name = display_name or title_case(function.__name__)
        self.category = category
        self.aliases = aliases
        self.output_node = output_node
        self.deprecated = deprecated
        self.experimental = experimental
        self._checks: dict[str, Callable[..., Any]] = {}
        texts = texts_of(function.__doc__)
        self.description = texts.description
        hints = _hints(function)
        self.ports = _ports(function, hints, texts.inputs)
        _unknown(texts.inputs, self.ports, function.__name__)
        if "return" not in hints:
            raise DefinitionError("the outputs are not annotated: `-> Image`, `-> None`")
        self.slots = slots_of(hints["return"], texts.returns)
        names = [port.name for port in self.ports]
        for name_ in names:
            if names.count(name_) > 1:
                raise DefinitionError(f"two inputs are called `{name_}`")
        for slot in self.slots:
            if slot.passes is not None and slot.passes not in names:
                raise DefinitionError(f"there is no input `{slot.passes}` to pass on")

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(*args, **kwargs)

    def needs(self, check: F) -> F:
        """Decorates the function that says which lazy inputs the node still needs: their names."""
        return self._check("needs", check)

    def fingerprint(self, check: F) -> F:
        """Decorates the function that gives a text which changes when the node must run again
        though its inputs are the same. Where it raises, the node runs each time."""
        return self._check("fingerprint", check)

    def validate(self, check: F) -> F:
        """Decorates the function that says what is wrong with the constant inputs, or `None`."""
        return self._check("validate", check)

    def _check(self, kind: str, check: F) -> F:
        known = {port.parameter for port in self.ports}
        for parameter in inspect.signature(check).parameters:
            if parameter not in known:
                raise DefinitionError(f"`{self.name}` has no input `{parameter}`")
        self._checks[kind] = check
        return check

    # For the component.

    def describe(self) -> Any:
        """The contract's node type."""
        checks = nodes.Checks(0)
        for kind in self._checks:
            checks |= nodes.Checks[kind.upper()]
        return nodes.NodeType(
            name=self.name,
            display_name=self.display_name,
            category=self.category,
            description=self.description,
            inputs=[port.to_raw() for port in self.ports if port.case != "hidden"],
            outputs=[slot.to_raw() for slot in self.slots],
            hidden=[hidden_to_raw(port) for port in self.ports if port.case == "hidden"],
            output_node=self.output_node,
            checks=checks,
            deprecated=self.deprecated,
            experimental=self.experimental,
            search_aliases=list(self.aliases),
        )

    def run(self, inputs: dict[str, Any]) -> list[Value]:
        """Runs it with the inputs of a workflow. Gives a value for each output.

        Raises:
            InvalidArgument: An input is missing or of another type; node and input are named.
            Error: The node's own.
        """
        function: Any = self.function
        result = function(**_arguments(self.ports, inputs, self.name))
        results = _results(result, len(self.slots), self.name)
        return [
            _output(one, slot.kind, f"{self.name}: output `{slot.name}`")
            for one, slot in zip(results, self.slots)
        ]

    def check(self, kind: str, inputs: dict[str, Any]) -> Any:
        """What one of the optional checks says."""
        check = self._checks.get(kind)
        if check is None:
            return {"needs": [], "fingerprint": "", "validate": None}[kind]
        arguments = {}
        asked = inspect.signature(check).parameters
        for port in self.ports:
            if port.parameter in asked:
                value = inputs.get(port.name)
                if value is not None:
                    value = typed(value, port.kind, f"{self.name}: `{port.name}`")
                arguments[port.parameter] = value
        found = check(**arguments)
        place = f"{self.name}: what `{kind}` gives"
        if kind == "needs":
            return [text(one, place) for one in found]
        return None if kind == "validate" and found is None else text(found, place)


class PluginFunction(Generic[P, R]):
    """A function that values can be made of. Calling it calls it here; `bind` makes a value of it
    that others can call."""

    def __init__(self, function: Callable[P, R], name: str | None, result: str | None) -> None:
        self.function = function
        self.__doc__ = function.__doc__
        self.__name__ = function.__name__
        self.name = name or function.__name__
        self.result = result
        hints = _hints(function)
        ports = _ports(function, hints, {})
        parameters = inspect.signature(function).parameters
        captured = [
            parameters[port.parameter].kind is inspect.Parameter.KEYWORD_ONLY for port in ports
        ]
        self.arguments = [port for port, is_ in zip(ports, captured) if not is_]
        self.captures = [port for port, is_ in zip(ports, captured) if is_]
        if result is None and hints.get("return") not in (None, type(None)):
            if typing.get_origin(hints["return"]) is not dict:
                raise DefinitionError(
                    'the result has no name: `@function(result="image")`, or return a dict'
                )

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(*args, **kwargs)

    def bind(self, **captures: Value | None) -> Function:
        """A value of this function with these keyword-only parameters captured.

        Raises:
            InvalidArgument: One is missing, or is none of them.
        """
        known = {port.parameter: port for port in self.captures}
        for name in captures:
            if name not in known:
                raise InvalidArgument(f"`{self.name}` captures no `{name}`")
        for name, port in known.items():
            if captures.get(name) is None and not port.optional and port.default is None:
                raise InvalidArgument(f"`{self.name}` is bound without `{name}`")
        fields = {known[name].name: value for name, value in captures.items()}
        return Function(ask(values.Function.create, self.name, to_fields(fields)))

    def run(self, captures: dict[str, Any], arguments: dict[str, Any]) -> dict[str, Any]:
        """Runs it as the host asks for it. Raises as `Node.run`."""
        given = _arguments(self.captures, captures, self.name)
        given.update(_arguments(self.arguments, arguments, self.name))
        function: Any = self.function
        result = function(**given)
        if self.result is not None:
            return {self.result: result}
        if result is None:
            return {}
        if not isinstance(result, dict):
            raise Other(f"{self.name}: a dict of results is expected, not {kind_of(result)}")
        return result


def node(
    *,
    category: str,
    name: str | None = None,
    display_name: str | None = None,
    aliases: tuple[str, ...] | list[str] = (),
    output_node: bool = False,
    deprecated: bool = False,
    experimental: bool = False,
) -> Callable[[Callable[P, R]], Node[P, R]]:
    """Makes a node of a function: its parameters are the inputs, its result the outputs, its
    docstring the texts that clients show.

    Args:
        category: Folders in a menu, separated by `/`.
        name: Its name in workflows; otherwise the function's in CamelCase.
        display_name: What a client shows; otherwise the function's words.
        aliases: Other words that a search finds it by.
        output_node: It runs for its effect.
        deprecated: It is kept for old workflows only.
        experimental: It may still change.
    Raises:
        DefinitionError: No wire carries a type, an option does not fit, a name is taken.
    """

    def decorate(function: Callable[P, R]) -> Node[P, R]:
        made = Node(
            function,
            category=category,
            name=name,
            display_name=display_name,
            aliases=tuple(aliases),
            output_node=output_node,
            deprecated=deprecated,
            experimental=experimental,
        )
        if made.name in NODES:
            raise DefinitionError(f"two nodes are called `{made.name}`")
        NODES[made.name] = made
        return made

    return decorate


@overload
def function(body: Callable[P, R], /) -> PluginFunction[P, R]: ...
@overload
def function(
    *, result: str | None = None, name: str | None = None
) -> Callable[[Callable[P, R]], PluginFunction[P, R]]: ...
def function(body: Any = None, /, *, result: str | None = None, name: str | None = None) -> Any:
    """Makes a function that values can be made of, for MODEL, CLIP and VAE wires among others.

    Parameters are its arguments, keyword-only ones (after `*`) what `bind` captures.

    Args:
        result: What the one result is called; without it, the function returns a dict of its
            results, or `None`.
        name: What it is called among the plugin's functions; otherwise as in Python.
    """

    def decorate(body: Callable[P, R]) -> PluginFunction[P, R]:
        made = PluginFunction(body, name, result)
        if made.name in FUNCTIONS:
            raise DefinitionError(f"two functions are called `{made.name}`")
        FUNCTIONS[made.name] = made
        return made

    return decorate if body is None else decorate(body)


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    return typing.get_type_hints(function, include_extras=True)


def _ports(
    function: Callable[..., Any], hints: dict[str, Any], tooltips: dict[str, str]
) -> list[Port]:
    ports = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise DefinitionError(f"`{parameter.name}`: each input has a parameter of its own")
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise DefinitionError(f"`{parameter.name}`: inputs are given by name")
        if parameter.name not in hints:
            raise DefinitionError(
                f"`{parameter.name}` is not annotated: write its type after a colon"
            )
        default = None if parameter.default is parameter.empty else parameter.default
        optional = parameter.default is None
        tooltip = tooltips.get(parameter.name, "")
        ports.append(port_of(parameter.name, hints[parameter.name], default, tooltip, optional))
    return ports


def _unknown(tooltips: dict[str, str], ports: list[Port], name: str) -> None:
    known = {port.parameter for port in ports}
    for parameter in tooltips:
        if parameter not in known:
            raise DefinitionError(f"`Args:` of `{name}` tells of `{parameter}`, which is none")


def _arguments(ports: list[Port], given: dict[str, Any], place: str) -> dict[str, Any]:
    arguments = {}
    for port in ports:
        value = given.get(port.name)
        if value is not None:
            value = typed(
                value, str if port.case == "hidden" else port.kind, f"{place}: `{port.name}`"
            )
            if port.case == "hidden":
                value = port.kind(value)
        elif port.default is not None:
            continue
        elif not port.optional:
            raise InvalidArgument(f"{place}: `{port.name}` is missing")
        arguments[port.parameter] = value
    return arguments


def _results(result: Any, count: int, place: str) -> list[Any]:
    if count == 0:
        if result is not None:
            raise Other(f"{place} has no outputs, and gave {kind_of(result)}")
        return []
    if count == 1 and not (isinstance(result, tuple) and len(result) == 1):
        return [result]
    if not isinstance(result, tuple) or len(result) != count:
        got = kind_of(result)
        raise Other(f"{place} has {count} outputs: a tuple of as many is expected, not {got}")
    return list(result)


def _output(value: Any, kind: Any, place: str) -> Value:
    if value is None:
        raise Other(f"{place} is missing")
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    try:
        result: Value = typed(value, kind, place)
    except Error as error:
        raise Other(str(error)) from None
    return result
