"""The element types of tensors."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from ._host import types
from .errors import InvalidArgument


class DType(StrEnum):
    """Element type of a tensor. The `Q` types are GGUF's block-quantized formats: only a
    weight given to `linear`, `conv2d` or `embedding`, and the operand of `cast`, may have one.
    """

    U8 = "u8"
    U32 = "u32"
    I32 = "i32"
    I64 = "i64"
    F16 = "f16"
    BF16 = "bf16"
    F32 = "f32"
    F64 = "f64"
    F8_E4M3 = "f8_e4m3"
    F8_E5M2 = "f8_e5m2"
    Q4_0 = "q4_0"
    Q4_1 = "q4_1"
    Q5_0 = "q5_0"
    Q5_1 = "q5_1"
    Q8_0 = "q8_0"
    Q8_1 = "q8_1"
    Q2_K = "q2_k"
    Q3_K = "q3_k"
    Q4_K = "q4_k"
    Q5_K = "q5_k"
    Q6_K = "q6_k"
    Q8_K = "q8_k"

    @property
    def size(self) -> int | None:
        """Bytes of one element, or nothing for a block-quantized type."""
        return _SIZES.get(self)

    @property
    def is_float(self) -> bool:
        """Whether its elements have fractions; true of the quantized types too."""
        return self not in (DType.U8, DType.U32, DType.I32, DType.I64)


_SIZES = {
    DType.U8: 1,
    DType.U32: 4,
    DType.I32: 4,
    DType.I64: 8,
    DType.F16: 2,
    DType.BF16: 2,
    DType.F32: 4,
    DType.F64: 8,
    DType.F8_E4M3: 1,
    DType.F8_E5M2: 1,
}

# The codes of Python's `array` for the types that it has.
ARRAY_CODES = {
    DType.U8: "B",
    DType.U32: "I",
    DType.I32: "i",
    DType.I64: "q",
    DType.F32: "f",
    DType.F64: "d",
}


def to_raw(dtype: DType) -> Any:
    """The contract's dtype. Raises `InvalidArgument` where it is none."""
    try:
        return types.Dtype[DType(dtype).name]
    except ValueError:
        raise InvalidArgument(f"a `DType` is expected, not {dtype!r}") from None


def from_raw(raw: Any) -> DType:
    """The dtype of the contract's."""
    return DType[raw.name]
