//! Where the CPU device's bytes come from.
//!
//! A page that the process never touched costs more than a kernel takes to fill
//! it (first touch runs at about 2.5 GB/s), and a network asks for the same sizes
//! at every step. So blocks that are given back stay idle here, and are handed out
//! again by exact size. Idle blocks count towards the device's limit: live and
//! idle together never pass it, because idle ones are freed first.
//!
//! A block is always initialized memory: zeros when fresh, another operation's
//! leftovers when not. Kernels write every byte of what they return.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use smallvec::SmallVec;

/// The unit of storage; its alignment suits every element type.
type Unit = u128;

/// Blocks smaller than this are not kept: the allocator is as fast.
const SMALLEST_KEPT: usize = 4 << 10;

/// Idle blocks kept at most. Networks use a few dozen sizes; this bounds the
/// search through the list to well under a microsecond.
const MOST_KEPT: usize = 256;

/// Part of the limit that idle blocks may take: one in this many bytes. What is
/// idle is memory that the machine's other programs cannot have.
const IDLE_SHARE: usize = 4;

/// Hands out blocks. Clones share the blocks.
#[derive(Clone)]
pub(crate) struct Arena(Arc<Shared>);

struct Shared {
    limit: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    live: usize,
    idle: usize,
    /// The most that live and idle were together.
    peak: usize,
    /// The least recently used first.
    blocks: VecDeque<Box<[Unit]>>,
}

/// What an arena holds, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArenaUse {
    /// In blocks that are in use.
    pub live: u64,
    /// In blocks that wait to be used again.
    pub idle: u64,
    /// The most that both were together.
    pub peak: u64,
}

impl Arena {
    /// An arena that keeps idle blocks only while everything stays within `limit` bytes.
    pub(crate) fn new(limit: u64) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Self(Arc::new(Shared { limit, state: Mutex::default() }))
    }

    /// A block of at least `bytes` bytes, with anything in it. `None` when the
    /// system has no memory left.
    pub(crate) fn take(&self, bytes: usize) -> Option<Block> {
        let units = bytes.div_ceil(size_of::<Unit>());
        let size = units * size_of::<Unit>();
        let mut dropped: SmallVec<[Box<[Unit]>; 8]> = SmallVec::new();
        let found = {
            let mut state = self.0.state();
            let position = if size < SMALLEST_KEPT {
                None
            } else {
                state.blocks.iter().rposition(|block| block.len() == units)
            };
            let found = position.and_then(|index| state.blocks.remove(index));
            if found.is_some() {
                state.idle -= size;
            }
            state.live += size;
            while state.live + state.idle > self.0.limit
                && let Some(block) = state.blocks.pop_front()
            {
                state.idle -= size_of_val(&*block);
                dropped.push(block);
            }
            state.peak = state.peak.max(state.live + state.idle);
            found
        };
        drop(dropped);
        let data = match found {
            Some(data) => data,
            None => match bytemuck::allocation::try_zeroed_slice_box(units) {
                Ok(data) => data,
                Err(()) => {
                    self.0.state().live -= size;
                    return None;
                }
            },
        };
        Some(Block { data, bytes, home: Arc::clone(&self.0) })
    }

    pub(crate) fn usage(&self) -> ArenaUse {
        let state = self.0.state();
        ArenaUse { live: state.live as u64, idle: state.idle as u64, peak: state.peak as u64 }
    }

    /// Fills what is idle with bytes that are NaN in every float type, so that a
    /// kernel that reads what it did not write is found out.
    #[cfg(test)]
    pub(crate) fn poison(&self) {
        for block in &mut self.0.state().blocks {
            block.fill(Unit::MAX);
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // Every update is complete before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes of an arena, aligned for every element type. Dropping it gives them back.
pub struct Block {
    data: Box<[Unit]>,
    bytes: usize,
    home: Arc<Shared>,
}

impl Block {
    /// All bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        let all: &[u8] = bytemuck::cast_slice(&self.data);
        all.get(..self.bytes).unwrap_or(all)
    }

    /// All bytes, to be written.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        let bytes = self.bytes;
        let all: &mut [u8] = bytemuck::cast_slice_mut(&mut self.data);
        let end = bytes.min(all.len());
        all.get_mut(..end).unwrap_or_default()
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        let data = std::mem::take(&mut self.data);
        let size = size_of_val(&*data);
        let mut dropped: SmallVec<[Box<[Unit]>; 8]> = SmallVec::new();
        let mut state = self.home.state();
        state.live -= size;
        if size < SMALLEST_KEPT || size > self.home.limit / IDLE_SHARE {
            dropped.push(data);
        } else {
            state.idle += size;
            state.blocks.push_back(data);
            while (state.idle > self.home.limit / IDLE_SHARE || state.blocks.len() > MOST_KEPT)
                && let Some(block) = state.blocks.pop_front()
            {
                state.idle -= size_of_val(&*block);
                dropped.push(block);
            }
        }
        drop(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_given_back_is_handed_out_again_by_size() {
        let arena = Arena::new(1 << 20);
        let mut block = arena.take(10_000).unwrap();
        assert!(block.bytes().iter().all(|&byte| byte == 0));
        block.bytes_mut().fill(7);
        let address = block.bytes().as_ptr();
        drop(block);
        assert_eq!(arena.usage(), ArenaUse { live: 0, idle: 10_000, peak: 10_000 });
        let again = arena.take(10_000).unwrap();
        assert_eq!(again.bytes().as_ptr(), address);
        assert_eq!(arena.usage().idle, 0);
    }

    #[test]
    fn idle_blocks_leave_before_the_limit_is_passed() {
        let arena = Arena::new(400_000);
        let held: Vec<_> = (0..4).map(|_| arena.take(20_000).unwrap()).collect();
        drop(held);
        assert_eq!(arena.usage().idle, 80_000);
        let large = arena.take(380_000).unwrap();
        let now = arena.usage();
        assert_eq!(now.live, 380_000);
        assert!(now.live + now.idle <= 400_000 && now.peak <= 400_000);
        drop(large);
        assert_eq!(arena.usage().live, 0);
    }

    #[test]
    fn what_is_idle_stays_within_its_share() {
        let arena = Arena::new(400_000);
        let held: Vec<_> = (0..10).map(|_| arena.take(32_000).unwrap()).collect();
        drop(held);
        assert!(arena.usage().idle <= 100_000);
        drop(arena.take(200_000).unwrap());
        assert!(arena.usage().idle <= 100_000);
    }

    #[test]
    fn no_bytes_are_a_block_too() {
        let arena = Arena::new(0);
        let mut block = arena.take(0).unwrap();
        assert!(block.bytes().is_empty() && block.bytes_mut().is_empty());
    }
}
