//! Waiting on behalf of a guest, and no longer than its run lasts.
//!
//! An epoch ends a guest's own code, not a call into the host. So whatever may take time there
//! (a poll, a read of a silent socket, a full pipe, a disk that does not answer) is a future that
//! is dropped as soon as the run is cancelled or its time is over. What the system does not let
//! go of, such as a look-up of a name, goes on in a thread of its own and gives its result to nobody.

use std::future::Future;
use std::pin::pin;

use berth_memory::Cancel;
use wasmtime_wasi::runtime::in_tokio;

use crate::engine::TICK;
use crate::plugin::Stopped;

/// What the future gives, or the end of the run.
pub(super) fn wait<T>(
    cancel: &Cancel,
    future: impl Future<Output = T>,
) -> Result<T, wasmtime::Error> {
    in_tokio(async {
        let mut future = pin!(future);
        loop {
            if cancel.is_cancelled() {
                return Err(wasmtime::Error::from(Stopped));
            }
            tokio::select! {
                biased;
                done = &mut future => return Ok(done),
                () = tokio::time::sleep(TICK) => {}
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_wait_ends_with_the_run() {
        let begin = Instant::now();
        let late = Cancel::new().child_until(begin + Duration::from_millis(20));
        assert!(wait(&late, std::future::pending::<()>()).is_err());
        assert!(begin.elapsed() >= Duration::from_millis(20));
        assert_eq!(wait(&Cancel::new(), async { 1 }).unwrap(), 1);
    }
}
