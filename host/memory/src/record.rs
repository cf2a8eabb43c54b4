//! What the ledger keeps about one account.

use smallvec::SmallVec;

use crate::entry::{Class, GroupId};
use crate::list::List;
use crate::{Account, PerTier, Tier};

/// One list for each way of leaving a tier, the oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lists {
    pub(crate) shelved: List,
    /// One for each group that has something there.
    pub(crate) free: SmallVec<[(GroupId, List); 1]>,
    pub(crate) costly: List,
    pub(crate) last: List,
    pub(crate) kept: List,
}

impl Lists {
    pub(crate) fn get_mut(&mut self, class: Class) -> &mut List {
        match class {
            Class::Shelved => &mut self.shelved,
            Class::Free(group) => self.group(group),
            Class::Costly => &mut self.costly,
            Class::Last => &mut self.last,
            Class::Kept => &mut self.kept,
        }
    }

    #[expect(clippy::indexing_slicing, reason = "the index was just found or made")]
    fn group(&mut self, group: GroupId) -> &mut List {
        let index = match self.free.iter().position(|(known, _)| *known == group) {
            Some(index) => index,
            None => {
                self.free.retain(|(_, list)| !list.is_empty());
                self.free.push((group, List::default()));
                self.free.len() - 1
            }
        };
        &mut self.free[index].1
    }

    fn is_empty(&self) -> bool {
        let Self { shelved, free, costly, last, kept } = self;
        [shelved, costly, last, kept].iter().all(|list| list.is_empty())
            && free.iter().all(|(_, list)| list.is_empty())
    }
}

/// What an account is charged, and what it holds in order of its use.
pub(crate) struct Record {
    pub(crate) account: Account,
    pub(crate) charge: PerTier<u64>,
    pub(crate) quota: PerTier<Option<u64>>,
    /// Its parts of the device among all accounts that use it.
    pub(crate) weight: u32,
    /// Bytes of the device that it keeps, instead of its weight.
    pub(crate) share: Option<u64>,
    /// Its live leases.
    pub(crate) leases: usize,
    /// What nobody else holds.
    pub(crate) own: PerTier<Lists>,
    /// What others hold too.
    pub(crate) shared: PerTier<Lists>,
}

impl Record {
    pub(crate) fn new(account: Account) -> Self {
        Self {
            account,
            charge: PerTier::default(),
            quota: PerTier::default(),
            weight: 1,
            share: None,
            leases: 0,
            own: PerTier::default(),
            shared: PerTier::default(),
        }
    }

    pub(crate) fn lists_mut(&mut self, tier: Tier, shared: bool) -> &mut Lists {
        if shared { self.shared.get_mut(tier) } else { self.own.get_mut(tier) }
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
