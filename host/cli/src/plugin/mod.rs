//! What people who write or install plugins call: one command to a file.

pub(crate) mod build;
pub(crate) mod check;
pub(crate) mod install;
pub(crate) mod new;
pub(crate) mod one;
pub(crate) mod pack;
pub(crate) mod publish;
pub(crate) mod test;
pub(crate) mod watch;
