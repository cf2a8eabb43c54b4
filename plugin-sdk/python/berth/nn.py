"""Layers of neural networks, over a model file's weights: `from berth import nn`.

Loading a layer takes handles and nothing else: no weight enters the plugin, and the host reads a
weight when an operation first needs it. A layer is therefore cheap to make, and a function value
makes its network anew at each call.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

from .dtypes import DType
from .errors import InvalidArgument
from .model import ModelFile
from .tensor import Tensor


@dataclass(frozen=True)
class Weights:
    """The weights of a model file under a prefix, as a folder in a tree:
    `Weights(file).at("model.diffusion_model").at("input_blocks.1.1")`."""

    file: ModelFile
    """The file."""
    prefix: str = ""
    """What all keys begin with, without the dot that follows."""

    def at(self, name: str | int) -> Weights:
        """Those whose keys go on with `name` and a dot."""
        return Weights(self.file, self.key(str(name)))

    def key(self, name: str) -> str:
        """The full key of a name."""
        return f"{self.prefix}.{name}" if self.prefix else name

    def info(self, name: str) -> tuple[DType, tuple[int, ...]] | None:
        """Element type and shape of a weight, without reading it."""
        return self.file.info(self.key(name))

    def get(self, name: str) -> Tensor:
        """A weight, by handle.

        Raises:
            NotFound: There is none of this name.
        """
        return self.file.weight(self.key(name))

    def find(self, name: str) -> Tensor | None:
        """A weight, by handle, if there is one of this name."""
        return self.get(name) if name in self else None

    def __contains__(self, name: str) -> bool:
        return self.info(name) is not None


@dataclass(frozen=True)
class Linear:
    """x·weightᵀ + bias."""

    weight: Tensor
    """[out, in]."""
    bias: Tensor | None = None
    """[out]."""

    @staticmethod
    def load(weights: Weights) -> Linear:
        """`weight`, and `bias` where there is one. Raises as `Weights.get`."""
        return Linear(weights.get("weight"), weights.find("bias"))

    def __call__(self, x: Tensor) -> Tensor:
        """[.., in] → [.., out]."""
        return x.linear(self.weight, self.bias)


@dataclass(frozen=True)
class Conv2d:
    """A convolution in two dimensions."""

    weight: Tensor
    """[out, in / groups, kh, kw]."""
    bias: Tensor | None = None
    """[out]."""
    stride: int = 1
    """Elements from one position to the next."""
    padding: int = 0
    """Zeros around."""
    groups: int = 1
    """Groups of channels that are convolved apart."""

    @staticmethod
    def load(weights: Weights, stride: int = 1, padding: int = 0, groups: int = 1) -> Conv2d:
        """`weight`, and `bias` where there is one. Raises as `Weights.get`."""
        return Conv2d(weights.get("weight"), weights.find("bias"), stride, padding, groups)

    def __call__(self, x: Tensor) -> Tensor:
        """[n, in, h, w] → [n, out, h', w']."""
        walk = {"stride": self.stride, "padding": self.padding, "groups": self.groups}
        return x.conv2d(self.weight, self.bias, **walk)


@dataclass(frozen=True)
class GroupNorm:
    """Group normalization with a scale and a shift for each channel."""

    weight: Tensor
    """[c]."""
    bias: Tensor
    """[c]."""
    groups: int
    """Groups of channels."""
    epsilon: float = 1e-5
    """Added to the variance."""

    @staticmethod
    def load(weights: Weights, groups: int, epsilon: float = 1e-5) -> GroupNorm:
        """`weight` and `bias`. Raises as `Weights.get`."""
        return GroupNorm(weights.get("weight"), weights.get("bias"), groups, epsilon)

    def __call__(self, x: Tensor) -> Tensor:
        """[n, c, ..] → the same shape."""
        return x.group_norm(self.groups, self.weight, self.bias, epsilon=self.epsilon)


@dataclass(frozen=True)
class LayerNorm:
    """Layer normalization over the last dimension."""

    weight: Tensor
    """[c]."""
    bias: Tensor | None = None
    """[c]."""
    epsilon: float = 1e-5
    """Added to the variance."""

    @staticmethod
    def load(weights: Weights, epsilon: float = 1e-5) -> LayerNorm:
        """`weight`, and `bias` where there is one. Raises as `Weights.get`."""
        return LayerNorm(weights.get("weight"), weights.find("bias"), epsilon)

    def __call__(self, x: Tensor) -> Tensor:
        """[.., c] → the same shape."""
        return x.layer_norm(self.weight, self.bias, epsilon=self.epsilon)


@dataclass(frozen=True)
class RmsNorm:
    """Root-mean-square normalization over the last dimension."""

    weight: Tensor
    """[c]."""
    epsilon: float = 1e-6
    """Added to the mean square."""

    @staticmethod
    def load(weights: Weights, epsilon: float = 1e-6) -> RmsNorm:
        """`weight`. Raises as `Weights.get`."""
        return RmsNorm(weights.get("weight"), epsilon)

    def __call__(self, x: Tensor) -> Tensor:
        """[.., c] → the same shape."""
        return x.rms_norm(self.weight, epsilon=self.epsilon)


@dataclass(frozen=True)
class Embedding:
    """A table of rows."""

    weight: Tensor
    """[rows, c]."""

    @staticmethod
    def load(weights: Weights) -> Embedding:
        """`weight`. Raises as `Weights.get`."""
        return Embedding(weights.get("weight"))

    def __call__(self, indices: Tensor) -> Tensor:
        """Indices [..] (`u32` or `i64`) → [.., c]."""
        return indices.embedding(self.weight)


@dataclass(frozen=True)
class Attention:
    """Softmax(q·kᵀ/√d)·v between projections of x and of a context, projected again."""

    query: Linear
    """Of x to the queries."""
    key: Linear
    """Of the context to the keys."""
    value: Linear
    """Of the context to the values."""
    out: Linear
    """Of the heads' result."""
    heads: int
    """Heads side by side in the queries."""

    @staticmethod
    def load(weights: Weights, names: tuple[str, str, str, str], heads: int) -> Attention:
        """The projections under these names, in the order query, key, value, out, such as
        `("to_q", "to_k", "to_v", "to_out.0")`. Raises as `Weights.get`."""
        query, key, value, out = (Linear.load(weights.at(name)) for name in names)
        return Attention(query, key, value, out, heads)

    def __call__(
        self,
        x: Tensor,
        context: Tensor | None = None,
        *,
        mask: Tensor | None = None,
        causal: bool = False,
    ) -> Tensor:
        """x [b, n, c] with a context [b, m, c'], or with itself where there is none → [b, n, c].
        The options are those of `Tensor.attention`."""
        seen = x if context is None else context
        k, v = self.key(seen), self.value(seen)
        mixed = self.query(x).attention(k, v, heads=self.heads, mask=mask, causal=causal)
        return self.out(mixed)


