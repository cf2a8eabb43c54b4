//! `+ − × ÷` between tensors, and between a tensor and a number.
//!
//! The result is a `Result`: the operation is the host's and may fail. A number takes
//! the tensor's dtype. Division by a number divides, and is not a product
//! with its reciprocal, which would round twice.

use std::ops::{Add, Div, Mul, Sub};

use crate::bindings::berth::node::ops::Binary;
use crate::{Result, Tensor};

macro_rules! between_tensors {
    ($($trait:ident::$method:ident = $function:ident;)*) => {
        $(
            between_tensors!(@pair $trait::$method = $function, &Tensor, &Tensor);
            between_tensors!(@pair $trait::$method = $function, &Tensor, Tensor);
            between_tensors!(@pair $trait::$method = $function, Tensor, &Tensor);
            between_tensors!(@pair $trait::$method = $function, Tensor, Tensor);

            impl $trait<f64> for Tensor {
                type Output = Result<Tensor>;

                fn $method(self, number: f64) -> Result<Tensor> {
                    (&self).$method(number)
                }
            }

            impl $trait<Tensor> for f64 {
                type Output = Result<Tensor>;

                fn $method(self, tensor: Tensor) -> Result<Tensor> {
                    self.$method(&tensor)
                }
            }
        )*
    };
    (@pair $trait:ident::$method:ident = $function:ident, $left:ty, $right:ty) => {
        impl $trait<$right> for $left {
            type Output = Result<Tensor>;

            fn $method(self, right: $right) -> Result<Tensor> {
                let (left, right): (&Tensor, &Tensor) = (self.as_ref(), right.as_ref());
                left.combine(right, Binary::$function)
            }
        }
    };
}

between_tensors! {
    Add::add = Add;
    Sub::sub = Sub;
    Mul::mul = Mul;
    Div::div = Div;
}

impl AsRef<Tensor> for Tensor {
    fn as_ref(&self) -> &Tensor {
        self
    }
}

impl Tensor {
    /// A scalar of this tensor's dtype.
    fn number(&self, value: f64) -> Result<Tensor> {
        Tensor::full(self.dtype(), &[], value)
    }
}

impl Add<f64> for &Tensor {
    type Output = Result<Tensor>;

    fn add(self, number: f64) -> Result<Tensor> {
        self.affine(1.0, number)
    }
}

impl Sub<f64> for &Tensor {
    type Output = Result<Tensor>;

    fn sub(self, number: f64) -> Result<Tensor> {
        self.affine(1.0, -number)
    }
}

impl Mul<f64> for &Tensor {
    type Output = Result<Tensor>;

    fn mul(self, number: f64) -> Result<Tensor> {
        self.affine(number, 0.0)
    }
}

impl Div<f64> for &Tensor {
    type Output = Result<Tensor>;

    fn div(self, number: f64) -> Result<Tensor> {
        self / self.number(number)?
    }
}

impl Add<&Tensor> for f64 {
    type Output = Result<Tensor>;

    fn add(self, tensor: &Tensor) -> Result<Tensor> {
        tensor.affine(1.0, self)
    }
}

impl Sub<&Tensor> for f64 {
    type Output = Result<Tensor>;

    fn sub(self, tensor: &Tensor) -> Result<Tensor> {
        tensor.affine(-1.0, self)
    }
}

impl Mul<&Tensor> for f64 {
    type Output = Result<Tensor>;

    fn mul(self, tensor: &Tensor) -> Result<Tensor> {
        tensor.affine(self, 0.0)
    }
}

impl Div<&Tensor> for f64 {
    type Output = Result<Tensor>;

    fn div(self, tensor: &Tensor) -> Result<Tensor> {
        tensor.number(self)? / tensor
    }
}
