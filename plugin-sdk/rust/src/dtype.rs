//! The element types of tensors.

use crate::bindings::berth::node::types::Dtype;

macro_rules! dtypes {
    ($($(#[$doc:meta])* $name:ident = $wire:ident, $text:literal, $bytes:expr;)*) => {
        /// Element type of a tensor. The `Q` types are GGUF's block-quantized formats:
        /// only a weight given to `linear`, `conv2d` or `embedding`, and the operand of
        /// `cast`, may have one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum DType {
            $($(#[$doc])* $name,)*
        }

        impl DType {
            /// Bytes of one element, or nothing for a block-quantized type.
            pub fn size(self) -> Option<usize> {
                match self { $(Self::$name => $bytes,)* }
            }
        }

        impl std::fmt::Display for DType {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self { $(Self::$name => $text,)* })
            }
        }

        impl From<Dtype> for DType {
            fn from(dtype: Dtype) -> Self {
                match dtype { $(Dtype::$wire => Self::$name,)* }
            }
        }

        impl From<DType> for Dtype {
            fn from(dtype: DType) -> Self {
                match dtype { $(DType::$name => Self::$wire,)* }
            }
        }
    };
}

dtypes! {
    /// Unsigned, 8 bits.
    U8 = U8, "u8", Some(1);
    /// Unsigned, 32 bits.
    U32 = U32, "u32", Some(4);
    /// Signed, 32 bits.
    I32 = I32, "i32", Some(4);
    /// Signed, 64 bits.
    I64 = I64, "i64", Some(8);
    /// IEEE half precision.
    F16 = F16, "f16", Some(2);
    /// The upper half of an `f32`.
    BF16 = Bf16, "bf16", Some(2);
    /// IEEE single precision.
    F32 = F32, "f32", Some(4);
    /// IEEE double precision.
    F64 = F64, "f64", Some(8);
    /// 8 bits: 4 of exponent, 3 of mantissa.
    F8E4M3 = F8E4m3, "f8_e4m3", Some(1);
    /// 8 bits: 5 of exponent, 2 of mantissa.
    F8E5M2 = F8E5m2, "f8_e5m2", Some(1);
    /// GGUF.
    Q4_0 = Q40, "q4_0", None;
    /// GGUF.
    Q4_1 = Q41, "q4_1", None;
    /// GGUF.
    Q5_0 = Q50, "q5_0", None;
    /// GGUF.
    Q5_1 = Q51, "q5_1", None;
    /// GGUF.
    Q8_0 = Q80, "q8_0", None;
    /// GGUF.
    Q8_1 = Q81, "q8_1", None;
    /// GGUF.
    Q2K = Q2K, "q2_k", None;
    /// GGUF.
    Q3K = Q3K, "q3_k", None;
    /// GGUF.
    Q4K = Q4K, "q4_k", None;
    /// GGUF.
    Q5K = Q5K, "q5_k", None;
    /// GGUF.
    Q6K = Q6K, "q6_k", None;
    /// GGUF.
    Q8K = Q8K, "q8_k", None;
}

/// A Rust number that a tensor can be made of and read as.
pub trait Element: bytemuck::Pod + sealed::Sealed {
    /// Its element type.
    const DTYPE: DType;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! elements {
    ($($rust:ty = $dtype:ident),*) => {
        $(impl Element for $rust { const DTYPE: DType = DType::$dtype; }
        impl sealed::Sealed for $rust {})*
    };
}

elements!(u8 = U8, u32 = U32, i32 = I32, i64 = I64, f32 = F32, f64 = F64);
