//! The crate as its users see it, over a device that counts what it holds.

mod admission;
mod failures;
mod fairness;
mod fake;
mod handles;
mod modes;
mod planned;
mod quotas;
mod reference;
mod schedules;
mod spilling;
mod threads;
