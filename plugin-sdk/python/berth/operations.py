"""The operations, as methods of `Tensor`. The host computes; each makes a new tensor and
leaves its operands as they were.

Rules that hold for all of them: binary operations broadcast as NumPy does and take operands
of one dtype; an axis may be negative, −1 is the last; a float operation computes in the dtype
of its first operand and converts weights of another float type, or quantized, as it uses them.

All of them fail alike: `InvalidArgument` for shapes, dtypes or values that do not fit,
`QuotaExceeded` and `OutOfMemory` when the operation's own operands do not fit,
`Unsupported` for a dtype that the host cannot compute in, `Cancelled`.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from ._host import ask, ops
from .arguments import axis as as_axis
from .arguments import count, counts, maybe_tensor, number, tensor
from .elementwise import Elementwise, make
from .errors import InvalidArgument

if TYPE_CHECKING:
    from .tensor import Tensor


class Padding(StrEnum):
    """What lies outside of a padded tensor, where it is no constant."""

    EDGE = "edge"
    """The nearest element."""
    REFLECT = "reflect"
    """The tensor mirrored, without repeating its edge."""
    WRAP = "wrap"
    """The tensor again, from its other end."""


class Sampling(StrEnum):
    """How `Tensor.interpolate` finds a sample, as PyTorch's `interpolate` of that name, with
    `align_corners=False` and no antialiasing."""

    NEAREST = "nearest"
    """The element that the sample's corner falls in."""
    NEAREST_EXACT = "nearest-exact"
    """The element that the sample's centre falls in."""
    BILINEAR = "bilinear"
    """Linear in both dimensions."""
    BICUBIC = "bicubic"
    """Keys' cubic convolution, a = −0.75."""
    AREA = "area"
    """The mean over the sample's area."""
    LANCZOS = "lanczos"
    """Pillow's antialiased filter of radius 3, on floats."""


def _walk(stride: int, padding: int, dilation: int, groups: int) -> Any:
    return ops.Walk(count(stride), count(padding), count(dilation), count(groups))


