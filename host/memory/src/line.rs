//! Who waits for memory, in the order in which they came.
//!
//! Without an order, small operations that always find room would keep a large one
//! waiting for ever. With a strict order, one that waits for its own plugin's quota
//! would hold up its neighbours. So each one who waits says whom it holds up.

use std::collections::VecDeque;

/// Whom one who waits lets nobody pass of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum HoldsUp {
    /// It waits for an allocation that is moving: no room is at stake.
    Nobody,
    /// It waits for room in its account's quota.
    Account,
    /// It waits for room on the device.
    Everybody,
}

/// A place in the line, in the order of coming.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

#[derive(Debug)]
struct Waiter {
    ticket: Ticket,
    record: usize,
    holds_up: HoldsUp,
}

#[derive(Debug, Default)]
pub(crate) struct Line {
    waiting: VecDeque<Waiter>,
    next: u64,
}

impl Line {
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// What those ahead hold up, if they hold up this one. Without a ticket everyone is ahead.
    pub(crate) fn held_up(&self, ticket: Option<Ticket>, record: usize) -> Option<HoldsUp> {
        self.waiting
            .iter()
            .take_while(|waiter| ticket.is_none_or(|ticket| waiter.ticket < ticket))
            .filter(|waiter| match waiter.holds_up {
                HoldsUp::Nobody => false,
                HoldsUp::Account => waiter.record == record,
                HoldsUp::Everybody => true,
            })
            .map(|waiter| waiter.holds_up)
            .max()
    }

    pub(crate) fn join(&mut self, record: usize, holds_up: HoldsUp) -> Ticket {
        let ticket = Ticket(self.next);
        self.next += 1;
        self.waiting.push_back(Waiter { ticket, record, holds_up });
        ticket
    }

    pub(crate) fn change(&mut self, ticket: Ticket, holds_up: HoldsUp) {
        if let Some(waiter) = self.waiting.iter_mut().find(|waiter| waiter.ticket == ticket) {
            waiter.holds_up = holds_up;
        }
    }

    pub(crate) fn leave(&mut self, ticket: Ticket) {
        self.waiting.retain(|waiter| waiter.ticket != ticket);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_who_waits_for_room_holds_up_everybody_behind() {
        let mut line = Line::default();
        let first = line.join(1, HoldsUp::Everybody);
        let second = line.join(2, HoldsUp::Everybody);
        assert_eq!(line.held_up(Some(first), 1), None);
        assert_eq!(line.held_up(Some(second), 2), Some(HoldsUp::Everybody));
        assert_eq!(line.held_up(None, 3), Some(HoldsUp::Everybody));
        line.leave(first);
        assert_eq!(line.held_up(Some(second), 2), None);
    }

    #[test]
    fn one_who_waits_for_its_quota_holds_up_its_own_account_only() {
        let mut line = Line::default();
        let first = line.join(1, HoldsUp::Account);
        assert_eq!(line.held_up(None, 1), Some(HoldsUp::Account));
        assert_eq!(line.held_up(None, 2), None);
        line.change(first, HoldsUp::Nobody);
        assert_eq!(line.held_up(None, 1), None);
        line.leave(first);
        assert!(line.is_empty());
    }
}
