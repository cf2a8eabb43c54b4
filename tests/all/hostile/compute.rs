//! Cases 1 to 10: time, memory and the stack.

use std::time::{Duration, Instant};

use berth_hostile::Hostile;
use berth_sandbox::{RunLimits, SandboxError};

use super::{Arena, Case, Guest, Outcome};

/// A run that never ends.
pub struct SpinsInRun;

impl Case for SpinsInRun {
    const GUEST: Guest = Guest::Node(Hostile::Spin);

    fn provoke(arena: &Arena) -> Outcome {
        let limit = Duration::from_millis(200);
        let begin = Instant::now();
        let limits = RunLimits { run_time: Some(limit), ..RunLimits::default() };
        let error = arena.run(vec![], limits).unwrap_err();
        assert!(matches!(error, SandboxError::TimedOut { .. }), "{error:?}");
        assert!(begin.elapsed() < Duration::from_secs(5));
        Outcome::Refused(error)
    }
}