class Operations(Elementwise):
    """The operations of a tensor. Use `Tensor`."""

    # Products and convolutions.

    def matmul(self, other: Tensor) -> Tensor:
        """[.., m, k] · [.., k, n] → [.., m, n]; leading dimensions broadcast. Also `a @ b`."""
        return make(ask(ops.matmul, self.raw, tensor(other)))

    def linear(self, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """`self · weightᵀ + bias`: self [.., in], weight [out, in], bias [out] → [.., out]."""
        return make(ask(ops.linear, self.raw, tensor(weight), maybe_tensor(bias)))

    def conv1d(
        self,
        weight: Tensor,
        bias: Tensor | None = None,
        *,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        groups: int = 1,
    ) -> Tensor:
        """self [n, c, l], weight [out, c / groups, k], bias [out] → [n, out, l'].

        Args:
            stride: Elements from one position to the next.
            padding: Zeros before and after.
            dilation: Elements from one of the kernel's taps to the next.
            groups: Groups of channels that are convolved apart.
        """
        walk = _walk(stride, padding, dilation, groups)
        return make(ask(ops.conv1d, self.raw, tensor(weight), maybe_tensor(bias), walk))

    def conv2d(
        self,
        weight: Tensor,
        bias: Tensor | None = None,
        *,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        groups: int = 1,
    ) -> Tensor:
        """self [n, c, h, w], weight [out, c / groups, kh, kw], bias [out] → [n, out, h', w'].
        The options are those of `conv1d`, the same in both dimensions."""
        walk = _walk(stride, padding, dilation, groups)
        return make(ask(ops.conv2d, self.raw, tensor(weight), maybe_tensor(bias), walk))

    def conv_transpose2d(
        self,
        weight: Tensor,
        bias: Tensor | None = None,
        *,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        groups: int = 1,
        output_padding: int = 0,
    ) -> Tensor:
        """Transposed: self [n, c, h, w], weight [c, out / groups, kh, kw], bias [out] →
        [n, out, h', w'], h' = (h − 1)·stride − 2·padding + dilation·(kh − 1) + output_padding + 1.
        """
        walk = _walk(stride, padding, dilation, groups)
        arguments = (self.raw, tensor(weight), maybe_tensor(bias), walk, count(output_padding))
        return make(ask(ops.conv_transpose2d, *arguments))

    def attention(
        self,
        k: Tensor,
        v: Tensor,
        *,
        heads: int = 1,
        mask: Tensor | None = None,
        causal: bool = False,
        scale: float | None = None,
    ) -> Tensor:
        """Softmax(self·kᵀ·scale + mask)·v with heads side by side in the last dimension:
        self [b, n, heads·d], k [b, m, heads·d], v [b, m, heads·e] → [b, n, heads·e].
        Vaswani et al. 2017.

        Args:
            heads: Heads in the last dimension.
            mask: Broadcasts to [b, heads, n, m]: an addend of q's dtype, or `u8` where 0 hides.
            causal: Hides the keys after each query.
            scale: The factor of q·kᵀ; 1/√d when there is none.
        """
        factor = None if scale is None else number(scale)
        arguments = (
            self.raw,
            tensor(k),
            tensor(v),
            count(heads),
            maybe_tensor(mask),
            bool(causal),
            factor,
        )
        return make(ask(ops.attention, *arguments))

    def rotary(self, cosines: Tensor, sines: Tensor, *, interleaved: bool = False) -> Tensor:
        """Rotary position embedding of [.., n, d] by cosines and sines [n, d/2] (Su et al. 2021).
        `interleaved` pairs elements 2i and 2i+1, otherwise i and i + d/2."""
        return make(ask(ops.rotary, self.raw, tensor(cosines), tensor(sines), bool(interleaved)))

    def embedding(self, weight: Tensor) -> Tensor:
        """Rows of weight [rows, c] by these indices [..] (`u32` or `i64`) → [.., c], of weight's
        dtype, or `f32` when weight is quantized."""
        return make(ask(ops.embedding, self.raw, tensor(weight)))

    # Normalization.

    def group_norm(
        self,
        groups: int,
        weight: Tensor | None = None,
        bias: Tensor | None = None,
        *,
        epsilon: float = 1e-5,
    ) -> Tensor:
        """Normalizes [n, c, ..] over each of `groups` groups of channels, then scales and shifts
        by channel (weight [c], bias [c]). Wu & He 2018."""
        arguments = (
            self.raw,
            count(groups),
            maybe_tensor(weight),
            maybe_tensor(bias),
            number(epsilon),
        )
        return make(ask(ops.group_norm, *arguments))

    def layer_norm(
        self, weight: Tensor | None = None, bias: Tensor | None = None, *, epsilon: float = 1e-5
    ) -> Tensor:
        """Normalizes [.., c] over its last dimension, then scales and shifts (weight [c],
        bias [c]). Ba, Kiros & Hinton 2016."""
        return make(
            ask(ops.layer_norm, self.raw, maybe_tensor(weight), maybe_tensor(bias), number(epsilon))
        )

    def rms_norm(self, weight: Tensor | None = None, *, epsilon: float = 1e-6) -> Tensor:
        """[.., c] / √(mean(x²) + epsilon), times weight [c]. Zhang & Sennrich 2019."""
        return make(ask(ops.rms_norm, self.raw, maybe_tensor(weight), number(epsilon)))

    def softmax(self, axis: int = -1) -> Tensor:
        """Softmax along one axis."""
        return make(ask(ops.softmax, self.raw, as_axis(axis)))

    # Along axes.

    def _reduce(self, reduction: str, axes: int | Sequence[int] | None, keep: bool) -> Tensor:
        if axes is None:
            chosen: list[int] = []
        elif isinstance(axes, int):
            chosen = [as_axis(axes)]
        else:
            chosen = [as_axis(axis) for axis in axes]
            if not chosen:
                raise InvalidArgument("no axes: leave them out to reduce all of them")
        return make(ask(ops.reduce, self.raw, ops.Reduction[reduction], chosen, bool(keep)))

    def sum(self, axes: int | Sequence[int] | None = None, *, keep: bool = False) -> Tensor:
        """The sum over these axes, or over all. With `keep`, they stay as dimensions of 1."""
        return self._reduce("SUM", axes, keep)

    def mean(self, axes: int | Sequence[int] | None = None, *, keep: bool = False) -> Tensor:
        """The arithmetic mean over these axes, or over all."""
        return self._reduce("MEAN", axes, keep)

    def max(self, axes: int | Sequence[int] | None = None, *, keep: bool = False) -> Tensor:
        """The largest element over these axes, or over all. NaN propagates."""
        return self._reduce("MAX", axes, keep)

    def min(self, axes: int | Sequence[int] | None = None, *, keep: bool = False) -> Tensor:
        """The smallest element over these axes, or over all. NaN propagates."""
        return self._reduce("MIN", axes, keep)

    def argmax(self, axis: int, *, keep: bool = False) -> Tensor:
        """The index of the largest element, the first of equals, as `u32`."""
        return self._reduce("ARGMAX", axis, keep)

    def argmin(self, axis: int, *, keep: bool = False) -> Tensor:
        """The index of the smallest element, the first of equals, as `u32`."""
        return self._reduce("ARGMIN", axis, keep)

    def argsort(self, axis: int = -1, *, descending: bool = False) -> Tensor:
        """The indices that put one axis in order, as `u32`, of this shape: `gather` by them gives
        it sorted. Equal elements keep their order; NaN is greater than every number."""
        return make(ask(ops.argsort, self.raw, as_axis(axis), bool(descending)))

    def cumulative_sum(self, axis: int) -> Tensor:
        """The running sum along one axis."""
        return make(ask(ops.cumulative_sum, self.raw, as_axis(axis)))

    # Shape and place. The methods that need the shape are in `tensor.py`.

    def permute(self, axes: Sequence[int]) -> Tensor:
        """Dimension i of the result is dimension `axes[i]` of this."""
        return make(ask(ops.permute, self.raw, counts(axes, "an axis")))

    def broadcast(self, shape: Sequence[int]) -> Tensor:
        """Repeated to a shape that it broadcasts to."""
        return make(ask(ops.broadcast, self.raw, counts(shape)))

    def flip(self, axis: int) -> Tensor:
        """One axis backwards."""
        return make(ask(ops.flip, self.raw, as_axis(axis)))

    def pad(self, amounts: Sequence[tuple[int, int]], padding: Padding | float = 0.0) -> Tensor:
        """Pads each axis by (before, after), one pair for each dimension, with a number or with
        what `padding` says."""
        if isinstance(padding, Padding):
            kinds = {
                Padding.EDGE: ops.Padding_Edge,
                Padding.REFLECT: ops.Padding_Reflect,
                Padding.WRAP: ops.Padding_Wrap,
            }
            raw = kinds[padding]()
        else:
            raw = ops.Padding_Constant(number(padding))
        pairs = [(count(before), count(after)) for before, after in amounts]
        return make(ask(ops.pad, self.raw, pairs, raw))

    def gather(self, axis: int, indices: Tensor) -> Tensor:
        """result[.., i, ..] = self[.., indices[.., i, ..], ..] along one axis; indices (`u32` or
        `i64`) has this tensor's rank, and its shape except along the axis."""
        return make(ask(ops.gather, self.raw, as_axis(axis), tensor(indices)))

    def index_select(self, axis: int, indices: Tensor) -> Tensor:
        """Whole slices of one axis, by a 1-D tensor of indices (`u32` or `i64`)."""
        return make(ask(ops.index_select, self.raw, as_axis(axis), tensor(indices)))

    def interpolate(
        self, height: int, width: int, sampling: Sampling = Sampling.BILINEAR
    ) -> Tensor:
        """Resizes [n, c, h, w] to [n, c, height, width]."""
        raw = ops.Sampling[Sampling(sampling).name]
        return make(ask(ops.interpolate, self.raw, count(height), count(width), raw))
