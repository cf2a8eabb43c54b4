"""Values: what travels on a wire, in an object's fields, and in and out of functions.

A value is plain Python: `bool`, `int`, `float`, `str`, `bytes`, `Tensor`, `ModelFile`,
`Function`, `Object`, `Items`; a wire such as `Latent` stands for its object, an enum's
member for its text, a list for `Items`. A value's type is its case, and nothing is converted
on the way: a number is not an integer, even where it has no fraction.
"""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, Protocol, TypeVar, Union, runtime_checkable

from ._host import ask, values
from .arguments import count, text
from .errors import Error, InvalidArgument
from .integers import from_wide, to_wide
from .model import ModelFile
from .tensor import Tensor

T = TypeVar("T")


@runtime_checkable
class OnWire(Protocol):
    """What stands for a value on a wire, such as `Latent`."""

    def to_value(self) -> Value:
        """The value."""
        ...


class Function:
    """A function of a plugin with values captured. Whoever holds it can call it, from any
    plugin; it runs in a fresh instance of the plugin that made it, under that plugin's
    identity and quota. `berth.function` makes them."""

    def __init__(self, raw: Any) -> None:
        """For the SDK: a function of the bindings' handle."""
        self.raw = raw

    def __call__(self, **arguments: Value | None) -> dict[str, Any]:
        """Calls it with named arguments and waits for its named results. An argument that is
        `None` is left out.

        Raises:
            Error: The function's own; `Other` when its plugin trapped.
        """
        return from_fields(ask(self.raw.call, to_fields(arguments)))

    def __repr__(self) -> str:
        return "Function()"


class Object:
    """Named values under a type name, held by the host, where every tensor in them can be seen
    and moved. Immutable."""

    def __init__(self, raw: Any) -> None:
        """For the SDK: an object of the bindings' handle. See `create`."""
        self.raw = raw

    @staticmethod
    def create(type_name: str, fields: Mapping[str, Value | None]) -> Object:
        """An object of these fields. A field that is `None` is left out."""
        return Object(ask(values.Object.create, text(type_name), to_fields(fields)))

    @property
    def type_name(self) -> str:
        """The type name."""
        name: str = self.raw.type_name()
        return name

    def field_names(self) -> list[str]:
        """The names of the fields, in the order they were given."""
        return list(self.raw.field_names())

    def get(self, name: str, kind: type[T]) -> T:
        """One field, as a `Tensor`, a `float`, a `Function`, …

        Raises:
            InvalidArgument: It is missing, or of another type; type name and field are named.
        """
        found = self.find(name, kind)
        if found is None:
            raise InvalidArgument(f"{self.type_name}: `{name}` is missing")
        return found

    def find(self, name: str, kind: type[T]) -> T | None:
        """One field, or `None` where there is none of this name. Raises as `get`."""
        raw = ask(self.raw.get, text(name))
        if raw is None:
            return None
        return typed(from_raw(raw), kind, f"{self.type_name}: `{name}`")

    def __getitem__(self, name: str) -> Any:
        """One field, of whatever type. Raises as `get`."""
        return self.get(name, object)

    def __contains__(self, name: object) -> bool:
        return name in self.field_names()

    def replace(self, fields: Mapping[str, Value | None]) -> Object:
        """A copy in which these fields are set, and all others as they were."""
        return Object(ask(self.raw.replace, to_fields(fields)))

    def __repr__(self) -> str:
        return f"Object({self.type_name!r}, {self.field_names()})"


class Items:
    """Values in order, held by the host. Immutable."""

    def __init__(self, raw: Any) -> None:
        """For the SDK: a list of the bindings' handle. See `create`."""
        self.raw = raw

    @staticmethod
    def create(items: Iterable[Value]) -> Items:
        """A list of these values."""
        return Items(ask(values.ValueList.create, [to_raw(item) for item in items]))

    def __len__(self) -> int:
        length: int = self.raw.length()
        return length

    def get(self, index: int, kind: type[T]) -> T:
        """One of them.

        Raises:
            NotFound: Past the end.
            InvalidArgument: Of another type; the index is named.
        """
        return typed(from_raw(ask(self.raw.get, count(index))), kind, f"item {index}")

    def __getitem__(self, index: int) -> Any:
        """One of them, of whatever type; −1 is the last. Raises `IndexError` past the end."""
        size = len(self)
        place = index + size if index < 0 else index
        if not 0 <= place < size:
            raise IndexError(f"item {index} of {size}")
        return self.get(place, object)

    def to_list(self, kind: type[T]) -> list[T]:
        """All of them, in order. Raises as `get`."""
        return [self.get(index, kind) for index in range(len(self))]

    def __repr__(self) -> str:
        return f"Items({len(self)})"


