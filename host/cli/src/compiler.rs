//! The compiler of plugins, a process of its own: this very program, started in another way.
//!
//! The program is found as the running one, not by its path, so that what compiles is of the same
//! build even where the file was replaced meanwhile.

use std::path::Path;
use std::process::ExitCode;

use berth_sandbox::{CompileLimits, Compiler, compile_child};

/// The argument that makes this program a compiler. People have no use for it, so no help
/// names it.
const COMMAND: &str = "compile-component";

/// Where Linux has the running program, whatever became of its file.
const RUNNING: &str = "/proc/self/exe";

/// Compiles a component, if that is what the program was started for. To be called first, since
/// the process limits itself before it does anything else.
pub(crate) fn serve() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    (arguments.next()? == COMMAND).then(|| compile_child(arguments))
}

/// How the host is to compile plugins.
pub(crate) fn compiler() -> Compiler {
    let running = Path::new(RUNNING);
    let program = match running.exists() {
        true => running.to_owned(),
        // A path that is empty starts nothing, and the error says so.
        false => std::env::current_exe().unwrap_or_default(),
    };
    Compiler::Child { program, arguments: vec![COMMAND.into()], limits: CompileLimits::default() }
}
