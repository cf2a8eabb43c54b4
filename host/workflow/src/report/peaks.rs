//! The most that was in use: by each account, and while each node ran.

use std::collections::HashMap;
use std::time::Duration;

use berth_memory::{AccountId, Event, PerTier, Recording, Tier};

use super::timeline::NodeSpan;

/// What memory did while a node ran. Nodes that ran at the same time share it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct NodeUse {
    /// The most bytes in use on each tier.
    pub(super) peak: PerTier<u64>,
    /// Bytes that were copied to the device.
    pub(super) to_device: u64,
    /// Bytes that were copied from the device to the host.
    pub(super) to_host: u64,
}

/// The most that each account was charged on each tier.
#[must_use]
pub fn account_peaks(recording: &Recording) -> HashMap<AccountId, PerTier<u64>> {
    let mut peaks: HashMap<AccountId, PerTier<u64>> = HashMap::new();
    for event in &recording.events {
        let Event::Use { charges, .. } = event else { continue };
        for (account, charge) in charges {
            raise(peaks.entry(*account).or_default(), charge);
        }
    }
    peaks
}

/// What memory did while each of these nodes ran, in their order.
pub(super) fn node_use(recording: &Recording, nodes: &[NodeSpan]) -> Vec<NodeUse> {
    let mut samples: Vec<(Duration, PerTier<u64>)> = Vec::new();
    let mut moves: Vec<(Duration, Tier, bool, u64)> = Vec::new();
    for event in &recording.events {
        match event {
            Event::Use { at, used, .. } => samples.push((*at, *used)),
            Event::Move { from, to, bytes, ended, .. } => {
                moves.push((*ended, *to, *from == Some(Tier::Device), *bytes));
            }
            _ => {}
        }
    }
    samples.sort_by_key(|(at, _)| *at);
    moves.sort_by_key(|(ended, ..)| *ended);
    let used = |node: &NodeSpan| {
        let mut sum = NodeUse::default();
        // What was in use when the node began was sampled before that.
        let first = samples.partition_point(|(at, _)| *at <= node.began).saturating_sub(1);
        let samples = samples.iter().skip(first).take_while(|(at, _)| *at <= node.ended);
        samples.for_each(|(_, used)| raise(&mut sum.peak, used));
        let first = moves.partition_point(|(ended, ..)| *ended < node.began);
        let moves = moves.iter().skip(first).take_while(|(ended, ..)| *ended <= node.ended);
        for (_, to, from_device, bytes) in moves {
            match to {
                Tier::Device => sum.to_device = sum.to_device.saturating_add(*bytes),
                Tier::Host if *from_device => sum.to_host = sum.to_host.saturating_add(*bytes),
                Tier::Host | Tier::Disk => {}
            }
        }
        sum
    };
    nodes.iter().map(used).collect()
}

fn raise(peak: &mut PerTier<u64>, value: &PerTier<u64>) {
    for tier in Tier::ALL {
        let peak = peak.get_mut(tier);
        *peak = (*peak).max(*value.get(tier));
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Maker, ms, span};
    use super::*;

    #[test]
    fn a_node_has_what_was_in_use_from_its_beginning_on() {
        let mut maker = Maker::new(&["a"]);
        maker.uses(0, [50, 5, 0], &[]).uses(10, [10, 20, 0], &[]).uses(30, [90, 0, 7], &[]);
        let recording = maker.recording();
        let nodes = [span("1", 5, 20), span("2", 12, 40), span("3", 50, 60)];
        let used = node_use(&recording, &nodes);
        let peaks = used.iter().map(|node| (node.peak.device, node.peak.host, node.peak.disk));
        assert_eq!(peaks.collect::<Vec<_>>(), [(50, 20, 0), (90, 20, 7), (90, 0, 7)]);
    }

    #[test]
    fn a_node_has_the_moves_that_ended_while_it_ran() {
        let mut maker = Maker::new(&["a"]);
        maker.moves(0, 9, None, Tier::Device, 1, false);
        maker.moves(9, 11, Some(Tier::Host), Tier::Device, 2, true);
        maker.moves(11, 12, Some(Tier::Device), Tier::Host, 4, false);
        maker.moves(12, 13, None, Tier::Host, 8, false);
        maker.moves(19, 21, None, Tier::Device, 16, false);
        let used = node_use(&maker.recording(), &[span("1", 10, 20)]);
        assert_eq!((used[0].to_device, used[0].to_host), (2, 4));
    }

    #[test]
    fn an_account_has_its_own_peak_on_each_tier() {
        let mut maker = Maker::new(&["a", "b"]);
        maker.uses(0, [9, 0, 0], &[("a", [9, 0, 0])]);
        maker.uses(1, [5, 9, 0], &[("a", [1, 9, 0]), ("b", [4, 0, 0])]);
        let recording = maker.recording();
        let peaks = account_peaks(&recording);
        let of = |at: usize| peaks[&recording.accounts[at].0];
        assert_eq!(of(0), PerTier { device: 9, host: 9, disk: 0 });
        assert_eq!(of(1), PerTier { device: 4, host: 0, disk: 0 });
        assert!(ms(1) > Duration::ZERO);
    }
}
