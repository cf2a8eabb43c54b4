//! Shapes, and the checked arithmetic on them.
//!
//! Guests choose shapes, so every product here is checked, before anything is
//! allocated. A shape that passed [`elements`] has products that fit `isize`,
//! which is what lets the kernels add and multiply offsets without checks.

use smallvec::SmallVec;

use crate::DType;

/// The most dimensions a tensor has. Twice what the field's tensors use, and few
/// enough that loops over dimensions live in registers and on the stack.
pub(crate) const MAX_RANK: usize = 8;

/// Dimensions, outermost first.
pub(crate) type Dims = SmallVec<[usize; 6]>;

/// Steps between neighbours of each dimension, in elements.
pub(crate) type Strides = SmallVec<[isize; 6]>;

/// The product of the dimensions, or what is wrong with them.
///
/// Zero-sized dimensions are counted as one for the bound, so that the product
/// of any subset of the dimensions fits as well.
pub(crate) fn elements(shape: &[usize]) -> Result<usize, String> {
    if shape.len() > MAX_RANK {
        return Err(format!(
            "a shape of {} dimensions, but at most {MAX_RANK} are possible",
            shape.len()
        ));
    }
    let mut bound = 1usize;
    let mut count = 1usize;
    for &dim in shape {
        // 16 is the largest element in bytes, with room to spare.
        bound = bound
            .checked_mul(dim.max(1))
            .filter(|&product| product <= isize::MAX as usize / 16)
            .ok_or_else(|| {
                format!("the shape {shape:?} has more elements than can be addressed")
            })?;
        count *= if dim == 0 { 0 } else { dim };
    }
    Ok(count)
}

/// What a tensor of this type and shape takes in bytes.
///
/// The last dimension of a block-quantized tensor must be whole blocks.
pub(crate) fn bytes(dtype: DType, shape: &[usize]) -> Result<usize, String> {
    let count = elements(shape)?;
    let (block, size) = dtype.block();
    if block > 1 && !shape.last().is_some_and(|&row| row.is_multiple_of(block)) {
        return Err(format!(
            "a {dtype} tensor's last dimension must be a multiple of {block}, but the shape is {shape:?}"
        ));
    }
    (count / block)
        .checked_mul(size)
        .filter(|&total| isize::try_from(total).is_ok())
        .ok_or_else(|| format!("the shape {shape:?} takes more bytes than can be addressed"))
}

/// Row-major steps of a contiguous tensor.
pub(crate) fn strides(shape: &[usize]) -> Strides {
    let mut strides: Strides = SmallVec::from_elem(0, shape.len());
    let mut step = 1;
    for (stride, &dim) in strides.iter_mut().zip(shape).rev() {
        *stride = step;
        step *= dim.max(1).cast_signed();
    }
    strides
}

/// The shape that both broadcast to, as NumPy's rule has it.
pub(crate) fn broadcast(a: &[usize], b: &[usize]) -> Result<Dims, String> {
    let rank = a.len().max(b.len());
    let from_back = |shape: &[usize], back: usize| {
        shape.len().checked_sub(back + 1).and_then(|i| shape.get(i).copied()).unwrap_or(1)
    };
    let mut shape: Dims = SmallVec::with_capacity(rank);
    for back in (0..rank).rev() {
        shape.push(match (from_back(a, back), from_back(b, back)) {
            (x, y) if x == y => x,
            (1, y) => y,
            (x, 1) => x,
            _ => return Err(format!("the shapes {a:?} and {b:?} do not broadcast")),
        });
    }
    elements(&shape)?;
    Ok(shape)
}

/// Steps by which a contiguous tensor of `shape` is walked as if it had the shape
/// `to`: 0 along what is repeated. `None` if it does not broadcast to that.
pub(crate) fn broadcast_strides(shape: &[usize], to: &[usize]) -> Option<Strides> {
    let missing = to.len().checked_sub(shape.len())?;
    let mut result: Strides = SmallVec::from_elem(0, missing);
    for ((&dim, &target), stride) in shape.iter().zip(to.iter().skip(missing)).zip(strides(shape)) {
        result.push(match dim {
            _ if dim == target => stride,
            1 => 0,
            _ => return None,
        });
    }
    Some(result)
}

/// An axis counted from the front, from one that may be counted from the back.
pub(crate) fn axis(axis: i32, rank: usize) -> Result<usize, String> {
    let wrong = || format!("axis {axis}, but the tensor has {rank} dimensions");
    let index = if axis < 0 {
        rank.checked_sub(axis.unsigned_abs() as usize).ok_or_else(wrong)?
    } else {
        axis.unsigned_abs() as usize
    };
    if index < rank { Ok(index) } else { Err(wrong()) }
}

/// The elements before an axis, along it, and after it.
pub(crate) fn around(shape: &[usize], axis: usize) -> (usize, usize, usize) {
    let (before, rest) = shape.split_at_checked(axis).unwrap_or((shape, &[]));
    let (along, after) = rest.split_first().map_or((1, rest), |(along, after)| (*along, after));
    (before.iter().product(), along, after.iter().product())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_that_overflow_are_refused_even_beside_a_zero() {
        assert!(elements(&[1 << 33, 1 << 31]).is_err());
        assert!(elements(&[0, 1 << 33, 1 << 31]).is_err());
        assert!(elements(&[usize::MAX, 2, 0]).is_err());
        assert!(bytes(DType::F64, &[1 << 59]).is_err());
        assert!(elements(&[1; 9]).is_err());
        assert_eq!(elements(&[]), Ok(1));
        assert_eq!(elements(&[3, 0, 5]), Ok(0));
    }

    #[test]
    fn quantized_bytes_count_whole_blocks() {
        assert_eq!(bytes(DType::Q4_0, &[3, 64]), Ok(3 * 2 * 18));
        assert_eq!(bytes(DType::Q6K, &[2, 256]), Ok(2 * 210));
        assert!(bytes(DType::Q4_0, &[64, 3]).is_err());
        assert!(bytes(DType::Q4_0, &[]).is_err());
    }

    #[test]
    fn broadcasting_is_numpys() {
        assert_eq!(broadcast(&[2, 1, 3], &[4, 1]).unwrap().as_slice(), [2, 4, 3]);
        assert_eq!(broadcast(&[], &[4, 0]).unwrap().as_slice(), [4, 0]);
        assert_eq!(broadcast(&[1], &[0]).unwrap().as_slice(), [0]);
        assert!(broadcast(&[2], &[3]).is_err());
        assert!(broadcast(&[1 << 40, 1], &[1, 1 << 40]).is_err());
        assert_eq!(broadcast_strides(&[3, 1], &[2, 3, 5]).unwrap().as_slice(), [0, 1, 0]);
        assert!(broadcast_strides(&[3], &[2]).is_none());
        assert!(broadcast_strides(&[1, 3], &[3]).is_none());
    }

    #[test]
    fn a_negative_axis_counts_from_the_back() {
        assert_eq!(axis(-1, 3), Ok(2));
        assert_eq!(axis(0, 3), Ok(0));
        for (wrong, rank) in [(3, 3), (-4, 3), (0, 0), (i32::MIN, 3), (i32::MAX, 3)] {
            assert!(axis(wrong, rank).is_err());
        }
    }
}
