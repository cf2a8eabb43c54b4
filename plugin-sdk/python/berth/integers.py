"""Integers as the contract has them: ±(high · 2³² + low)."""

from __future__ import annotations

from typing import Any

from ._host import types
from .errors import InvalidArgument

LARGEST = 2**64 - 1
"""The largest magnitude of an integer on a wire."""


def to_wide(value: int) -> Any:
    """The contract's integer.

    Raises:
        InvalidArgument: Its magnitude has more than 64 bits.
    """
    if not isinstance(value, int):
        raise InvalidArgument(f"an integer is expected, not {value!r:.60}")
    magnitude = abs(value)
    if magnitude > LARGEST:
        raise InvalidArgument(f"{value} has more than 64 bits")
    return types.WideInteger(value < 0, magnitude >> 32, magnitude & 0xFFFFFFFF)


def from_wide(wide: Any) -> int:
    """The integer of the contract's."""
    magnitude: int = wide.high << 32 | wide.low
    return -magnitude if wide.negative else magnitude
