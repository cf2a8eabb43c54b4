//! Whatever the arguments are, an operation gives a result of the right shape or an error.

use berth_compute::{
    Binary, Comparison, ComputeError, DType, Generator, Padding, Reduction, Sampling, Tensor,
    Unary, Walk,
};
use berth_memory::MemoryError;
use proptest::prelude::*;

use crate::array::{Bench, bench, limited, read, unsupported};

const DTYPES: [DType; 12] = [
    DType::U8,
    DType::U32,
    DType::I32,
    DType::I64,
    DType::F16,
    DType::BF16,
    DType::F32,
    DType::F64,
    DType::F8E4M3,
    DType::F8E5M2,
    DType::Q4_0,
    DType::Q8_0,
];

fn dims() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(
        prop_oneof![4 => 1usize..6, 1 => Just(0usize), 1 => Just(32usize)],
        0..5,
    )
}

fn tensor() -> impl Strategy<Value = (DType, Vec<usize>)> {
    (prop_oneof![3 => Just(DType::F32), 2 => proptest::sample::select(&DTYPES[..])], dims())
}

/// Small numbers mostly, and some that no arithmetic may meet unchecked.
fn number() -> impl Strategy<Value = usize> {
    prop_oneof![6 => 0usize..5, 1 => Just(usize::MAX), 1 => Just(u32::MAX as usize), 1 => Just(1 << 40), 1 => Just(isize::MAX as usize)]
}

fn axis() -> impl Strategy<Value = i32> {
    prop_oneof![8 => -4i32..5, 1 => Just(i32::MIN), 1 => Just(i32::MAX)]
}

fn real() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.0),
        Just(-1.5),
        Just(2.0),
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(1e300),
        any::<f64>()
    ]
}

fn make(bench: &Bench, (dtype, shape): &(DType, Vec<usize>)) -> Option<Tensor> {
    let bytes = bench.compute.checked_bytes(*dtype, shape).ok()?;
    // Small indices, whatever the type.
    let bytes = (0..bytes).map(|i| if i % 4 == 0 { (i / 4 % 3) as u8 } else { 0 }).collect();
    bench.compute.from_bytes(&bench.scope, *dtype, shape, bytes).ok()
}

