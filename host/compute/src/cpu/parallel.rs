//! Dividing a kernel's work between threads.
//!
//! A kernel cuts its output into tasks; workers take the next task until none is
//! left, so a thread that is slowed down by other programs delays little. Each worker
//! makes its workspace once. Which worker computes a task changes no bit of it.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicUsize, Ordering};

use berth_memory::Cancel;
use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};
use rayon::slice::{ParallelSlice, ParallelSliceMut};

/// Work below this many nanoseconds of one core stays on the calling thread: to wake
/// another and to wait for it takes about a third of it.
const WORTH_WAKING: u64 = 120_000;

/// How many workers a kernel of `tasks` tasks and `cost` nanoseconds of one core gets.
pub(super) fn workers(tasks: usize, cost: u64) -> usize {
    if cost < WORTH_WAKING { 1 } else { rayon::current_num_threads().clamp(1, tasks.max(1)) }
}

/// How many tasks a kernel of that cost should have at least, so that one slow worker does
/// not hold up the rest: one when there is nothing to divide.
pub(super) fn tasks_wanted(cost: u64) -> usize {
    match workers(usize::MAX, cost) {
        1 => 1,
        workers => 2 * workers,
    }
}

thread_local! {
    /// What stops the kernels that this thread calls.
    static CANCEL: RefCell<Option<Cancel>> = const { RefCell::new(None) };
}

/// Runs `work`, whose kernels stop between two of their tasks once `cancel` is cancelled. What
/// they wrote is then incomplete: the caller looks at `cancel` before it uses any of it.
///
/// The token travels beside the kernels' arguments, not among them: kernels stay functions
/// over slices, and each gets this without a line of its own.
pub(crate) fn cancellable<T>(cancel: &Cancel, work: impl FnOnce() -> T) -> T {
    let outer = CANCEL.replace(Some(cancel.clone()));
    let result = work();
    CANCEL.replace(outer);
    result
}

/// Whether the work at hand was cancelled: a loop that is not divided into tasks asks between
/// two of its steps.
pub(crate) fn is_cancelled() -> bool {
    stopped()()
}

/// The same question for the workers that this thread's work is divided among.
fn stopped() -> impl Fn() -> bool + Sync {
    let cancel = CANCEL.with_borrow(Clone::clone);
    move || cancel.as_ref().is_some_and(Cancel::is_cancelled)
}

/// Runs `work` for every task, with a workspace that its worker made.
pub(super) fn for_each_task<W>(
    tasks: usize,
    cost: u64,
    workspace: impl Fn() -> W + Sync,
    work: impl Fn(&mut W, usize) + Sync,
) {
    let next = AtomicUsize::new(0);
    let stopped = stopped();
    let worker = |_| {
        let mut task = next.fetch_add(1, Ordering::Relaxed);
        if task >= tasks {
            return;
        }
        let mut workspace = workspace();
        while task < tasks && !stopped() {
            work(&mut workspace, task);
            task = next.fetch_add(1, Ordering::Relaxed);
        }
    };
    match workers(tasks, cost) {
        1 => worker(0),
        workers => (0..workers).into_par_iter().with_max_len(1).for_each(worker),
    }
}

/// Elements of a memory-bound kernel that a task takes at least: half a second-level cache.
const TASK_ELEMENTS: usize = 32 << 10;

/// Runs `work` for every chunk of `x` and the same one of `out`. For kernels that do about
/// one nanosecond's work for each two elements.
pub(super) fn for_each_chunk(
    x: &[f32],
    out: &mut [f32],
    size: usize,
    work: impl Fn(usize, &[f32], &mut [f32]) + Sync,
) {
    if size == 0 {
        return;
    }
    let stopped = stopped();
    let work = |index: usize, x: &[f32], out: &mut [f32]| {
        if !stopped() {
            work(index, x, out);
        }
    };
    let chunks = TASK_ELEMENTS.div_ceil(size);
    if workers(usize::MAX, out.len() as u64 / 2) == 1 {
        for (index, (x, out)) in x.chunks(size).zip(out.chunks_mut(size)).enumerate() {
            work(index, x, out);
        }
    } else {
        x.par_chunks(size)
            .zip(out.par_chunks_mut(size))
            .enumerate()
            .with_min_len(chunks)
            .for_each(|(index, (x, out))| work(index, x, out));
    }
}

/// Elements of whole rows, about 16 KiB: enough that calling a kernel costs little.
pub(super) fn chunk_of_rows(width: usize) -> usize {
    (4096 / width.max(1)).max(1) * width
}

/// The part of `total` that part `index` of `parts` has: (start, end).
pub(super) fn part(total: usize, parts: usize, index: usize) -> (usize, usize) {
    let size = total.div_ceil(parts.max(1));
    ((index * size).min(total), ((index + 1) * size).min(total))
}

/// An output that several workers write, each its own elements. The elements of one
/// task need not lie together: a task of a convolution has some columns of many rows.
pub(super) struct Output<'a> {
    start: *mut f32,
    len: usize,
    owner: PhantomData<&'a mut [f32]>,
}

// SAFETY: it gives out no access by itself; `slice` asks its caller for disjointness.
unsafe impl Sync for Output<'_> {}

impl<'a> Output<'a> {
    pub(super) fn new(out: &'a mut [f32]) -> Self {
        Self { start: out.as_mut_ptr(), len: out.len(), owner: PhantomData }
    }

    /// Elements `start..start + len`.
    ///
    /// # Safety
    /// While the slice lives, no other slice of this output that shares an element with
    /// it may live, on any thread.
    #[inline(always)]
    #[expect(clippy::mut_from_ref, reason = "the caller keeps the slices disjoint")]
    pub(super) unsafe fn slice(&self, start: usize, len: usize) -> &mut [f32] {
        assert!(start <= self.len && len <= self.len - start, "a task stays inside its output");
        // SAFETY: the range lies in the slice that `new` was given, which is borrowed for
        // as long as `self` lives; the caller excludes aliases.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(start), len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_stops_between_its_tasks_when_it_is_cancelled() {
        let cancel = Cancel::new();
        let done = AtomicUsize::new(0);
        let kernel = || {
            for_each_task(
                1000,
                0,
                || (),
                |(), task| {
                    done.fetch_add(1, Ordering::Relaxed);
                    if task == 10 {
                        cancel.cancel();
                    }
                },
            );
        };
        cancellable(&cancel, kernel);
        assert_eq!(done.load(Ordering::Relaxed), 11);
        kernel();
        assert_eq!(done.load(Ordering::Relaxed), 1011, "outside, nothing stops it");
    }

    #[test]
    fn every_task_runs_once_on_any_number_of_threads() {
        for threads in [1, 2, 5] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let counts: Vec<AtomicUsize> = (0..97).map(|_| AtomicUsize::new(0)).collect();
            pool.install(|| {
                for_each_task(
                    97,
                    u64::MAX,
                    || (),
                    |(), task| {
                        counts[task].fetch_add(1, Ordering::Relaxed);
                    },
                );
            });
            assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == 1));
        }
    }

    #[test]
    fn parts_cover_the_whole_without_overlap() {
        for (total, parts) in [(10, 3), (3, 10), (0, 4), (256, 4)] {
            let mut end = 0;
            for index in 0..parts {
                let (from, to) = part(total, parts, index);
                assert_eq!(from, end);
                end = to;
            }
            assert_eq!(end, total);
        }
    }
}