_LONGEST = 10_000.0
"""The longest wavelength of a timestep's embedding, in timesteps over 2π (Vaswani et al. 2017)."""


def timestep_embedding(timestep: float, dim: int) -> Tensor:
    """The sinusoidal embedding of a timestep: [1, dim] `f32`, first the cosines and then the sines
    of t·10000^(−i/h) for i < h = dim/2, as diffusion models have it (Ho et al. 2020).

    Raises:
        InvalidArgument: `dim` is odd.
    """
    if dim % 2 or dim <= 0:
        raise InvalidArgument(f"a timestep embedding of {dim} has no halves")
    return Tensor.from_list([1, dim], sinusoids(timestep, dim // 2))


def sinusoids(timestep: float, half: int) -> list[float]:
    """The numbers of `timestep_embedding`. They are rounded to `f32` after each step from the
    exponent on: the models were trained with that rounding of the frequencies."""
    slope = -_f32(math.log(_LONGEST))
    angles = [
        _f32(_f32(timestep) * _f32(math.exp(_f32(_f32(slope * i) / half)))) for i in range(half)
    ]
    return [math.cos(angle) for angle in angles] + [math.sin(angle) for angle in angles]


def _f32(number: float) -> float:
    rounded: float = struct.unpack("<f", struct.pack("<f", number))[0]
    return rounded
