//! What one run of a node may take, beside what it holds by handle.
//!
//! A limit is the operator's. A plugin's manifest can wish for less than that and say what it
//! needs; it cannot get more. Bytes behind handles are not here: they are charged to accounts, and
//! quotas limit those.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::reading::{Size, Time, scalar};

/// The limits of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunLimits {
    /// Bytes of linear memory, over all memories.
    pub linear_memory: u64,
    /// Elements over all tables.
    pub table_elements: u64,
    /// Resources at a time.
    pub handles: u32,
    /// Bytes that one call may pass to the host.
    pub host_call: u64,
    /// From the call to its end, host calls included; `None` lets it run until it is
    /// cancelled. Describing and checking have a limit of their own.
    pub run_time: Option<Duration>,
    /// Bytes of files, texts and lists of bytes that a run gives.
    pub output: u64,
    /// Nodes of the plugin that run at a time; more wait.
    pub concurrency: u32,
}

impl Default for RunLimits {
    /// 1 GiB of memory, enough to decode a 100-megapixel image; tables and handles for every
    /// language's runtime several times over; calls of a 4K image of four channels in `f32`;
    /// 4 GiB of output; no limit of time.
    fn default() -> Self {
        Self {
            linear_memory: 1 << 30,
            // 7,700 elements were seen; this is 16 MiB of the host's at the very most.
            table_elements: 1_000_000,
            // Sixty times what a large model's forward pass keeps, and small enough that a
            // guest which leaks all of them costs the host some 20 MB.
            handles: 100_000,
            host_call: 160 << 20,
            run_time: None,
            output: 4 << 30,
            concurrency: 64,
        }
    }
}

/// Limits as they are written: what is left out is decided elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct LimitSettings {
    /// Linear memory of a run, over all memories.
    #[serde(deserialize_with = "scalar::positive", skip_serializing_if = "Option::is_none")]
    pub linear_memory: Option<Size>,
    /// Elements of a run's tables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table_elements: Option<u64>,
    /// Resources that a run holds at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handles: Option<u32>,
    /// Bytes that one call may pass to the host.
    #[serde(deserialize_with = "scalar::positive", skip_serializing_if = "Option::is_none")]
    pub host_call: Option<Size>,
    /// How long a run may take.
    #[serde(deserialize_with = "scalar::one", skip_serializing_if = "Option::is_none")]
    pub run_time: Option<Time>,
    /// Bytes of files, texts and lists of bytes that a run gives.
    #[serde(deserialize_with = "scalar::positive", skip_serializing_if = "Option::is_none")]
    pub output: Option<Size>,
    /// Nodes of the plugin that run at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<std::num::NonZeroU32>,
}

impl LimitSettings {
    /// This over another: what this one leaves out is the other's.
    #[must_use]
    pub fn over(self, below: Self) -> Self {
        Self {
            linear_memory: self.linear_memory.or(below.linear_memory),
            table_elements: self.table_elements.or(below.table_elements),
            handles: self.handles.or(below.handles),
            host_call: self.host_call.or(below.host_call),
            run_time: self.run_time.or(below.run_time),
            output: self.output.or(below.output),
            concurrency: self.concurrency.or(below.concurrency),
        }
    }

    /// Limits with these in the place of defaults.
    #[must_use]
    pub fn or(&self, default: &RunLimits) -> RunLimits {
        let size = |size: Option<Size>, default| size.map_or(default, |Size(bytes)| bytes);
        RunLimits {
            linear_memory: size(self.linear_memory, default.linear_memory),
            table_elements: self.table_elements.unwrap_or(default.table_elements),
            handles: self.handles.unwrap_or(default.handles),
            host_call: size(self.host_call, default.host_call),
            run_time: self.run_time.map(|Time(time)| time).or(default.run_time),
            output: size(self.output, default.output),
            concurrency: self.concurrency.map_or(default.concurrency, |count| count.get()),
        }
    }
}

impl RunLimits {
    /// As much as a plugin wishes for, and no more than this.
    #[must_use]
    pub fn at_most(&self, wish: &LimitSettings) -> Self {
        let wished = wish.or(self);
        Self {
            linear_memory: wished.linear_memory.min(self.linear_memory),
            table_elements: wished.table_elements.min(self.table_elements),
            handles: wished.handles.min(self.handles),
            host_call: wished.host_call.min(self.host_call),
            run_time: match (wished.run_time, self.run_time) {
                (Some(wished), Some(most)) => Some(wished.min(most)),
                (wished, most) => wished.or(most),
            },
            output: wished.output.min(self.output),
            concurrency: wished.concurrency.min(self.concurrency),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_lowers_a_limit_and_never_raises_one() {
        let limits = RunLimits { run_time: Some(Duration::from_secs(60)), ..RunLimits::default() };
        let wish = LimitSettings {
            linear_memory: Some(Size(64 << 20)),
            handles: Some(u32::MAX),
            run_time: Some(Time(Duration::from_secs(3600))),
            ..LimitSettings::default()
        };
        let settled = limits.at_most(&wish);
        assert_eq!(settled, RunLimits { linear_memory: 64 << 20, ..limits });
    }

    #[test]
    fn the_upper_of_two_wins_where_it_says_something() {
        let upper = LimitSettings { handles: Some(5), ..LimitSettings::default() };
        let below =
            LimitSettings { handles: Some(6), output: Some(Size(7)), ..LimitSettings::default() };
        let limits = upper.over(below).or(&RunLimits::default());
        assert_eq!((limits.handles, limits.output), (5, 7));
        assert_eq!(limits.concurrency, RunLimits::default().concurrency);
    }
}
