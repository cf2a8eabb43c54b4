//! Which lists an allocation is in.
//!
//! What leaves next is found without a search: an allocation is in one list of every account
//! that holds it, on each tier, for the way in which it could leave ([`Class`](crate::entry::Class)). Whatever
//! decides on that may change only while it is in none.

use slab::Slab;

use crate::PerTier;
use crate::Tier;
use crate::entry::{Entry, GroupId, STREAMED};
use crate::ledger::Ledger;
use crate::list::{Key, Link, Links, List};

/// The links of one account's lists.
struct OfRecord<'a, C>(&'a mut Slab<Entry<C>>, Tier, usize);

impl<C> Links for OfRecord<'_, C> {
    fn link(&self, key: Key) -> Option<Link> {
        Some(*self.0.get(key)?.holder(self.2)?.links.get(self.1))
    }

    fn link_mut(&mut self, key: Key) -> Option<&mut Link> {
        Some(self.0.get_mut(key)?.holder_mut(self.2)?.links.get_mut(self.1))
    }
}

impl<C> Ledger<C> {
    /// An account uses an allocation now, in a call of a group.
    pub(crate) fn touch(&mut self, key: Key, record: usize, group: GroupId) {
        let entry = self.entry(key);
        if entry.group & !STREAMED != group && entry.is_clean() {
            self.unlist(key);
            self.entry_mut(key).group = group;
            self.list(key);
            return;
        }
        let Self { entries, records, .. } = self;
        let Some(entry) = entries.get_mut(key) else { return };
        let (listed, shared) = (entry.listed, entry.listed_as_shared);
        let Some(account) = records.get_mut(record) else { return };
        for tier in Tier::ALL {
            if let Some(class) = *listed.get(tier) {
                let list = account.lists_mut(tier, shared).get_mut(class);
                list.touch(&mut OfRecord(entries, tier, record), key);
            }
        }
    }

    /// Has the weights of a group come and go, or stay.
    pub(crate) fn stream(&mut self, key: Key, streams: bool) {
        let entry = self.entry(key);
        let group = if streams { entry.group | STREAMED } else { entry.group & !STREAMED };
        if entry.group != group {
            self.unlist(key);
            self.entry_mut(key).group = group;
            self.list(key);
        }
    }

    /// An allocation came to the device before its use: of what can leave, the last.
    pub(crate) fn came_early(&mut self, key: Key) {
        self.for_each_list(key, |tier, list, links| {
            if tier == Tier::Device {
                list.make_oldest(links, key);
            }
        });
    }

    /// Puts an allocation at the newest end of every list that it belongs to.
    pub(crate) fn list(&mut self, key: Key) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        entry.listed_as_shared = entry.holders.len() > 1;
        entry.listed = PerTier {
            device: entry.class(Tier::Device),
            host: entry.class(Tier::Host),
            disk: entry.class(Tier::Disk),
        };
        self.for_each_list(key, |_, list, links| list.push(links, key));
    }

    /// Takes an allocation out of every list. Whatever decides on its lists may
    /// change only while it is in none.
    pub(crate) fn unlist(&mut self, key: Key) {
        self.for_each_list(key, |_, list, links| list.remove(links, key));
        if let Some(entry) = self.entries.get_mut(key) {
            entry.listed = PerTier::default();
        }
    }

    /// Calls `each` with every list that an entry is in, or about to be.
    fn for_each_list(
        &mut self,
        key: Key,
        mut each: impl FnMut(Tier, &mut List, &mut OfRecord<'_, C>),
    ) {
        let Self { entries, records, .. } = self;
        let Some(entry) = entries.get(key) else { return };
        let (listed, shared) = (entry.listed, entry.listed_as_shared);
        for tier in Tier::ALL {
            let Some(class) = *listed.get(tier) else { continue };
            let mut index = 0;
            while let Some(holder) = entries.get(key).and_then(|entry| entry.holders.get(index)) {
                let holder = holder.record;
                if let Some(record) = records.get_mut(holder) {
                    let list = record.lists_mut(tier, shared).get_mut(class);
                    each(tier, list, &mut OfRecord(entries, tier, holder));
                }
                index += 1;
            }
        }
    }
}
