//! From a component's bytes to machine code, within bounds.
//!
//! How much work it is to compile a component, its author decides: a few megabytes can take minutes
//! and gigabytes, and a defect in the compiler can end its process. None of that may happen to the
//! host. So the compiler can be a process of its own, which limits itself before it reads
//! a byte and is killed when it takes too long. What it makes is machine code, which the host runs
//! as its own: it comes from the host's own program alone, through a pipe or from a private
//! directory, and a digest says that it is whole. From a plugin's author it is never taken.

mod answer;
mod bytes;
mod cache;
mod child;
mod process;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use wasmtime::component::Component;

use crate::engine::Sandbox;
use crate::error::SandboxError;

pub(crate) use bytes::check_bytes;
pub use child::compile_child;

/// Largest component, in bytes. The largest language runtime that was seen (Python)
/// takes 18 MB.
pub const LARGEST_COMPONENT: u64 = 64 << 20;

/// Most machine code of one component, in bytes: eight times the largest component, where four times
/// was seen.
const LARGEST_CODE: u64 = 512 << 20;

/// Where components are compiled.
#[derive(Debug, Clone, Default)]
pub enum Compiler {
    /// In the process of the host, without limits: for plugins that the host's author knows.
    #[default]
    InProcess,
    /// In a process of its own.
    Child {
        /// A program that calls [`compile_child`]; an absolute path. It has to be of the same
        /// build as the host: what it gives is run.
        program: PathBuf,
        /// The arguments that bring it to do so. Those of the task come after them.
        arguments: Vec<OsString>,
        /// What it may take.
        limits: CompileLimits,
    },
}

/// What compiling one component may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompileLimits {
    /// By the clock, and of all processors together.
    pub time: Duration,
    /// Bytes that the compiler can write to: heap and stacks.
    pub memory: u64,
}

impl Default for CompileLimits {
    /// A minute and 4 GiB: the largest language runtime that was seen takes 9 s of a processor
    /// and less than a gigabyte.
    fn default() -> Self {
        Self { time: Duration::from_secs(60), memory: 4 << 30 }
    }
}

/// Why there is no machine code.
#[derive(Debug, PartialEq, Eq)]
enum Fault {
    /// The compiler refuses the component.
    Refused(String),
    /// It was not done in time.
    TimedOut,
    /// It needed more memory than it had.
    Memory,
    /// The compiler itself failed.
    Failed(String),
}

impl Sandbox {
    /// Compiles a component, or takes what was made of it before.
    ///
    /// A cache that cannot be read or written costs time, never a run.
    pub(crate) fn compile(&self, plugin: &str, bytes: &[u8]) -> Result<Component, SandboxError> {
        let cache = self.settings().compiled_cache.as_deref().and_then(|folder| {
            let uncached = |error: &std::io::Error| {
                tracing::warn!(path = %folder.display(), %error, "compiled code is not cached");
            };
            cache::Cache::open(folder).inspect_err(uncached).ok()
        });
        let key = cache::Key::new(&self.engine, bytes);
        if let Some(code) = cache.as_ref().and_then(|cache| cache.read(&key)) {
            match self.accept(&code) {
                Ok(component) => return Ok(component),
                Err(error) => tracing::warn!(plugin, %error, "a cache entry does not fit"),
            }
        }
        let code = self.code(bytes).map_err(|fault| self.explain(plugin, fault))?;
        // The code is as it was made: what does not fit is what no run may have.
        let component = self.accept(&code).map_err(|error| {
            let reason = format!("it asks for more than a run may have: {error:#}");
            self.explain(plugin, Fault::Refused(reason))
        })?;
        if let Some(Err(error)) = cache.map(|cache| cache.write(&key, &code)) {
            tracing::warn!(plugin, %error, "compiled code is not cached");
        }
        Ok(component)
    }

    fn code(&self, component: &[u8]) -> Result<Vec<u8>, Fault> {
        match &self.settings().compiler {
            Compiler::InProcess => self
                .engine
                .precompile_component(component)
                .map_err(|error| Fault::Refused(format!("{error:#}"))),
            Compiler::Child { program, arguments, limits } => {
                let task = child::Task { limits: *limits, pooling: self.pooling };
                process::compile(program, arguments, task, component)
            }
        }
    }

    fn accept(&self, code: &[u8]) -> wasmtime::Result<Component> {
        // SAFETY: the code was made by `Engine::precompile_component` of this very build, whose
        // version and settings the engine compares. It came from this process, from the
        // program that the embedder vouches for, or from a directory that only this user can
        // write to; in the latter two, a digest says that it is what was sent or written.
        unsafe { Component::deserialize(&self.engine, code) }
    }

    fn explain(&self, plugin: &str, fault: Fault) -> SandboxError {
        let plugin = plugin.to_owned();
        let limits = match self.settings().compiler {
            Compiler::InProcess => CompileLimits::default(),
            Compiler::Child { limits, .. } => limits,
        };
        match fault {
            Fault::Refused(reason) => {
                SandboxError::NotAComponent { plugin, reason: crate::text::line(&reason) }
            }
            Fault::TimedOut => SandboxError::CompileTimedOut { plugin, limit: limits.time },
            Fault::Memory => SandboxError::CompileMemory { plugin, limit: limits.memory },
            Fault::Failed(reason) => SandboxError::CompileFailed { plugin, reason },
        }
    }
}
