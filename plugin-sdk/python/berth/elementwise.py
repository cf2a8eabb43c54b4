"""The operations that work element by element, as methods of `Tensor`. What `operations.py` says
of all operations holds for these."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import dtypes
from ._host import ask, ops
from .arguments import number, tensor
from .dtypes import DType

if TYPE_CHECKING:
    from .tensor import Tensor

_tensor_of: list[Callable[[Any], Tensor]] = []


def make(raw: Any) -> Tensor:
    """A tensor of a handle."""
    return _tensor_of[0](raw)


def makes(tensor_of: Callable[[Any], Tensor]) -> None:
    """Says how a tensor is made: the class itself is in a module that needs this one."""
    _tensor_of[:] = [tensor_of]


class Elementwise:
    """The operations of a tensor that work element by element. Use `Tensor`."""

    raw: Any

    # Element by element.

    def affine(self, scale: float, shift: float) -> Tensor:
        """scale·x + shift."""
        return make(ask(ops.affine, self.raw, number(scale), number(shift)))

    def power(self, exponent: float) -> Tensor:
        """x to the power `exponent`. Also `x ** exponent`."""
        return make(ask(ops.power, self.raw, number(exponent)))

    def clamp(self, low: float, high: float) -> Tensor:
        """Limited to low ≤ x ≤ high."""
        return make(ask(ops.clamp, self.raw, number(low), number(high)))

    def minimum(self, other: Tensor) -> Tensor:
        """The smaller of each pair, broadcasting; NaN when either is."""
        return self._combine(other, "MINIMUM")

    def maximum(self, other: Tensor) -> Tensor:
        """The larger of each pair, broadcasting; NaN when either is."""
        return self._combine(other, "MAXIMUM")

    def _combine(self, other: Tensor, function: str) -> Tensor:
        return make(ask(ops.combine, self.raw, tensor(other), ops.Binary[function]))

    def choose(self, a: Tensor, b: Tensor) -> Tensor:
        """`a` where this (`u8`) is not 0, otherwise `b`; broadcasting."""
        return make(ask(ops.choose, self.raw, tensor(a), tensor(b)))

    def cast(self, dtype: DType) -> Tensor:
        """Converts each element. Floats to integers truncate and saturate; quantized tensors
        convert to a float type."""
        return make(ask(ops.cast, self.raw, dtypes.to_raw(dtype)))

    def _compare(self, other: Tensor, comparison: str) -> Tensor:
        return make(ask(ops.compare, self.raw, tensor(other), ops.Comparison[comparison]))

    def eq(self, other: Tensor) -> Tensor:
        """1 where self = other, else 0, as `u8`; broadcasting."""
        return self._compare(other, "EQ")

    def ne(self, other: Tensor) -> Tensor:
        """1 where self ≠ other, else 0, as `u8`; broadcasting."""
        return self._compare(other, "NE")

    def lt(self, other: Tensor) -> Tensor:
        """1 where self < other, else 0, as `u8`; broadcasting."""
        return self._compare(other, "LT")

    def le(self, other: Tensor) -> Tensor:
        """1 where self ≤ other, else 0, as `u8`; broadcasting."""
        return self._compare(other, "LE")

    def gt(self, other: Tensor) -> Tensor:
        """1 where self > other, else 0, as `u8`; broadcasting."""
        return self._compare(other, "GT")

    def ge(self, other: Tensor) -> Tensor:
        """1 where self ≥ other, else 0, as `u8`; broadcasting."""
        return self._compare(other, "GE")

    # Functions of each element of a float tensor.

    def _map(self, function: str) -> Tensor:
        return make(ask(ops.map, self.raw, ops.Unary[function]))

    def neg(self) -> Tensor:
        """−x. Also `-x`."""
        return self._map("NEG")

    def abs(self) -> Tensor:
        """|x|. Also `abs(x)`."""
        return self._map("ABS")

    def sign(self) -> Tensor:
        """−1, 0 or 1."""
        return self._map("SIGN")

    def recip(self) -> Tensor:
        """1/x."""
        return self._map("RECIP")

    def sqrt(self) -> Tensor:
        """√x."""
        return self._map("SQRT")

    def rsqrt(self) -> Tensor:
        """1/√x."""
        return self._map("RSQRT")

    def exp(self) -> Tensor:
        """eˣ."""
        return self._map("EXP")

    def log(self) -> Tensor:
        """The natural logarithm."""
        return self._map("LOG")

    def sin(self) -> Tensor:
        """The sine of x radians."""
        return self._map("SIN")

    def cos(self) -> Tensor:
        """The cosine of x radians."""
        return self._map("COS")

    def tanh(self) -> Tensor:
        """The hyperbolic tangent."""
        return self._map("TANH")

    def erf(self) -> Tensor:
        """The error function."""
        return self._map("ERF")

    def floor(self) -> Tensor:
        """The largest integer that is not above x."""
        return self._map("FLOOR")

    def ceil(self) -> Tensor:
        """The smallest integer that is not below x."""
        return self._map("CEIL")

    def round(self) -> Tensor:
        """The nearest integer, halves to the even one."""
        return self._map("ROUND")

    def relu(self) -> Tensor:
        """max(x, 0)."""
        return self._map("RELU")

    def sigmoid(self) -> Tensor:
        """1/(1 + e⁻ˣ)."""
        return self._map("SIGMOID")

    def silu(self) -> Tensor:
        """x·sigmoid(x)."""
        return self._map("SILU")

    def gelu(self) -> Tensor:
        """x·Φ(x), by the error function (Hendrycks & Gimpel 2016)."""
        return self._map("GELU")

    def gelu_tanh(self) -> Tensor:
        """The tanh approximation of `gelu`."""
        return self._map("GELU_TANH")

    def gelu_quick(self) -> Tensor:
        """x·sigmoid(1.702·x), as CLIP has it."""
        return self._map("GELU_QUICK")

    def softplus(self) -> Tensor:
        """log(1 + eˣ)."""
        return self._map("SOFTPLUS")

    def mish(self) -> Tensor:
        """x·tanh(softplus(x))."""
        return self._map("MISH")
