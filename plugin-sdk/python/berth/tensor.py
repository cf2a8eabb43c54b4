"""Tensors by handle: how they are made from a plugin's bytes, and read.

A tensor's bytes are the host's. They cross into the plugin only in `to_list`, `to_bytes` and
their like, and then in pieces: a plugin's memory is small.
"""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

import math
import struct
from array import array
from collections.abc import Iterator, Sequence
from typing import Any, Self, Union

from . import dtypes, elementwise
from ._host import ask, ops, tensors
from .arguments import axis as as_axis
from .arguments import count as as_count
from .arguments import counts, number, tensor
from .arguments import data as as_data
from .arguments import offset as as_offset
from .arithmetic import Arithmetic, Number
from .dtypes import ARRAY_CODES, DType
from .errors import InvalidArgument, Other, Unsupported
from .integers import to_wide
from .layout import cut, dense_bytes, empty, flatten, no_blocks

PIECE = 1 << 20
"""Bytes that cross between plugin and host at once."""

Nested = Union[Number, Sequence["Nested"]]
"""Numbers in lists in lists, as deep as a tensor has dimensions."""

Index = Union[int, slice, None, Any]
"""An index of one axis: an integer, a slice, `...`, or `None` for a new axis of 1."""


class _Closed:
    """What a closed tensor has for a handle."""

    def __getattr__(self, name: str) -> Any:
        raise InvalidArgument("the tensor was closed")


_CLOSED = _Closed()


