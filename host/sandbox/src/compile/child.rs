//! The compiler as a process of its own: it limits itself, reads a component, answers, and ends.
//!
//! The limits are the kernel's, so that no defect of the compiler gets around them. Before
//! the first byte of a component is read, the process can write no file, open almost none, and
//! take neither more memory nor more of a processor than its task says.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::process::ExitCode;
use std::time::Duration;

#[cfg(target_os = "linux")]
use rustix::process::Signal;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use wasmtime::Engine;

use super::{CompileLimits, LARGEST_CODE, LARGEST_COMPONENT, answer};
use crate::engine;

/// How the process ends when it could not get memory and was able to say so.
pub(super) const OUT_OF_MEMORY: u8 = 12;

/// Files that the process may have open: its three pipes, and those that the runtime looks at
/// when it counts processors.
const FILES: u64 = 16;

/// Address space beside the memory that is written to: the program itself, and what allocator and
/// threads set aside.
const UNWRITTEN: u64 = 2 << 30;

/// What the process is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Task {
    pub(super) limits: CompileLimits,
    /// Whether the code is for a host that reserves address space for memories.
    pub(super) pooling: bool,
}

const POOLING: &str = "pooling";
const ON_DEMAND: &str = "on-demand";

impl Task {
    /// The task as arguments: milliseconds, bytes, and how memories are made.
    pub(super) fn arguments(self) -> [String; 3] {
        let CompileLimits { time, memory } = self.limits;
        let memories = if self.pooling { POOLING } else { ON_DEMAND };
        [time.as_millis().to_string(), memory.to_string(), memories.into()]
    }

    fn read<S: AsRef<OsStr>>(arguments: &[S]) -> Option<Self> {
        let [time, memory, memories] = arguments else { return None };
        let number = |text: &S| text.as_ref().to_str()?.parse().ok();
        let limits =
            CompileLimits { time: Duration::from_millis(number(time)?), memory: number(memory)? };
        let pooling = match memories.as_ref().to_str()? {
            POOLING => true,
            ON_DEMAND => false,
            _ => return None,
        };
        Some(Self { limits, pooling })
    }
}

/// What a program does that was named in [`Compiler::Child`](super::Compiler::Child): it compiles the
/// component on its standard input to its standard output. To be called first thing in `main`, with
/// the arguments that follow the program's own.
pub fn compile_child(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let Some(task) = Task::read(&arguments) else {
        eprintln!("only a host starts this, with a task");
        return ExitCode::FAILURE;
    };
    match limit(task.limits).map_err(wasmtime::Error::from).and_then(|()| serve(task)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            if is_memory(&error) { OUT_OF_MEMORY.into() } else { ExitCode::FAILURE }
        }
    }
}

/// Gives up what compiling does not need, for good.
fn limit(limits: CompileLimits) -> io::Result<()> {
    // Who waits for the answer is gone when its process is.
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // Where the whole machine runs out, this goes before the host does. A wish, no more.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    let seconds = limits.time.as_secs().saturating_add(1);
    for (resource, bound) in [
        (Resource::Data, limits.memory),
        (Resource::As, limits.memory.saturating_add(UNWRITTEN)),
        (Resource::Core, 0),
        (Resource::Fsize, 0),
        (Resource::Nofile, FILES),
        (Resource::Cpu, seconds),
    ] {
        let most = getrlimit(resource).maximum.unwrap_or(u64::MAX);
        let (current, maximum) = match resource {
            // At the maximum comes SIGKILL, which says less than SIGXCPU.
            Resource::Cpu => (bound.min(most.saturating_sub(1)), bound.saturating_add(1).min(most)),
            _ => (bound.min(most), bound.min(most)),
        };
        let limit = Rlimit { current: Some(current), maximum: Some(maximum) };
        setrlimit(resource, limit)?;
    }
    Ok(())
}

fn serve(task: Task) -> wasmtime::Result<()> {
    let engine = Engine::new(&engine::code_config(task.pooling))?;
    let mut component = Vec::new();
    io::stdin().lock().take(LARGEST_COMPONENT).read_to_end(&mut component)?;
    let out = &mut io::stdout().lock();
    match engine.precompile_component(&component) {
        Ok(code) if code.len() as u64 > LARGEST_CODE => {
            let size = code.len();
            answer::write(out, Err(&format!("it becomes {size} bytes of machine code")))?;
        }
        Ok(code) => answer::write(out, Ok(&code))?,
        Err(error) if is_memory(&error) => return Err(error),
        Err(error) => answer::write(out, Err(&format!("{error:#}")))?,
    }
    Ok(())
}

fn is_memory(error: &wasmtime::Error) -> bool {
    let system = |error: &io::Error| error.kind() == io::ErrorKind::OutOfMemory;
    error.is::<wasmtime::OutOfMemory>()
        || error.chain().any(|cause| cause.downcast_ref::<io::Error>().is_some_and(system))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_read_as_it_was_given_and_nothing_else_is_one() {
        let limits = CompileLimits { time: Duration::from_millis(2500), memory: 1 << 33 };
        for pooling in [true, false] {
            let task = Task { limits, pooling };
            assert_eq!(Task::read(&task.arguments()), Some(task));
        }
        for odd in [&[][..], &["1", "2"], &["1", "x", POOLING], &["1", "2", "3"]] {
            assert_eq!(Task::read(odd), None, "{odd:?}");
        }
    }
}
