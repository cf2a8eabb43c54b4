//! Ghosts: buffers that have a size and no bytes, for a rehearsal.
//!
//! A rehearsal runs a whole workflow, guests and all, in the real memory under the real limits,
//! so what it needs is found by the code that will need it, and not by a model of that code.
//! What takes the time and the room is left out: a large weight is not read, and no
//! kernel is called for a result that is large or that depends on a ghost.
//!
//! Small tensors of small tensors are real. Guests read noise schedules, token ids and time steps
//! and act on them. Who reads a ghost reads zeros: a guest that decides by the pixels of a computed
//! image decides as if it were black, and an index that no kernel looked at is not refused.

/// The largest buffer that is real in a rehearsal, in bytes: what guests act on is smaller (a schedule
/// of 1,000 steps in `f64` takes 8 kB), and computing with it takes no time.
pub(crate) const LARGEST_REAL: u64 = 64 << 10;
