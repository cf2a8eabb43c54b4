//! What an operation says that it needs is what it allocates, and it writes all that it returns.
//!
//! The allocator of this binary counts, so nothing else may run beside: one test does it all.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that goes wrong fails by a panic"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use berth_compute::{
    Binary, Comparison, Compute, ComputeError, DType, Generator, Padding, Reduction, Sampling,
    Scope, Tensor, Unary, Walk,
};
use berth_memory::offload::mode;
use berth_memory::{Cancel, Limits, OffloadModeName};

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static LEFTOVER: AtomicU8 = AtomicU8::new(0);

/// Counts bytes, and leaves something in each new block.
struct Counting;

// SAFETY: every call is passed on to the system's allocator; a new block is written
// within its size before anybody else has it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those of `GlobalAlloc::alloc`.
        let block = unsafe { System.alloc(layout) };
        if !block.is_null() {
            let live = LIVE.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
            PEAK.fetch_max(live, Ordering::Relaxed);
            // SAFETY: the block is new and has `layout.size()` bytes.
            unsafe { block.write_bytes(LEFTOVER.load(Ordering::Relaxed), layout.size()) };
        }
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are those of `GlobalAlloc::dealloc`.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What the books of one operation may take beside its tensors: the ledger's entry, candle's
/// and rayon's records.
const BOOKS: usize = 8 << 10;

type Operation<'a> =
    Box<dyn Fn(&Compute, &Scope, &[Tensor]) -> Result<Tensor, ComputeError> + Sync + 'a>;

struct Case<'a> {
    name: &'static str,
    inputs: Vec<(DType, Vec<usize>)>,
    run: Operation<'a>,
}

fn case<'a>(
    name: &'static str,
    inputs: &[(DType, &[usize])],
    run: impl Fn(&Compute, &Scope, &[Tensor]) -> Result<Tensor, ComputeError> + Sync + 'a,
) -> Case<'a> {
    let inputs = inputs.iter().map(|&(dtype, shape)| (dtype, shape.into())).collect();
    Case { name, inputs, run: Box::new(run) }
}

