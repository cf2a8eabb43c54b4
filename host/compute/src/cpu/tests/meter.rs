//! A workspace is a true upper bound: an allocator that counts what the threads of one
//! pool hold, beside whatever other tests do.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicI64, Ordering};

use super::{Random, Stored};
use crate::cpu::attention::{Attention, attention};
use crate::cpu::conv::{Conv2d, conv_transpose2d, conv2d};
use crate::cpu::gemm::{linear, linear_workspace, matmul, matmul_workspace};
use crate::cpu::interpolate::{interpolate, interpolate_workspace};
use crate::cpu::norm::group_norm;
use crate::function::Sampling;

/// What one pool's threads hold, and the most that they held.
#[derive(Default)]
struct Meter {
    held: AtomicI64,
    peak: AtomicI64,
}

thread_local! {
    static METER: Cell<Option<&'static Meter>> = const { Cell::new(None) };
}

struct Counting;

impl Counting {
    fn count(bytes: i64) {
        // A thread that ends has no meter any more.
        if let Ok(Some(meter)) = METER.try_with(Cell::get) {
            let held = meter.held.fetch_add(bytes, Ordering::Relaxed) + bytes;
            meter.peak.fetch_max(held, Ordering::Relaxed);
        }
    }
}

// SAFETY: it passes everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::count(layout.size() as i64);
        // SAFETY: as the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Self::count(layout.size() as i64);
        // SAFETY: as the caller's.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        Self::count(-(layout.size() as i64));
        // SAFETY: as the caller's.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// What the thread pool itself may allocate during a kernel, for its queues.
const QUEUES: i64 = 16 << 10;

/// Runs a kernel on 1 and on 3 threads and compares what it held with its workspace.
#[track_caller]
fn assert_bounded(what: &str, workspace: impl Fn() -> u64 + Sync, kernel: impl Fn() + Sync) {
    for threads in [1, 3] {
        let meter: &'static Meter = Box::leak(Box::default());
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .start_handler(|_| METER.set(Some(meter)))
            .build()
            .unwrap();
        pool.install(|| {
            // The first run may let the pool and the runtime set themselves up.
            kernel();
            let before = meter.held.load(Ordering::Relaxed);
            meter.peak.store(before, Ordering::Relaxed);
            kernel();
            let peak = meter.peak.load(Ordering::Relaxed) - before;
            let bound = workspace() as i64;
            assert!(peak <= bound + QUEUES, "{what} on {threads} threads: {peak} > {bound}");
            assert!(
                bound <= 2 * peak + QUEUES || threads > 1,
                "{what}: {bound} for {peak} is loose"
            );
        });
    }
}

#[test]
fn matrix_products_stay_within_their_workspace() {
    let mut random = Random(1);
    for (rows, width, out_width) in [(3, 300, 200), (9, 40, 33), (300, 500, 700)] {
        let x = random.floats(rows * width);
        let weight = Stored::new(random.floats(width * out_width), 1);
        assert_bounded(
            "linear",
            || linear_workspace(rows, width, out_width),
            || {
                let mut out = [0.0; 300 * 700];
                let out = &mut out[..rows * out_width];
                linear(&x, rows, width, weight.floats(), None, out_width, out);
            },
        );
        let b = random.floats(width * out_width);
        assert_bounded(
            "matmul",
            || matmul_workspace(1, rows, width, out_width),
            || {
                let mut out = [0.0; 300 * 700];
                let out = &mut out[..rows * out_width];
                matmul(&x, &b, &[(0, 0)], rows, width, out_width, out);
            },
        );
    }
}

#[test]
fn convolutions_stay_within_their_workspace() {
    let mut random = Random(2);
    for (batch, channels, size, stride, padding) in
        [(2, 64, 8, 1, 1), (1, 40, 37, 2, 3), (3, 7, 5, 1, 0), (1, 20, 300, 1, 1)]
    {
        let out_size = (size + 2 * padding - 3) / stride + 1;
        let back_size = (size - 1) * stride + 3 - 2 * padding.min(1);
        let conv = Conv2d {
            batch,
            channels,
            height: 8,
            width: size,
            out_channels: 24,
            out_height: (8 + 2 * padding - 3) / stride + 1,
            out_width: out_size,
            kernel: (3, 3),
            stride: (stride, stride),
            padding: (padding, padding),
            dilation: (1, 1),
            groups: 1,
        };
        let x = random.floats(batch * channels * 8 * size);
        let weight = Stored::new(random.floats(24 * channels * 9), 2);
        let len = batch * 24 * conv.out_height * conv.out_width;
        let out = std::sync::Mutex::new(vec![0.0; len]);
        assert_bounded(
            "conv2d",
            || conv.workspace(),
            || conv2d(&conv, &x, weight.floats(), None, &mut out.lock().unwrap()),
        );
        let back = Conv2d {
            out_height: 7 * stride + 3 - 2 * padding.min(1),
            out_width: back_size,
            padding: (padding.min(1), padding.min(1)),
            ..conv
        };
        let len = batch * 24 * back.out_height * back.out_width;
        let out = std::sync::Mutex::new(vec![0.0; len]);
        assert_bounded(
            "conv_transpose2d",
            || back.transpose_workspace(),
            || conv_transpose2d(&back, &x, weight.floats(), None, &mut out.lock().unwrap()),
        );
    }
}

#[test]
fn attention_stays_within_its_workspace() {
    let mut random = Random(3);
    for (queries, keys, head_dim, value_dim) in
        [(64, 64, 16, 16), (700, 333, 40, 50), (5, 1, 300, 3)]
    {
        let shape = Attention {
            batch: 1,
            heads: 2,
            queries,
            keys,
            head_dim,
            value_dim,
            causal: false,
            scale: 0.1,
            mask: None,
        };
        let q = random.floats(queries * 2 * head_dim);
        let k = random.floats(keys * 2 * head_dim);
        let v = random.floats(keys * 2 * value_dim);
        let out = std::sync::Mutex::new(vec![0.0; queries * 2 * value_dim]);
        assert_bounded(
            "attention",
            || shape.workspace(),
            || attention(&shape, &q, &k, &v, &mut out.lock().unwrap()),
        );
    }
}

#[test]
fn resizing_stays_within_its_workspace_and_norms_allocate_nothing() {
    let mut random = Random(4);
    let x = random.floats(6 * 50 * 40);
    let out = std::sync::Mutex::new(vec![0.0; 6 * 90 * 90]);
    for sampling in [
        Sampling::Nearest,
        Sampling::Bilinear,
        Sampling::Bicubic,
        Sampling::Area,
        Sampling::Lanczos,
    ] {
        for (oh, ow) in [(90, 90), (7, 11), (50, 40)] {
            assert_bounded(
                "interpolate",
                || interpolate_workspace(sampling, 6, (50, 40), (oh, ow)),
                || {
                    let mut out = out.lock().unwrap();
                    interpolate(sampling, &x, 6, (50, 40), (oh, ow), &mut out[..6 * oh * ow]);
                },
            );
        }
    }
    assert_bounded(
        "group_norm",
        || 0,
        || {
            let mut out = out.lock().unwrap();
            group_norm(&x, 1, 6, 2000, 3, None, None, 1e-5, &mut out[..12_000]);
        },
    );
}
