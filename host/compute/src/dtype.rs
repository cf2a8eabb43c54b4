//! Element types and what they cost in bytes.
//!
//! Two kinds share one enum because a weight's file decides its kind, not the
//! code that uses it: dense types, of which every element has its own bytes, and
//! GGUF's block-quantized types, of which only a whole block has.

use std::fmt;

/// The type of a tensor's elements, as in the contract's `types.dtype`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DType {
    /// Unsigned, 8 bits.
    U8,
    /// Unsigned, 32 bits.
    U32,
    /// Signed, 32 bits.
    I32,
    /// Signed, 64 bits.
    I64,
    /// IEEE 754 half precision.
    F16,
    /// The upper half of an `f32`.
    BF16,
    /// IEEE 754 single precision.
    F32,
    /// IEEE 754 double precision.
    F64,
    /// 8-bit float, 4 bits of exponent, no infinities (OCP FP8).
    F8E4M3,
    /// 8-bit float, 5 bits of exponent (OCP FP8).
    F8E5M2,
    /// GGUF: 4 bits, a scale per 32.
    Q4_0,
    /// GGUF: 4 bits, a scale and a minimum per 32.
    Q4_1,
    /// GGUF: 5 bits, a scale per 32.
    Q5_0,
    /// GGUF: 5 bits, a scale and a minimum per 32.
    Q5_1,
    /// GGUF: 8 bits, a scale per 32.
    Q8_0,
    /// GGUF: 8 bits, a scale and a sum per 32.
    Q8_1,
    /// GGUF: 2 bits, in super-blocks of 256.
    Q2K,
    /// GGUF: 3 bits, in super-blocks of 256.
    Q3K,
    /// GGUF: 4 bits, in super-blocks of 256.
    Q4K,
    /// GGUF: 5 bits, in super-blocks of 256.
    Q5K,
    /// GGUF: 6 bits, in super-blocks of 256.
    Q6K,
    /// GGUF: 8 bits, in super-blocks of 256.
    Q8K,
}

impl DType {
    /// Elements and bytes of the smallest piece that has bytes of its own: one
    /// element, or one block (ggml, `ggml-common.h`).
    #[must_use]
    pub const fn block(self) -> (usize, usize) {
        match self {
            Self::U8 | Self::F8E4M3 | Self::F8E5M2 => (1, 1),
            Self::F16 | Self::BF16 => (1, 2),
            Self::U32 | Self::I32 | Self::F32 => (1, 4),
            Self::I64 | Self::F64 => (1, 8),
            Self::Q4_0 => (32, 18),
            Self::Q4_1 => (32, 20),
            Self::Q5_0 => (32, 22),
            Self::Q5_1 => (32, 24),
            Self::Q8_0 => (32, 34),
            Self::Q8_1 => (32, 36),
            Self::Q2K => (256, 84),
            Self::Q3K => (256, 110),
            Self::Q4K => (256, 144),
            Self::Q5K => (256, 176),
            Self::Q6K => (256, 210),
            Self::Q8K => (256, 292),
        }
    }

    /// Whether elements are stored in blocks, and only whole rows can be addressed.
    #[must_use]
    pub const fn is_quantized(self) -> bool {
        self.block().0 > 1
    }

    /// Whether it is `f16`, `bf16`, `f32` or `f64`: what operations on floats take.
    #[must_use]
    pub const fn is_float(self) -> bool {
        matches!(self, Self::F16 | Self::BF16 | Self::F32 | Self::F64)
    }

    /// Whether it is an integer type.
    #[must_use]
    pub const fn is_integer(self) -> bool {
        matches!(self, Self::U8 | Self::U32 | Self::I32 | Self::I64)
    }

    /// The name in the contract, such as `f8-e4m3`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::U8 => "u8",
            Self::U32 => "u32",
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::F16 => "f16",
            Self::BF16 => "bf16",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::F8E4M3 => "f8-e4m3",
            Self::F8E5M2 => "f8-e5m2",
            Self::Q4_0 => "q4-0",
            Self::Q4_1 => "q4-1",
            Self::Q5_0 => "q5-0",
            Self::Q5_1 => "q5-1",
            Self::Q8_0 => "q8-0",
            Self::Q8_1 => "q8-1",
            Self::Q2K => "q2-k",
            Self::Q3K => "q3-k",
            Self::Q4K => "q4-k",
            Self::Q5K => "q5-k",
            Self::Q6K => "q6-k",
            Self::Q8K => "q8-k",
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
