//! Lists threaded through the entries themselves.
//!
//! Every lease marks its inputs as just used, in the list of all and in the list
//! of the account. With the links inside of the entries that is a handful of
//! stores, however many allocations live: no hashing, no search, no allocation.

/// The place of an allocation in the ledger.
pub(crate) type Key = usize;

/// No place: the end of a list.
const NONE: Key = Key::MAX;

/// The neighbours of an entry in one list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Link {
    previous: Key,
    next: Key,
}

impl Default for Link {
    fn default() -> Self {
        Self { previous: NONE, next: NONE }
    }
}

/// Where a list finds the links of its entries.
pub(crate) trait Links {
    /// The link of an entry of this list.
    fn link(&self, key: Key) -> Option<Link>;
    /// The same, to change it.
    fn link_mut(&mut self, key: Key) -> Option<&mut Link>;
}

/// The two ends of a list, the oldest first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct List {
    oldest: Key,
    newest: Key,
}

impl Default for List {
    fn default() -> Self {
        Self { oldest: NONE, newest: NONE }
    }
}

impl List {
    /// Puts an entry that is not in the list at its newest end.
    pub(crate) fn push(&mut self, links: &mut impl Links, key: Key) {
        let before = std::mem::replace(&mut self.newest, key);
        if let Some(link) = links.link_mut(key) {
            *link = Link { previous: before, next: NONE };
        }
        match links.link_mut(before) {
            Some(link) => link.next = key,
            None => self.oldest = key,
        }
    }

    /// Moves an entry that is in the list to its oldest end.
    pub(crate) fn make_oldest(&mut self, links: &mut impl Links, key: Key) {
        if self.oldest == key {
            return;
        }
        self.remove(links, key);
        let after = std::mem::replace(&mut self.oldest, key);
        if let Some(link) = links.link_mut(key) {
            *link = Link { previous: NONE, next: after };
        }
        match links.link_mut(after) {
            Some(link) => link.previous = key,
            None => self.newest = key,
        }
    }

    /// Takes an entry that is in the list out of it.
    pub(crate) fn remove(&mut self, links: &mut impl Links, key: Key) {
        let Some(Link { previous, next }) = links.link(key) else { return };
        match links.link_mut(previous) {
            Some(link) => link.next = next,
            None => self.oldest = next,
        }
        match links.link_mut(next) {
            Some(link) => link.previous = previous,
            None => self.newest = previous,
        }
    }

    /// Moves an entry that is in the list to its newest end.
    pub(crate) fn touch(&mut self, links: &mut impl Links, key: Key) {
        if self.newest != key {
            self.remove(links, key);
            self.push(links, key);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.oldest == NONE
    }

    /// The oldest entry.
    pub(crate) fn oldest(&self) -> Option<Key> {
        (self.oldest != NONE).then_some(self.oldest)
    }

    /// The newest entry.
    pub(crate) fn newest(&self) -> Option<Key> {
        (self.newest != NONE).then_some(self.newest)
    }
}

impl Link {
    /// The next newer entry.
    pub(crate) fn newer(&self) -> Option<Key> {
        (self.next != NONE).then_some(self.next)
    }

    /// The next older entry.
    pub(crate) fn older(&self) -> Option<Key> {
        (self.previous != NONE).then_some(self.previous)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    impl Links for Vec<Link> {
        fn link(&self, key: Key) -> Option<Link> {
            self.get(key).copied()
        }

        fn link_mut(&mut self, key: Key) -> Option<&mut Link> {
            self.get_mut(key)
        }
    }

    fn forwards(list: &List, links: &[Link]) -> Vec<Key> {
        std::iter::successors(list.oldest(), |&key| links[key].newer()).collect()
    }

    fn backwards(list: &List, links: &[Link]) -> Vec<Key> {
        std::iter::successors(list.newest(), |&key| links[key].older()).collect()
    }

    proptest! {
        #[test]
        fn a_list_keeps_the_order_that_a_vector_keeps(steps in prop::collection::vec((0..4u8, 0..8usize), 0..60)) {
            let mut links = vec![Link::default(); 8];
            let mut list = List::default();
            let mut model: Vec<Key> = Vec::new();
            for (step, key) in steps {
                let present = model.contains(&key);
                match (step, present) {
                    (0, false) => {
                        list.push(&mut links, key);
                        model.push(key);
                    }
                    (1, true) => {
                        list.remove(&mut links, key);
                        model.retain(|&k| k != key);
                    }
                    (2, true) => {
                        list.touch(&mut links, key);
                        model.retain(|&k| k != key);
                        model.push(key);
                    }
                    (3, true) => {
                        list.make_oldest(&mut links, key);
                        model.retain(|&k| k != key);
                        model.insert(0, key);
                    }
                    _ => {}
                }
                prop_assert_eq!(&forwards(&list, &links), &model);
                model.reverse();
                prop_assert_eq!(&backwards(&list, &links), &model);
                model.reverse();
            }
        }
    }
}
