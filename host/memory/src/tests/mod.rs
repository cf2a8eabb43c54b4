//! The crate as its users see it, over a device that counts what it holds.

mod admission;
mod failures;
mod fake;
mod handles;
mod modes;
mod quotas;
mod reference;
mod schedules;
mod threads;
