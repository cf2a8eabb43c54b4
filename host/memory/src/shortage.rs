//! What is too much, and how it is said: always with the figures that it was judged by.

use crate::ledger::Ledger;
use crate::list::Key;
use crate::{MemoryError, Tier};

impl<C> Ledger<C> {
    /// Bytes over an account's quota if `more` were charged.
    pub(crate) fn over_quota(&self, record: usize, tier: Tier, more: u64) -> u64 {
        self.records.get(record).map_or(0, |record| record.over_quota(tier, more))
    }

    /// Whether every holder has room in its quota for an allocation in one more tier.
    pub(crate) fn fits_quotas(&self, key: Key, tier: Tier) -> bool {
        let entry = self.entry(key);
        let bytes = entry.bytes_on(tier);
        entry.holders.iter().all(|holder| self.over_quota(holder.record, tier, bytes) == 0)
    }

    /// The error that a tier's limit is no room for `requested` bytes.
    pub(crate) fn out_of_memory(&self, tier: Tier, requested: u64) -> MemoryError {
        let mut holders: Vec<_> = self
            .records
            .iter()
            .map(|(_, record)| (record.account.name().to_owned(), *record.charge.get(tier)))
            .filter(|(_, bytes)| *bytes > 0)
            .collect();
        holders.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        MemoryError::OutOfMemory {
            tier,
            requested,
            limit: self.limit(tier),
            used: self.used(tier),
            holders,
        }
    }

    /// The error that an account's quota is no room for `requested` bytes.
    pub(crate) fn quota_exceeded(&self, record: usize, tier: Tier, requested: u64) -> MemoryError {
        let record = self.records.get(record);
        MemoryError::QuotaExceeded {
            plugin: record.map_or("", |record| record.account.name()).to_owned(),
            tier,
            requested,
            limit: record.and_then(|record| *record.quota.get(tier)).unwrap_or(u64::MAX),
            used: record.map_or(0, |record| *record.charge.get(tier)),
        }
    }
}