fn cases() -> Vec<Case<'static>> {
    let mut cases = Vec::new();
    let walk = Walk { stride: 1, padding: 1, dilation: 1, groups: 1 };
    for dtype in [DType::F32, DType::F16, DType::BF16, DType::F64] {
        let weights = [DType::F32, DType::F16, DType::F64, DType::F8E4M3];
        cases.push(case("matmul", &[(dtype, &[4, 130, 70]), (dtype, &[1, 70, 90])], |c, s, t| {
            c.matmul(s, &t[0], &t[1])
        }));
        for weight in weights {
            cases.push(case(
                "linear",
                &[(dtype, &[3, 77, 64]), (weight, &[200, 64]), (weight, &[200])],
                |c, s, t| c.linear(s, &t[0], &t[1], Some(&t[2])),
            ));
            cases.push(case(
                "conv2d",
                &[(dtype, &[2, 24, 19, 17]), (weight, &[40, 24, 3, 3]), (weight, &[40])],
                move |c, s, t| c.conv2d(s, &t[0], &t[1], Some(&t[2]), walk),
            ));
            let norm: &[(DType, &[usize])] =
                &[(dtype, &[2, 32, 33]), (weight, &[32]), (weight, &[32])];
            cases.push(case("group-norm", norm, |c, s, t| {
                c.group_norm(s, &t[0], 8, Some(&t[1]), Some(&t[2]), 1e-5)
            }));
            let norm: &[(DType, &[usize])] =
                &[(dtype, &[60, 330]), (weight, &[330]), (weight, &[330])];
            cases.push(case("layer-norm", norm, |c, s, t| {
                c.layer_norm(s, &t[0], Some(&t[1]), Some(&t[2]), 1e-5)
            }));
            cases.push(case("rms-norm", norm, |c, s, t| c.rms_norm(s, &t[0], Some(&t[1]), 1e-5)));
            cases.push(case(
                "rotary",
                &[(dtype, &[8, 33, 64]), (weight, &[33, 32]), (weight, &[33, 32])],
                |c, s, t| c.rotary(s, &t[0], &t[1], &t[2], true),
            ));
            cases.push(case(
                "embedding",
                &[(DType::U32, &[77]), (weight, &[4, 300])],
                |c, s, t| c.embedding(s, &t[0], &t[1]),
            ));
        }
        let wide = Walk { stride: 2, padding: 2, dilation: 2, groups: 2 };
        cases.push(case(
            "conv2d, wide",
            &[(dtype, &[1, 16, 64, 64]), (dtype, &[32, 8, 3, 3])],
            move |c, s, t| c.conv2d(s, &t[0], &t[1], None, wide),
        ));
        cases.push(case(
            "conv2d, 1 by 1",
            &[(dtype, &[1, 64, 33, 33]), (dtype, &[96, 64, 1, 1])],
            |c, s, t| c.conv2d(s, &t[0], &t[1], None, Walk::default()),
        ));
        cases.push(case(
            "conv1d",
            &[(dtype, &[2, 24, 333]), (dtype, &[40, 24, 5])],
            move |c, s, t| c.conv1d(s, &t[0], &t[1], None, walk),
        ));
        cases.push(case(
            "conv-transpose2d",
            &[(dtype, &[2, 24, 19, 17]), (dtype, &[24, 40, 4, 4])],
            move |c, s, t| c.conv_transpose2d(s, &t[0], &t[1], None, Walk { stride: 2, ..walk }, 0),
        ));
        let qkv: &[(DType, &[usize])] = &[
            (dtype, &[2, 260, 64]),
            (dtype, &[2, 300, 64]),
            (dtype, &[2, 300, 96]),
            (dtype, &[260, 300]),
        ];
        cases.push(case("attention", qkv, |c, s, t| {
            c.attention(s, &t[0], &t[1], &t[2], 4, Some(&t[3]), false, None)
        }));
        cases.push(case("attention, causal", qkv, |c, s, t| {
            c.attention(s, &t[0], &t[1], &t[2], 2, None, true, None)
        }));
        let x: &[(DType, &[usize])] =
            &[(dtype, &[5, 70, 50]), (dtype, &[5, 70, 50]), (dtype, &[70, 1])];
        for axis in 0..3 {
            cases.push(case("softmax", x, move |c, s, t| c.softmax(s, &t[0], axis)));
        }
        for function in [Unary::Silu, Unary::Gelu, Unary::Exp] {
            cases.push(case("map", x, move |c, s, t| c.map(s, &t[0], function)));
        }
        cases.push(case("affine", x, |c, s, t| c.affine(s, &t[0], 2.0, 1.0)));
        cases.push(case("power", x, |c, s, t| c.power(s, &t[0], 1.5)));
        cases.push(case("clamp", x, |c, s, t| c.clamp(s, &t[0], 0.0, 1.0)));
        for function in [Binary::Add, Binary::Div, Binary::Maximum] {
            cases.push(case("combine", x, move |c, s, t| c.combine(s, &t[0], &t[1], function)));
            cases.push(case("combine, broadcast", x, move |c, s, t| {
                c.combine(s, &t[0], &t[2], function)
            }));
        }
        cases.push(case("compare", x, |c, s, t| c.compare(s, &t[0], &t[2], Comparison::Lt)));
        let chosen: &[(DType, &[usize])] =
            &[(DType::U8, &[50]), (dtype, &[5, 70, 50]), (dtype, &[70, 1])];
        cases.push(case("choose", chosen, |c, s, t| c.choose(s, &t[0], &t[1], &t[2])));
        for reduction in [Reduction::Sum, Reduction::Mean, Reduction::Max, Reduction::Argmin] {
            for axis in 0..3 {
                cases.push(case("reduce", x, move |c, s, t| {
                    c.reduce(s, &t[0], reduction, &[axis], false)
                }));
            }
        }
        for axis in 0..3 {
            cases.push(case("argsort", x, move |c, s, t| c.argsort(s, &t[0], axis, axis == 1)));
        }
        cases.push(case("cumulative-sum", x, |c, s, t| c.cumulative_sum(s, &t[0], 1)));
        if dtype != DType::F64 {
            for sampling in [
                Sampling::Nearest,
                Sampling::Bilinear,
                Sampling::Bicubic,
                Sampling::Area,
                Sampling::Lanczos,
            ] {
                for (h, w) in [(66, 46), (20, 70)] {
                    cases.push(case("interpolate", &[(dtype, &[2, 3, 33, 23])], move |c, s, t| {
                        c.interpolate(s, &t[0], h, w, sampling)
                    }));
                }
            }
        }
        for to in
            [DType::F32, DType::F16, DType::BF16, DType::F64, DType::I64, DType::U8, DType::F8E5M2]
        {
            cases.push(case("cast", x, move |c, s, t| c.cast(s, &t[0], to)));
        }
        cases.push(case("permute", x, |c, s, t| c.permute(s, &t[0], &[2, 0, 1])));
        cases.push(case("slice", x, |c, s, t| c.slice(s, &t[0], 1, 3, 60, 2)));
        cases.push(case("concat", x, |c, s, t| c.concat(s, &[&t[0], &t[1], &t[0]], 1)));
        cases.push(case("broadcast", x, |c, s, t| c.broadcast(s, &t[2], &[9, 70, 80])));
        cases.push(case("flip", x, |c, s, t| c.flip(s, &t[0], 0)));
        for padding in [Padding::Constant(1.0), Padding::Edge, Padding::Reflect, Padding::Wrap] {
            cases.push(case("pad", x, move |c, s, t| {
                c.pad(s, &t[0], &[(1, 2), (3, 4), (5, 6)], padding)
            }));
        }
        cases.push(case(
            "gather",
            &[(dtype, &[3, 70, 50]), (DType::I64, &[3, 90, 50])],
            |c, s, t| c.gather(s, &t[0], 1, &t[1]),
        ));
        cases.push(case(
            "index-select",
            &[(dtype, &[3, 70, 50]), (DType::I64, &[90])],
            |c, s, t| c.index_select(s, &t[0], 1, &t[1]),
        ));
        cases.push(case("full", &[], move |c, s, _| c.full(s, dtype, &[1000, 7], 0.5)));
        cases.push(case("arange", &[], move |c, s, _| c.arange(s, dtype, 0.5, 0.25, 7000)));
    }
    cases.push(case("normal", &[], |c, s, _| c.normal(s, &mut Generator::seeded(1), &[7001])));
    cases.push(case("uniform", &[], |c, s, _| c.uniform(s, &mut Generator::seeded(1), &[7001])));
    cases
}

