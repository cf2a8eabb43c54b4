//! The host's side of a compiler that is a process of its own.
//!
//! The host waits for an answer and never longer than the limit. Whatever comes, the process is killed
//! and waited for before anything else happens, so that none is left behind; what it says is
//! read up to a bound. A death without an answer is told apart by how it died.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::num::NonZero;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;

use rustix::process::Signal;

use super::child::{OUT_OF_MEMORY, Task};
use super::{Fault, answer};

/// Threads that compile at a time: more gain little, and each has a stack and a heap.
const THREADS: usize = 8;

/// Most that is read of what a failing compiler says, in bytes.
const WORDS: u64 = 4096;

/// What Rust's runtime says before it aborts for want of memory.
const NO_MEMORY: &str = "memory allocation of";

/// Machine code of a component.
pub(super) fn compile(
    program: &Path,
    arguments: &[OsString],
    task: Task,
    component: &[u8],
) -> Result<Vec<u8>, Fault> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(THREADS);
    let child = Command::new(program)
        .args(arguments)
        .args(task.arguments())
        .env_clear()
        .env("RAYON_NUM_THREADS", threads.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let failed = |what: &str, error: io::Error| Fault::Failed(format!("{what}: {error}"));
    let mut child = Running(child.map_err(|error| failed("the compiler does not start", error))?);
    let pipes = (child.0.stdin.take(), child.0.stdout.take(), child.0.stderr.take());
    let (Some(mut stdin), Some(mut stdout), Some(stderr)) = pipes else {
        return Err(Fault::Failed("the compiler has no pipes".into()));
    };
    thread::scope(|scope| {
        let mut child = child;
        let helper = || thread::Builder::new().name("berth-compile".into());
        let (heard, answer) = mpsc::sync_channel(1);
        let helpers = (|| {
            // A compiler that dies takes no more; its end says why.
            helper().spawn_scoped(scope, move || drop(stdin.write_all(component)))?;
            helper().spawn_scoped(scope, move || heard.send(answer::read(&mut stdout)))?;
            helper().spawn_scoped(scope, move || words(stderr))
        })();
        let words = match helpers {
            Ok(words) => words,
            Err(error) => return Err(failed("no thread for the compiler", error)),
        };
        let answer = answer.recv_timeout(task.limits.time);
        let ended = child.end();
        let words = words.join().unwrap_or_default();
        match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => match ended {
                Ok(status) => Err(cause(status, &words)),
                Err(error) => Err(failed("the compiler's end is unknown", error)),
            },
            Ok(Err(error)) => Err(failed("the compiler's answer is no use", error)),
            Err(_) => Err(Fault::TimedOut),
        }
    })
}

/// A process that is killed and waited for, on every way out.
struct Running(Child);

impl Running {
    /// Ends it. One that ended by itself keeps its own end.
    fn end(&mut self) -> io::Result<ExitStatus> {
        // An error means that it has ended.
        let _ = self.0.kill();
        self.0.wait()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// What it said last.
fn words(mut stderr: ChildStderr) -> String {
    let mut words = Vec::new();
    let _ = stderr.by_ref().take(WORDS).read_to_end(&mut words);
    String::from_utf8_lossy(&words).into_owned()
}

/// Why a compiler ended without an answer.
fn cause(status: ExitStatus, words: &str) -> Fault {
    let signal = |signal: Signal| status.signal() == Some(signal.as_raw());
    if signal(Signal::XCPU) {
        return Fault::TimedOut;
    }
    // Nobody but the kernel kills it before its end, when the machine's memory is used up.
    if signal(Signal::KILL)
        || status.code() == Some(OUT_OF_MEMORY.into())
        || signal(Signal::ABORT) && words.contains(NO_MEMORY)
    {
        return Fault::Memory;
    }
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let said = if words.is_empty() { String::new() } else { format!(": {words}") };
    Fault::Failed(format!("the compiler ended with {status}{}", crate::text::line(&said)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::CompileLimits;
    use std::time::{Duration, Instant};

    fn with(script: &str, component: &[u8]) -> Result<Vec<u8>, Fault> {
        let limits = CompileLimits { time: Duration::from_millis(500), memory: 1 << 30 };
        let arguments = ["-c".into(), script.into()];
        compile(Path::new("/bin/sh"), &arguments, Task { limits, pooling: true }, component)
    }

    #[test]
    fn a_compiler_that_never_answers_is_killed_in_time() {
        let begin = Instant::now();
        for script in ["while :; do :; done", "exec 0<&- ; while :; do :; done"] {
            assert_eq!(with(script, &[7; 1 << 20]), Err(Fault::TimedOut));
        }
        assert!(begin.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_flood_instead_of_an_answer_is_no_code() {
        for script in ["while :; do echo flood; done", "while :; do echo flood >&2; done"] {
            assert!(with(script, b"").is_err(), "{script}");
        }
    }

    #[test]
    fn ends_are_told_apart() {
        assert_eq!(with("kill -XCPU $$", b""), Err(Fault::TimedOut));
        assert_eq!(with("exit 12", b""), Err(Fault::Memory));
        let abort = "echo memory allocation of 5 bytes failed >&2; kill -ABRT $$";
        assert_eq!(with(abort, b""), Err(Fault::Memory));
        let Err(Fault::Failed(reason)) = with("printf 'a\\033[2Jb' >&2; exit 3", b"") else {
            panic!("a failure");
        };
        assert!(reason.contains("a\\u{1b}[2Jb") && reason.contains('3'), "{reason}");
        assert!(matches!(with("printf code", b""), Err(Fault::Failed(_))));
    }

    #[test]
    fn a_compiler_that_is_not_there_is_an_error() {
        let limits = CompileLimits::default();
        let nowhere = Path::new("/nonexistent/compiler");
        let made = compile(nowhere, &[], Task { limits, pooling: true }, b"");
        assert!(matches!(made, Err(Fault::Failed(_))), "{made:?}");
    }
}
