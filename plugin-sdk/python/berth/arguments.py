"""What is given to the host, checked first: the bindings end the whole node, without a word of
where, on a negative size or a text in the place of a number."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

from .errors import InvalidArgument


def _integer(value: Any, low: int, high: int, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidArgument(f"{what} is an integer, not {value!r:.60}")
    if not low <= value <= high:
        raise InvalidArgument(f"{what} is between {low} and {high}, and not {value}")
    return int(value)


def count(value: Any, what: str = "a size") -> int:
    """A size, an index or a number of things: 32 bits, unsigned.

    Raises:
        InvalidArgument: It is none.
    """
    return _integer(value, 0, 2**32 - 1, what)


def counts(value: Any, what: str = "a dimension") -> list[int]:
    """A shape or other list of sizes. Raises as `count`."""
    if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
        raise InvalidArgument(f"a list of integers is expected, not {value!r:.60}")
    return [count(one, what) for one in value]


def offset(value: Any) -> int:
    """A number of bytes: 64 bits, unsigned. Raises as `count`."""
    return _integer(value, 0, 2**64 - 1, "a number of bytes")


def axis(value: Any) -> int:
    """An axis: 32 bits, signed. Raises as `count`."""
    return _integer(value, -(2**31), 2**31 - 1, "an axis")


def number(value: Any, what: str = "a number") -> float:
    """A number as 64 bits.

    Raises:
        InvalidArgument: It is none, or an integer that is larger than any of them.
    """
    try:
        if isinstance(value, (int, float)):
            return float(value)
    except OverflowError:
        pass
    raise InvalidArgument(f"{what} is expected, not {value!r:.60}")


def text(value: Any, what: str = "a text") -> str:
    """A text that can be written as UTF-8.

    Raises:
        InvalidArgument: It is none.
    """
    if not isinstance(value, str):
        raise InvalidArgument(f"{what} is expected, not {value!r:.60}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidArgument(f"{what} that is no Unicode: {error}") from None
    return str(value)


def data(value: Any) -> bytes:
    """Bytes.

    Raises:
        InvalidArgument: They are none.
    """
    if not isinstance(value, (bytes, bytearray, memoryview, array)):
        raise InvalidArgument(f"bytes are expected, not {value!r:.60}")
    return bytes(value)


def tensor(value: Any) -> Any:
    """A tensor's handle.

    Raises:
        InvalidArgument: It is no tensor.
    """
    # This module is below `tensor.py`, and a handle knows what it is of.
    raw = getattr(value, "raw", None)
    if raw is None or not hasattr(raw, "dtype"):
        raise InvalidArgument(f"a tensor is expected, not {value!r:.60}")
    return raw


def maybe_tensor(value: Any) -> Any:
    """A tensor's handle, or `None` for none. Raises as `tensor`."""
    return None if value is None else tensor(value)
