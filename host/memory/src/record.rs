//! What the ledger keeps about one account.

use crate::entry::{Both, Leaving, Place};
use crate::list::List;
use crate::{Account, PerTier, Tier};

/// One list for each way of leaving.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Recency {
    pub(crate) free: List,
    pub(crate) costly: List,
}

impl Recency {
    pub(crate) fn get_mut(&mut self, leaving: Leaving) -> &mut List {
        match leaving {
            Leaving::Free => &mut self.free,
            Leaving::Costly => &mut self.costly,
        }
    }

    fn is_empty(&self) -> bool {
        self.free.oldest().is_none() && self.costly.oldest().is_none()
    }
}

/// What an account is charged, and what it holds in order of its use.
pub(crate) struct Record {
    pub(crate) account: Account,
    pub(crate) charge: PerTier<u64>,
    pub(crate) quota: PerTier<Option<u64>>,
    /// Its live leases.
    pub(crate) leases: usize,
    /// What nobody else holds.
    pub(crate) own: Both<Recency>,
    /// What others hold too.
    pub(crate) shared: Both<Recency>,
}

impl Record {
    pub(crate) fn new(account: Account) -> Self {
        Self {
            account,
            charge: PerTier::default(),
            quota: PerTier::default(),
            leases: 0,
            own: Both::default(),
            shared: Both::default(),
        }
    }

    pub(crate) fn recency_mut(&mut self, place: Place, shared: bool) -> &mut Recency {
        if shared { self.shared.get_mut(place) } else { self.own.get_mut(place) }
    }

    /// Whether something on the device that it shares could leave if it were not in use.
    pub(crate) fn shares_on_device(&self) -> bool {
        !self.shared.device.is_empty()
    }

    /// Bytes over the quota if `more` were charged.
    pub(crate) fn over_quota(&self, tier: Tier, more: u64) -> u64 {
        match self.quota.get(tier) {
            Some(quota) => self.charge.get(tier).saturating_add(more).saturating_sub(*quota),
            None => 0,
        }
    }
}