/// Bytes that are small numbers in every type: indices must lie inside of every axis.
fn bytes(dtype: DType, count: usize) -> Vec<u8> {
    let value = |i: usize| (i * 7 % 4) as f32;
    match dtype {
        DType::F32 => (0..count).flat_map(|i| (value(i) * 0.25).to_le_bytes()).collect(),
        DType::F64 => (0..count).flat_map(|i| f64::from(value(i) * 0.25).to_le_bytes()).collect(),
        DType::F16 => {
            (0..count).flat_map(|i| half::f16::from_f32(value(i) * 0.25).to_le_bytes()).collect()
        }
        DType::BF16 => {
            (0..count).flat_map(|i| half::bf16::from_f32(value(i) * 0.25).to_le_bytes()).collect()
        }
        DType::I64 => (0..count).flat_map(|i| (value(i) as i64).to_le_bytes()).collect(),
        DType::U32 => (0..count).flat_map(|i| (value(i) as u32).to_le_bytes()).collect(),
        _ => (0..count).map(|i| 0x30 + value(i) as u8).collect(),
    }
}

fn contents(tensor: &Tensor) -> Vec<u8> {
    let mut bytes = vec![0; tensor.bytes() as usize];
    tensor.read(0, &mut bytes).unwrap();
    bytes
}

fn measure(case: &Case<'_>) {
    let limits = Limits { device: 1 << 30, host: 1 << 30 };
    let compute = Compute::new(limits, mode(OffloadModeName::None));
    let scope =
        Scope { account: compute.memory().account("test"), cancel: Cancel::new(), call: None };
    let inputs: Vec<Tensor> = case
        .inputs
        .iter()
        .map(|(dtype, shape)| {
            let bytes = bytes(*dtype, shape.iter().product());
            compute.from_bytes(&scope, *dtype, shape, bytes).unwrap()
        })
        .collect();
    let what = format!("{} of {inputs:?} on {} threads", case.name, rayon::current_num_threads());
    let run =
        || (case.run)(&compute, &scope, &inputs).unwrap_or_else(|error| panic!("{what}: {error}"));

    // The first run brings the inputs to the device, and shows what the operation declares.
    LEFTOVER.store(0, Ordering::Relaxed);
    let first = run();
    if inputs.iter().any(|input| input.handle().id() == first.handle().id()) {
        return;
    }
    let before = compute.memory().stats().tiers.device;
    let declared = before.peak - (before.used - first.handle().bytes());
    let expected = contents(&first);
    drop(first);

    // The second one allocates only what it declared, and what was there before does not show.
    LEFTOVER.store(0xff, Ordering::Relaxed);
    let live = LIVE.load(Ordering::Relaxed);
    PEAK.store(live, Ordering::Relaxed);
    let second = run();
    let allocated = PEAK.load(Ordering::Relaxed) - live;
    LEFTOVER.store(0, Ordering::Relaxed);
    assert!(
        allocated <= declared as usize + BOOKS,
        "{what}: {allocated} bytes, but {declared} are declared"
    );
    assert_eq!(contents(&second), expected, "{what}: part of the result is not written");
    if std::env::var_os("BERTH_SHOW").is_some() {
        println!("{allocated:>10} of {declared:>10}: {what}");
    }
}

#[test]
fn operations_allocate_what_they_declare_and_write_what_they_return() {
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let pool = Arc::new(pool);
        pool.install(|| {
            for case in cases() {
                measure(&case);
            }
        });
    }
}