Value = Union[
    bool, int, float, str, bytes, Tensor, ModelFile, Function, Object, Items, Enum, OnWire,
    Sequence["Value"],
]  # fmt: skip
"""Whatever can be given to a wire, a field, an argument."""

_NAMES: dict[type, str] = {
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    str: "a text",
    bytes: "bytes",
    Tensor: "a tensor",
    ModelFile: "a model file",
    Function: "a function",
    Object: "an object",
    Items: "a list",
}


def kind_of(value: object) -> str:
    """What an error calls a value."""
    if isinstance(value, Tensor):
        return f"a {value.dtype} tensor of {list(value.shape)}"
    if isinstance(value, Object):
        return f"a {value.type_name}"
    return _NAMES.get(type(value), type(value).__name__)


def typed(value: Any, kind: Any, place: str) -> Any:
    """A value as `kind`: one of the plain types, a wire, an enum of texts, or `object` and
    `Any` for whatever it is.

    Raises:
        InvalidArgument: It is of another type; `place` says which value it was.
    """
    try:
        if kind is object or kind is Any:
            return value
        of_value = getattr(kind, "from_value", None)
        if of_value is not None:
            return of_value(value)
        if isinstance(kind, type) and issubclass(kind, Enum):
            return _member(value, kind)
        # `bool` is an `int` to Python, and is none on a wire.
        if isinstance(kind, type) and isinstance(value, kind):
            if not (kind is int and isinstance(value, bool)):
                return value
        expected = _NAMES.get(kind, getattr(kind, "__name__", str(kind)))
        raise InvalidArgument(f"expected {expected}, got {kind_of(value)}")
    except Error as error:
        raise error.at(place) from None


def _member(value: Any, kind: type[Enum]) -> Enum:
    for member in kind:
        if member.value == value:
            return member
    texts = ", ".join(str(member.value) for member in kind)
    raise InvalidArgument(f"`{value}` is not one of {texts}")


def to_raw(value: Any) -> Any:
    """The contract's value. A handle in it is a second one, so that the value given stays
    what it is.

    Raises:
        InvalidArgument: There is no such value on a wire.
    """
    if isinstance(value, bool):
        return values.Value_Boolean(value)
    if isinstance(value, Enum):
        return to_raw(value.value)
    if isinstance(value, int):
        return values.Value_Integer(to_wide(value))
    if isinstance(value, float):
        return values.Value_Number(value)
    if isinstance(value, str):
        return values.Value_Text(text(value))
    if isinstance(value, (bytes, bytearray, memoryview)):
        return values.Value_Bytes(bytes(value))
    if isinstance(value, Tensor):
        return values.Value_Tensor(value.raw.share())
    if isinstance(value, ModelFile):
        return values.Value_Model(value.raw.share())
    if isinstance(value, Function):
        return values.Value_Function(value.raw.share())
    if isinstance(value, Object):
        return values.Value_Object(value.raw.share())
    if isinstance(value, Items):
        return values.Value_Items(value.raw.share())
    if isinstance(value, (list, tuple)):
        return values.Value_Items(Items.create(value).raw)
    if isinstance(value, OnWire):
        return to_raw(value.to_value())
    raise InvalidArgument(f"{type(value).__name__} is nothing that can be on a wire")


def from_raw(raw: Any) -> Any:
    """The value of the contract's."""
    if isinstance(raw, values.Value_Integer):
        return from_wide(raw.value)
    if isinstance(raw, values.Value_Tensor):
        return Tensor(raw.value)
    if isinstance(raw, values.Value_Model):
        return ModelFile(raw.value)
    if isinstance(raw, values.Value_Function):
        return Function(raw.value)
    if isinstance(raw, values.Value_Object):
        return Object(raw.value)
    if isinstance(raw, values.Value_Items):
        return Items(raw.value)
    return raw.value


def to_fields(fields: Mapping[str, Any]) -> list[Any]:
    """The contract's named values, without those that are `None`.

    Raises:
        InvalidArgument: There is no such value on a wire; the field is named.
    """
    named = []
    for name, value in fields.items():
        if value is None:
            continue
        try:
            named.append(values.NamedValue(text(name), to_raw(value)))
        except Error as error:
            raise error.at(f"`{name}`") from None
    return named


def from_fields(named: Sequence[Any]) -> dict[str, Any]:
    """The named values of the contract's, in order."""
    return {field.name: from_raw(field.value) for field in named}
