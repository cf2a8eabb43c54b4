//! The compiler of the hosts under test, as a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    berth_sandbox::compile_child(std::env::args_os().skip(1))
}