class Tensor(Arithmetic):
    """An immutable array that the host holds: a handle, and nothing else.

    Elements are row-major. `+ - * / ** @ < <= > >=`, `-x` and `abs(x)` work between tensors
    and with numbers, broadcasting; a number takes the tensor's dtype. `==` asks whether two
    handles are one; `eq` compares elements. `x[1:3, ..., -1]` takes slices.

    Dropping the last reference drops the handle. `close` does it at once.
    """

    def __init__(self, raw: Any) -> None:
        """For the SDK: a tensor of the bindings' handle."""
        self.raw = raw

    # What it is.

    @property
    def dtype(self) -> DType:
        """The element type."""
        return dtypes.from_raw(self.raw.dtype())

    @property
    def shape(self) -> tuple[int, ...]:
        """The dimensions, outermost first; empty for a scalar."""
        return tuple(self.raw.shape())

    @property
    def rank(self) -> int:
        """How many dimensions there are."""
        return len(self.raw.shape())

    @property
    def elements(self) -> int:
        """How many elements there are."""
        return math.prod(self.raw.shape())

    def __len__(self) -> int:
        """The first dimension."""
        shape = self.shape
        if not shape:
            raise InvalidArgument("a scalar has no length")
        return shape[0]

    def __bool__(self) -> bool:
        raise TypeError("a tensor is neither true nor false: use `is not None`, or `x.item()`")

    def __repr__(self) -> str:
        return f"Tensor({list(self.shape)}, {self.dtype})"

    def close(self) -> None:
        """Drops the handle now. The tensor cannot be used any more."""
        raw, self.raw = self.raw, _CLOSED
        if raw is not _CLOSED:
            raw.__exit__(None, None, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # How it is made.

    @staticmethod
    def of(data: Nested, dtype: DType = DType.F32) -> Tensor:
        """A tensor of numbers in lists in lists: `Tensor.of([[1, 2], [3, 4]])` is [2, 2].

        Raises:
            InvalidArgument: Lists of different lengths side by side, a number that the dtype
                cannot hold, a quantized dtype; what the host has no room for.
        """
        shape: list[int] = []
        level: Any = data
        while not isinstance(level, (int, float)):
            shape.append(len(level))
            if not shape[-1]:
                break
            level = level[0]
        flat: list[Number] = []
        flatten(data, shape, 0, flat)
        return Tensor.from_list(shape, flat, dtype)

    @staticmethod
    def from_list(shape: Sequence[int], data: Sequence[Number], dtype: DType = DType.F32) -> Tensor:
        """A tensor of these numbers, in order. An `array.array` is as good, and faster.

        Raises:
            InvalidArgument: Not as many numbers as `shape` says, a number that the dtype
                cannot hold, a quantized dtype; what the host has no room for.
        """
        dtype = DType(dtype)
        code = ARRAY_CODES.get(dtype)
        try:
            if dtype is DType.F16:
                return Tensor.from_bytes(dtype, shape, struct.pack(f"<{len(data)}e", *data))
            if code is None:
                if dtype.size is None:
                    raise no_blocks(dtype)
                return Tensor.from_list(shape, data, DType.F32).cast(dtype)
            numbers = array(code, data)
        except (OverflowError, TypeError, struct.error) as error:
            raise InvalidArgument(f"not the numbers of a {dtype} tensor: {error}") from None
        return Tensor.from_bytes(dtype, shape, numbers.tobytes())

    @staticmethod
    def from_bytes(dtype: DType, shape: Sequence[int], data: bytes) -> Tensor:
        """A tensor of these bytes, little-endian.

        Raises:
            InvalidArgument: Not as many bytes as `dtype` and `shape` say, a quantized dtype;
                what the host has no room for.
        """
        expected = dense_bytes(dtype, shape)
        data = as_data(data)
        if len(data) != expected:
            raise InvalidArgument(
                f"a {dtype} tensor of {list(shape)} has {expected} bytes, not {len(data)}"
            )
        if expected <= PIECE:
            raw_dtype = dtypes.to_raw(dtype)
            return Tensor(ask(tensors.from_bytes, raw_dtype, counts(shape), data))
        upload = Upload(dtype, shape)
        view = memoryview(data)
        for offset in range(0, expected, PIECE):
            upload.write(offset, view[offset : offset + PIECE])
        return upload.finish()

    @staticmethod
    def full(shape: Sequence[int], value: float, dtype: DType = DType.F32) -> Tensor:
        """A tensor whose every element is `value`, converted to `dtype`."""
        return Tensor(ask(tensors.full, dtypes.to_raw(dtype), counts(shape), number(value)))

    @staticmethod
    def zeros(shape: Sequence[int], dtype: DType = DType.F32) -> Tensor:
        """A tensor of zeros."""
        return Tensor.full(shape, 0.0, dtype)

    @staticmethod
    def ones(shape: Sequence[int], dtype: DType = DType.F32) -> Tensor:
        """A tensor of ones."""
        return Tensor.full(shape, 1.0, dtype)

    @staticmethod
    def arange(
        count: int, start: float = 0.0, step: float = 1.0, dtype: DType = DType.F32
    ) -> Tensor:
        """The 1-D tensor start, start + step, … of `count` elements, computed in `f64`."""
        raw = dtypes.to_raw(dtype)
        return Tensor(ask(tensors.arange, raw, number(start), number(step), as_count(count)))

    @staticmethod
    def concat(parts: Sequence[Tensor], axis: int = 0) -> Tensor:
        """The tensors one after another along an axis; their other dimensions are equal."""
        return Tensor(ask(ops.concat, [tensor(part) for part in parts], as_axis(axis)))

    @staticmethod
    def stack(parts: Sequence[Tensor], axis: int = 0) -> Tensor:
        """Tensors of one shape side by side along a new axis."""
        return Tensor.concat([part.unsqueeze(axis) for part in parts], axis)

    # How it is read.

    def read(self, offset: int, length: int) -> bytes:
        """`length` bytes from byte `offset` on, little-endian.

        Raises:
            InvalidArgument: They do not lie inside the tensor.
        """
        return ask(self.raw.read, as_offset(offset), as_count(length))

    def pieces(self, size: int = PIECE) -> Iterator[bytes]:
        """All bytes in order, at most `size` at a time.

        Raises:
            Unsupported: A quantized tensor; `cast` it first.
        """
        dtype = self.dtype
        if dtype.size is None:
            raise Unsupported(f"reading {dtype} blocks; cast them first")
        total = self.elements * dtype.size
        for offset in range(0, total, size):
            length = min(size, total - offset)
            piece = self.read(offset, length)
            if len(piece) != length:
                raise Other(f"the host gave {len(piece)} bytes where {length} were asked for")
            yield piece

    def to_bytes(self) -> bytes:
        """All bytes, little-endian. Raises as `pieces`."""
        return b"".join(self.pieces())

    def to_array(self) -> array[Any]:
        """All elements in order as an `array.array` of numbers. What Python's arrays cannot
        hold (`f16`, `bf16`, `f8`, quantized) is cast to `f32` by the host."""
        dtype = self.dtype
        if dtype not in ARRAY_CODES:
            return self.cast(DType.F32).to_array()
        numbers: array[Any] = array(ARRAY_CODES[dtype])
        for piece in self.pieces():
            numbers.frombytes(piece)
        return numbers

    def to_list(self) -> Any:
        """The elements as numbers in lists in lists; a scalar is a number."""
        level: list[Any] = self.to_array().tolist()
        for size in reversed(self.shape[1:]):
            if size == 0:
                return empty(self.shape)
            level = [level[start : start + size] for start in range(0, len(level), size)]
        return level if self.rank else level[0]

    def item(self) -> Number:
        """The one element of a tensor that has one.

        Raises:
            InvalidArgument: It has more, or none.
        """
        if self.elements != 1:
            raise InvalidArgument(f"a tensor of {list(self.shape)} is not one number")
        number: Number = self.to_array()[0]
        return number

    # Shape and place.

    def reshape(self, shape: Sequence[int]) -> Tensor:
        """The same elements under another shape. Costs no memory. One dimension may be −1:
        it is what is left."""
        wanted = list(shape)
        if wanted.count(-1) == 1:
            others = -math.prod(wanted)
            if others < 1 or self.elements % others:
                raise InvalidArgument(f"{list(self.shape)} is not to be had as {wanted}")
            wanted[wanted.index(-1)] = self.elements // others
        return Tensor(ask(ops.reshape, self.raw, counts(wanted)))

    def slice(self, axis: int, start: int = 0, end: int | None = None, step: int = 1) -> Tensor:
        """Indices start, start + step, … below `end` of one axis; to its end without one."""
        if end is None:
            end = self.dim(axis)
        return Tensor(
            ask(ops.slice, self.raw, as_axis(axis), as_count(start), as_count(end), as_count(step))
        )

    def dim(self, axis: int) -> int:
        """One dimension; `axis` −1 is the last.

        Raises:
            InvalidArgument: The tensor has no such axis.
        """
        shape = self.shape
        if not -len(shape) <= axis < len(shape):
            raise InvalidArgument(f"a tensor of {list(shape)} has no axis {axis}")
        return shape[axis]

    def unsqueeze(self, axis: int) -> Tensor:
        """With a new axis of 1 at `axis` of the result; −1 is the last."""
        shape = list(self.shape)
        place = axis if axis >= 0 else axis + len(shape) + 1
        if not 0 <= place <= len(shape):
            raise InvalidArgument(f"a tensor of {shape} has no place {axis} for an axis")
        shape.insert(place, 1)
        return self.reshape(shape)

    def squeeze(self, axis: int) -> Tensor:
        """Without an axis that is 1."""
        if self.dim(axis) != 1:
            raise InvalidArgument(f"axis {axis} of {list(self.shape)} is not 1")
        shape = list(self.shape)
        del shape[axis]
        return self.reshape(shape)

    def transpose(self, first: int = -2, second: int = -1) -> Tensor:
        """With two axes exchanged."""
        for axis in (first, second):
            self.dim(axis)
        axes = list(range(self.rank))
        axes[first], axes[second] = axes[second], axes[first]
        return self.permute(axes)

    def __getitem__(self, key: Index | tuple[Index, ...]) -> Tensor:
        """Slices as NumPy has them: integers, slices (also of negative bounds and steps), `...`
        and `None`. No lists, no masks: see `index_select` and `gather`.

        Raises:
            InvalidArgument: An index outside of its axis, or more indices than axes.
        """
        keys = list(key) if isinstance(key, tuple) else [key]
        asked = sum(1 for one in keys if one is not None and one is not Ellipsis)
        if asked > self.rank or keys.count(Ellipsis) > 1:
            raise InvalidArgument(f"too many indices for a tensor of {list(self.shape)}")
        if Ellipsis not in keys:
            keys.append(Ellipsis)
        place = keys.index(Ellipsis)
        keys[place : place + 1] = [slice(None)] * (self.rank - asked)
        result, shape, axis = self, [], 0
        for one in keys:
            if one is None:
                shape.append(1)
                continue
            size = self.dim(axis)
            if isinstance(one, slice):
                result, length = cut(result, axis, one.indices(size), size)
                shape.append(length)
            elif isinstance(one, int):
                index = one + size if one < 0 else one
                if not 0 <= index < size:
                    raise InvalidArgument(f"index {one} is outside of an axis of {size}")
                result = result.slice(axis, index, index + 1)
            else:
                raise InvalidArgument(f"a tensor cannot be indexed by {one!r}")
            axis += 1
        return result if result.shape == tuple(shape) else result.reshape(shape)

    def __iter__(self) -> Iterator[Tensor]:
        """The tensors along the first axis."""
        return (self[index] for index in range(len(self)))


class Upload:
    """A tensor being written piece by piece, for data too large to hold at once."""

    def __init__(self, dtype: DType, shape: Sequence[int]) -> None:
        """Begins a tensor of this type and shape, filled with zeros."""
        self._raw = ask(tensors.Upload.begin, dtypes.to_raw(dtype), counts(shape))
        self._end = 0

    def write(self, offset: int, data: bytes | memoryview) -> None:
        """Writes `data` from byte `offset` on.

        Raises:
            InvalidArgument: It does not lie inside the tensor, or comes after `finish`.
        """
        ask(self._raw.write, as_offset(offset), as_data(data))
        self._end = offset + len(data)

    def append(self, data: bytes | memoryview) -> None:
        """Writes `data` after what was written last."""
        self.write(self._end, data)

    def finish(self) -> Tensor:
        """The tensor. No more can be written."""
        return Tensor(ask(self._raw.finish))


class Generator:
    """PyTorch's CPU generator, bit for bit: a seed gives the noise that `torch.manual_seed(seed)`
    and `torch.randn` give."""

    def __init__(self, seed: int) -> None:
        """A generator at the beginning of a seed's sequence. Of the seed's magnitude, the low 64
        bits count."""
        self._raw = ask(tensors.Generator.seeded, to_wide(seed))

    def normal(self, shape: Sequence[int]) -> Tensor:
        """The next standard normals, as `f32`. Advances the generator as `torch.randn` does."""
        return Tensor(ask(self._raw.normal, counts(shape)))

    def uniform(self, shape: Sequence[int]) -> Tensor:
        """The next uniforms in [0, 1), as `f32`. Advances the generator as `torch.rand` does."""
        return Tensor(ask(self._raw.uniform, counts(shape)))


elementwise.makes(Tensor)
