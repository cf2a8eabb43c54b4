//! The one lock of this crate, and the one thing that threads wait for.
//!
//! A memory is a monitor: all of its state is behind one lock, and whoever
//! cannot go on waits until something changed. That is enough, since nothing slow
//! happens under the lock, and it leaves no order of locks to get wrong. (The spill store
//! has two more for its own books; no other is taken under them.)
//!
//! Tests replace the monitor by one that [`shuttle`] schedules, so that the
//! interleavings of several threads can be searched (`src/tests/schedules.rs`).

use std::time::Duration;

/// How long a thread waits before it looks again whether it was cancelled.
/// Short enough that nobody notices, long enough to cost nothing.
pub(crate) const PATIENCE: Duration = Duration::from_millis(20);

#[cfg(not(test))]
pub(crate) use plain::{Guard, Monitor, is_explored};
#[cfg(test)]
pub(crate) use scheduled::{Guard, Monitor, is_explored};

mod plain {
    use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

    use super::PATIENCE;

    /// A value behind a lock, and a signal that it changed.
    pub(crate) struct Monitor<T> {
        value: Mutex<T>,
        changed: Condvar,
    }

    /// Whether a scheduler runs the threads: never outside of tests.
    #[cfg(not(test))]
    pub(crate) fn is_explored() -> bool {
        false
    }

    /// The lock, held.
    pub(crate) type Guard<'a, T> = MutexGuard<'a, T>;

    impl<T> Monitor<T> {
        pub(crate) fn new(value: T) -> Self {
            Self { value: Mutex::new(value), changed: Condvar::new() }
        }

        /// Takes the lock. A thread that panicked with it held does not take the
        /// others down: what could panic (devices, sources) runs without the lock.
        pub(crate) fn lock(&self) -> Guard<'_, T> {
            self.value.lock().unwrap_or_else(PoisonError::into_inner)
        }

        /// Gives the lock back until something changed, or [`PATIENCE`] passed.
        pub(crate) fn wait<'a>(&'a self, guard: Guard<'a, T>) -> Guard<'a, T> {
            self.changed.wait_timeout(guard, PATIENCE).unwrap_or_else(PoisonError::into_inner).0
        }

        /// Wakes everyone who waits.
        pub(crate) fn notify(&self) {
            self.changed.notify_all();
        }
    }
}

#[cfg(test)]
pub(crate) mod scheduled {
    use std::cell::Cell;
    use std::ops::{Deref, DerefMut};
    use std::sync::PoisonError;

    use super::plain;

    thread_local! {
        static SCHEDULED: Cell<bool> = const { Cell::new(false) };
    }

    /// Whether a scheduler runs the threads.
    pub(crate) fn is_explored() -> bool {
        SCHEDULED.get()
    }

    /// Runs `threads` under many schedules: monitors made within are shuttle's.
    pub(crate) fn explore(schedules: usize, threads: impl Fn() + Send + Sync + 'static) {
        SCHEDULED.set(true);
        shuttle::check_random(threads, schedules);
        SCHEDULED.set(false);
    }

    pub(crate) struct Scheduled<T> {
        value: shuttle::sync::Mutex<T>,
        changed: shuttle::sync::Condvar,
    }

    /// The plain monitor, or shuttle's inside of [`explore`].
    pub(crate) enum Monitor<T> {
        Plain(plain::Monitor<T>),
        Scheduled(Box<Scheduled<T>>),
    }

    pub(crate) enum Guard<'a, T> {
        Plain(plain::Guard<'a, T>),
        Scheduled(shuttle::sync::MutexGuard<'a, T>),
    }

    impl<T> Monitor<T> {
        pub(crate) fn new(value: T) -> Self {
            if SCHEDULED.get() {
                Self::Scheduled(Box::new(Scheduled {
                    value: shuttle::sync::Mutex::new(value),
                    changed: shuttle::sync::Condvar::new(),
                }))
            } else {
                Self::Plain(plain::Monitor::new(value))
            }
        }

        pub(crate) fn lock(&self) -> Guard<'_, T> {
            match self {
                Self::Plain(monitor) => Guard::Plain(monitor.lock()),
                Self::Scheduled(monitor) => {
                    Guard::Scheduled(monitor.value.lock().unwrap_or_else(PoisonError::into_inner))
                }
            }
        }

        /// Shuttle's wait has no timeout: a wake-up that is missing is found as a deadlock.
        pub(crate) fn wait<'a>(&'a self, guard: Guard<'a, T>) -> Guard<'a, T> {
            match (self, guard) {
                (Self::Plain(monitor), Guard::Plain(guard)) => Guard::Plain(monitor.wait(guard)),
                (Self::Scheduled(monitor), Guard::Scheduled(guard)) => Guard::Scheduled(
                    monitor.changed.wait(guard).unwrap_or_else(PoisonError::into_inner),
                ),
                _ => panic!("a guard of another monitor"),
            }
        }

        pub(crate) fn notify(&self) {
            match self {
                Self::Plain(monitor) => monitor.notify(),
                Self::Scheduled(monitor) => monitor.changed.notify_all(),
            }
        }
    }

    impl<T> Deref for Guard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            match self {
                Self::Plain(guard) => guard,
                Self::Scheduled(guard) => guard,
            }
        }
    }

    impl<T> DerefMut for Guard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            match self {
                Self::Plain(guard) => guard,
                Self::Scheduled(guard) => guard,
            }
        }
    }
}
