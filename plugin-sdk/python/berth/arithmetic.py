"""`+ - * / ** @ < <= > >=` between tensors, and between a tensor and a number.

A number takes the tensor's dtype. Division by a number divides, and is not a product with its
reciprocal, which would round twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard, Union

from ._host import ask, tensors
from .arguments import number as as_number
from .elementwise import make
from .operations import Operations

if TYPE_CHECKING:
    from .tensor import Tensor

Number = Union[int, float]


def _is_number(value: object) -> TypeGuard[Number]:
    return isinstance(value, (int, float))


class Arithmetic(Operations):
    """The operators of a tensor. Use `Tensor`."""

    def _scalar(self, number: Number) -> Tensor:
        return make(ask(tensors.full, self.raw.dtype(), [], as_number(number)))

    def __add__(self, other: Tensor | Number) -> Tensor:
        if isinstance(other, Operations):
            return self._combine(other, "ADD")
        return self.affine(1.0, other) if _is_number(other) else NotImplemented

    def __radd__(self, other: Number) -> Tensor:
        return self.affine(1.0, other) if _is_number(other) else NotImplemented

    def __sub__(self, other: Tensor | Number) -> Tensor:
        if isinstance(other, Operations):
            return self._combine(other, "SUB")
        return self.affine(1.0, -other) if _is_number(other) else NotImplemented

    def __rsub__(self, other: Number) -> Tensor:
        return self.affine(-1.0, other) if _is_number(other) else NotImplemented

    def __mul__(self, other: Tensor | Number) -> Tensor:
        if isinstance(other, Operations):
            return self._combine(other, "MUL")
        return self.affine(other, 0.0) if _is_number(other) else NotImplemented

    def __rmul__(self, other: Number) -> Tensor:
        return self.affine(other, 0.0) if _is_number(other) else NotImplemented

    def __truediv__(self, other: Tensor | Number) -> Tensor:
        if _is_number(other):
            return self._combine(self._scalar(other), "DIV")
        return self._combine(other, "DIV") if isinstance(other, Operations) else NotImplemented

    def __rtruediv__(self, other: Number) -> Tensor:
        return self._scalar(other) / make(self.raw) if _is_number(other) else NotImplemented

    def __pow__(self, exponent: Number) -> Tensor:
        return self.power(exponent) if _is_number(exponent) else NotImplemented

    def __matmul__(self, other: Tensor) -> Tensor:
        return self.matmul(other) if isinstance(other, Operations) else NotImplemented

    def __neg__(self) -> Tensor:
        return self.neg()

    def __abs__(self) -> Tensor:
        return self.abs()

    def __lt__(self, other: Tensor | Number) -> Tensor:
        return self.lt(self._operand(other))

    def __le__(self, other: Tensor | Number) -> Tensor:
        return self.le(self._operand(other))

    def __gt__(self, other: Tensor | Number) -> Tensor:
        return self.gt(self._operand(other))

    def __ge__(self, other: Tensor | Number) -> Tensor:
        return self.ge(self._operand(other))

    def _operand(self, other: Tensor | Number) -> Tensor:
        return self._scalar(other) if isinstance(other, (int, float)) else other
