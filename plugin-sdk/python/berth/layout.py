"""How numbers in lists in lists are those of a tensor, and how slices are cut."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .arguments import counts
from .dtypes import DType
from .errors import InvalidArgument

if TYPE_CHECKING:
    from .tensor import Tensor


def no_blocks(dtype: DType) -> InvalidArgument:
    """The error of a quantized tensor that is to be made of bytes."""
    return InvalidArgument(f"a {dtype} tensor comes from a model file, never from bytes")


def dense_bytes(dtype: DType, shape: Sequence[int]) -> int:
    """Bytes of a dense tensor. Raises `InvalidArgument` for a quantized one."""
    size = DType(dtype).size
    if size is None:
        raise no_blocks(dtype)
    return math.prod(counts(shape)) * size


def flatten(level: Any, shape: list[int], depth: int, flat: list[int | float]) -> None:
    """Appends all numbers of a level, which has to have the shape from `depth` on."""
    if depth == len(shape):
        if not isinstance(level, (int, float)):
            raise InvalidArgument(f"a number is expected {depth} lists deep, not {level!r:.60}")
        flat.append(level)
        return
    if isinstance(level, (int, float)) or len(level) != shape[depth]:
        raise InvalidArgument(f"lists of {shape[depth]} are expected {depth} lists deep")
    for one in level:
        flatten(one, shape, depth + 1, flat)


def empty(shape: Sequence[int]) -> Any:
    """The lists of a tensor without elements."""
    return [empty(shape[1:]) for _ in range(shape[0])] if shape else []


def cut(tensor: Tensor, axis: int, bounds: tuple[int, int, int], size: int) -> tuple[Tensor, int]:
    """One axis cut to start, stop and step of either sign, and the length that is left."""
    start, stop, step = bounds
    length = len(range(start, stop, step))
    if length == 0:
        return tensor.slice(axis, 0, 0), 0
    if (start, length, step) == (0, size, 1):
        return tensor, length
    if step > 0:
        return tensor.slice(axis, start, min(stop, size), step), length
    lowest = start + (length - 1) * step
    return tensor.slice(axis, lowest, start + 1, -step).flip(axis), length
