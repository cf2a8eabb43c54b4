//! End to end: one binary, since linking is what tests cost.

mod guests;
mod oracle;
mod pressure;
mod quality;
mod residency;
mod sharing;