/// Checks that a result can be read whole, and that no error is this crate's own.
fn check(bench: &Bench, result: Result<Tensor, ComputeError>) {
    match result {
        Ok(tensor) => {
            assert_eq!(
                tensor.bytes(),
                bench.compute.checked_bytes(tensor.dtype(), tensor.shape()).unwrap()
            );
            let mut bytes = vec![0; tensor.bytes() as usize];
            tensor.read(0, &mut bytes).unwrap();
        }
        Err(ComputeError::Internal { .. }) => panic!("{result:?}"),
        Err(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn no_arguments_make_an_operation_panic(
        specs in proptest::collection::vec(tensor(), 4),
        alike in any::<bool>(),
        present in any::<[bool; 2]>(),
        n in proptest::collection::vec(number(), 4),
        axes in proptest::collection::vec(axis(), 0..4),
        axis in axis(),
        reals in (real(), real()),
        shape in prop_oneof![dims(), proptest::collection::vec(number(), 0..10)],
        amounts in proptest::collection::vec((number(), number()), 0..5),
        choice in 0usize..1000,
    ) {
        let bench = limited(1 << 22);
        let mut specs = specs;
        if alike {
            let first = specs[0].0;
            specs.iter_mut().for_each(|spec| spec.0 = first);
        }
        let tensors: Option<Vec<Tensor>> = specs.iter().map(|spec| make(&bench, spec)).collect();
        let Some(tensors) = tensors else { return Ok(()) };
        let [a, b, c, d] = &tensors[..] else { unreachable!() };
        let (first, second) = (present[0].then_some(c), present[1].then_some(d));
        let (compute, scope) = (&bench.compute, &bench.scope);
        let before = compute.memory().stats();
        let walk = Walk { stride: n[0], padding: n[1], dilation: n[2], groups: n[3] };
        let functions = [Unary::Exp, Unary::Gelu, Unary::Sign, Unary::Rsqrt, Unary::Mish];
        let binaries = [Binary::Add, Binary::Sub, Binary::Mul, Binary::Div, Binary::Minimum, Binary::Maximum];
        let comparisons = [Comparison::Eq, Comparison::Lt, Comparison::Ge];
        let reductions = [Reduction::Sum, Reduction::Mean, Reduction::Max, Reduction::Min, Reduction::Argmax, Reduction::Argmin];
        let paddings = [Padding::Constant(reals.0), Padding::Edge, Padding::Reflect, Padding::Wrap];
        let samplings = [Sampling::Nearest, Sampling::NearestExact, Sampling::Bilinear, Sampling::Bicubic, Sampling::Area, Sampling::Lanczos];
        let positions: Vec<usize> = axes.iter().map(|&axis| axis as usize).collect();
        let mut generator = Generator::seeded(1);
        let results = [
            compute.matmul(scope, a, b),
            compute.linear(scope, a, b, first),
            compute.conv1d(scope, a, b, first, walk),
            compute.conv2d(scope, a, b, first, walk),
            compute.conv_transpose2d(scope, a, b, first, walk, n[0] / 2),
            compute.group_norm(scope, a, n[0], first, second, reals.0 as f32),
            compute.layer_norm(scope, a, first, second, reals.0 as f32),
            compute.rms_norm(scope, a, first, reals.0 as f32),
            compute.attention(scope, a, b, c, n[0], second, present[0], Some(reals.0 as f32)),
            compute.attention(scope, a, a, a, n[0], first, present[1], None),
            compute.rotary(scope, a, b, c, present[0]),
            compute.embedding(scope, a, b),
            compute.softmax(scope, a, axis),
            compute.map(scope, a, functions[choice % functions.len()]),
            compute.affine(scope, a, reals.0, reals.1),
            compute.power(scope, a, reals.0),
            compute.clamp(scope, a, reals.0, reals.1),
            compute.combine(scope, a, b, binaries[choice % binaries.len()]),
            compute.compare(scope, a, b, comparisons[choice % comparisons.len()]),
            compute.choose(scope, a, b, c),
            compute.reduce(scope, a, reductions[choice % reductions.len()], &axes, present[0]),
            compute.argsort(scope, a, axis, present[0]),
            compute.cumulative_sum(scope, a, axis),
            compute.reshape(scope, a, &shape),
            compute.permute(scope, a, &positions),
            compute.slice(scope, a, axis, n[0], n[1], n[2]),
            compute.concat(scope, &[a, b, c][..choice % 4], axis),
            compute.broadcast(scope, a, &shape),
            compute.flip(scope, a, axis),
            compute.pad(scope, a, &amounts, paddings[choice % paddings.len()]),
            compute.gather(scope, a, axis, b),
            compute.index_select(scope, a, axis, b),
            compute.interpolate(scope, a, n[0], n[1], samplings[choice % samplings.len()]),
            compute.cast(scope, a, DTYPES[choice % DTYPES.len()]),
            compute.from_bytes(scope, DTYPES[choice % DTYPES.len()], &shape, vec![0; n[0].min(64)]),
            compute.full(scope, DTYPES[choice % DTYPES.len()], &shape, reals.0),
            compute.arange(scope, DTYPES[choice % DTYPES.len()], reals.0, reals.1, n[0]),
            compute.normal(scope, &mut generator, &shape),
            compute.uniform(scope, &mut generator, &shape),
        ];
        for result in results {
            check(&bench, result);
        }
        let after = compute.memory().stats();
        prop_assert_eq!((after.leases, after.allocations), (0, before.allocations));
    }

    #[test]
    fn convolutions_that_are_right_are_as_large_as_their_formula_says(
        (n, groups, depth, out) in (1usize..3, 1usize..4, 1usize..3, 1usize..3),
        (h, w, kh, kw) in (1usize..12, 1usize..12, 1usize..4, 1usize..4),
        (stride, padding, dilation, more) in (1usize..4, 0usize..4, 1usize..3, 0usize..3),
    ) {
        let bench = limited(1 << 24);
        let (compute, scope) = (&bench.compute, &bench.scope);
        let full = |shape: &[usize]| compute.full(scope, DType::F32, shape, 0.5).unwrap();
        let walk = Walk { stride, padding, dilation, groups };
        let x = full(&[n, groups * depth, h, w]);
        let extent = |size: usize, k: usize| (size + 2 * padding).checked_sub(dilation * (k - 1) + 1).map(|free| free / stride + 1);
        let got = compute.conv2d(scope, &x, &full(&[groups * out, depth, kh, kw]), None, walk);
        match (extent(h, kh), extent(w, kw)) {
            (Some(oh), Some(ow)) => {
                let got = got.unwrap();
                prop_assert_eq!(got.shape(), [n, groups * out, oh, ow]);
                prop_assert!(read(&got).data.iter().all(|x| x.is_finite()));
            }
            _ => prop_assert!(got.is_err()),
        }
        let extent = |size: usize, k: usize| ((size - 1) * stride + dilation * (k - 1) + more + 1).checked_sub(2 * padding).filter(|&size| size > 0);
        let got = compute.conv_transpose2d(scope, &x, &full(&[groups * depth, out, kh, kw]), None, walk, more);
        match (extent(h, kh), extent(w, kw)) {
            (Some(oh), Some(ow)) if more < stride.max(dilation) => {
                let got = got.unwrap();
                prop_assert_eq!(got.shape(), [n, groups * out, oh, ow]);
                prop_assert!(read(&got).data.iter().all(|x| x.is_finite()));
            }
            _ => prop_assert!(got.is_err()),
        }
    }
}

#[test]
fn sizes_that_no_tensor_has_are_refused_before_anything_is_allocated() {
    let bench = bench();
    let tensor =
        |shape: &[usize]| bench.compute.full(&bench.scope, DType::F32, shape, 1.0).unwrap();
    // Neither has an element, but the kernel has 2⁵⁰ places.
    let (x, weight) = (tensor(&[1, 0, 1, 1]), tensor(&[1, 0, 1 << 25, 1 << 25]));
    let walk = Walk { padding: 1 << 24, ..Walk::default() };
    unsupported(bench.compute.conv2d(&bench.scope, &x, &weight, None, walk));
    // As many phases.
    let (x, weight) = (tensor(&[1, 1, 2, 2]), tensor(&[1, 1, 1, 1]));
    let walk = Walk { stride: 1 << 25, ..Walk::default() };
    unsupported(bench.compute.conv_transpose2d(&bench.scope, &x, &weight, None, walk, 0));
    // A window of 2⁶⁴ elements around one.
    let (x, weight) = (tensor(&[1, 1, 1, 1]), tensor(&[1, 1, 2, 2]));
    let walk = Walk { dilation: 1 << 32, padding: 1 << 31, ..Walk::default() };
    let error = bench.compute.conv2d(&bench.scope, &x, &weight, None, walk).unwrap_err();
    assert!(matches!(error, ComputeError::Memory(MemoryError::OutOfMemory { .. })), "{error}");
    let resized = bench.compute.interpolate(&bench.scope, &x, 1 << 57, 2, Sampling::Lanczos);
    assert!(matches!(resized, Err(ComputeError::Memory(MemoryError::OutOfMemory { .. }))));
}
