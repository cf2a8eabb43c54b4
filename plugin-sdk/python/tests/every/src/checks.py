"""What is so, or else the node fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from berth import Error, Tensor


def same(found: object, expected: object) -> None:
    """Both are equal."""
    if found != expected:
        raise AssertionError(f"{found!r} is not {expected!r}")


def near(found: Tensor, *expected: float) -> None:
    """The elements are these numbers, but for roundings."""
    elements = found.to_array().tolist()
    if len(elements) != len(expected) or any(
        abs(one - other) > 1e-4 for one, other in zip(elements, expected, strict=True)
    ):
        raise AssertionError(f"{elements} is not {expected}")


def fails(kind: type[Error], part: str, body: Callable[[], Any]) -> Error:
    """It raises exactly this kind of error, with this part of a text."""
    try:
        body()
    except Error as error:
        if type(error) is not kind or part not in str(error):
            raise AssertionError(f"{error!r} is not {kind.__name__} of {part}") from error
        return error
    raise AssertionError(f"no {kind.__name__} of {part}")
