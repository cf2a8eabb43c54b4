//! Walks over links, without recursion: a graph may be a chain of any length.
//!
//! A graph is given as the nodes that each node has links to, by position.

/// Cycles that are given in full. A graph may have as many as links, each as long as
/// the graph; of further ones only the node that closes them is given.
const CYCLES: usize = 16;

/// What outputs depend on.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Order {
    /// Each node after what it depends on, but for cycles; one branch ends before the next begins.
    pub(crate) order: Vec<usize>,
    /// Nodes that depend on themselves, each followed by one that it has a link to. Every cycle
    /// has a node in one of these.
    pub(crate) cycles: Vec<Vec<usize>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    New,
    Open,
    Done,
}

/// All that `outputs` depend on.
pub(crate) fn order(links: &[&[usize]], outputs: &[usize]) -> Order {
    let mut found = Order::default();
    let mut marks = vec![Mark::New; links.len()];
    // Nodes that are open, from an output down, and how many of their links were followed.
    let mut path: Vec<(usize, usize)> = Vec::new();
    for &output in outputs {
        if marks.get(output) == Some(&Mark::New) {
            path.push((output, 0));
        }
        while let Some((node, followed)) = path.last_mut() {
            let node = *node;
            let next = links.get(node).and_then(|links| links.get(*followed).copied());
            *followed += 1;
            if let Some(mark) = marks.get_mut(node) {
                *mark = if next.is_some() { Mark::Open } else { Mark::Done };
            }
            let Some(next) = next else {
                path.pop();
                found.order.push(node);
                continue;
            };
            match marks.get(next) {
                Some(Mark::New) => path.push((next, 0)),
                Some(Mark::Open) if found.cycles.len() < CYCLES => {
                    let from = path.iter().position(|(on, _)| *on == next).unwrap_or(0);
                    found.cycles.push(path.iter().skip(from).map(|(on, _)| *on).collect());
                }
                Some(Mark::Open) => found.cycles.push(vec![next]),
                _ => {}
            }
        }
    }
    found
}

/// A node and all that it depends on.
pub(crate) fn ancestors(links: &[&[usize]], node: usize) -> Vec<usize> {
    let mut seen = vec![false; links.len()];
    let mut found = Vec::new();
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        let Some(seen) = seen.get_mut(node) else { continue };
        if !std::mem::replace(seen, true) {
            found.push(node);
            open.extend(links.get(node).copied().unwrap_or_default());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_branch_ends_before_the_next_begins() {
        let links: [&[usize]; 5] = [&[1, 3], &[2], &[], &[4, 2], &[]];
        assert_eq!(order(&links, &[0]).order, [2, 1, 4, 3, 0]);
        assert_eq!(order(&links, &[1]).order, [2, 1]);
    }

    proptest! {
        #[test]
        fn any_graph_is_ordered_or_its_cycles_are_found(
            links in prop::collection::vec(prop::collection::vec(0usize..12, 0..4), 1..12),
            output in 0usize..12,
        ) {
            let links: Vec<&[usize]> = links.iter().map(Vec::as_slice).collect();
            let Order { order, cycles } = order(&links, &[output]);
            let mut reached = ancestors(&links, output);
            reached.retain(|&node| node < links.len());
            let mut sorted = order.clone();
            sorted.retain(|&node| node < links.len());
            sorted.sort_unstable();
            reached.sort_unstable();
            prop_assert_eq!(&sorted, &reached);
            let on_cycle = |node: usize| cycles.iter().any(|cycle| cycle.contains(&node));
            for (at, &node) in order.iter().enumerate() {
                for &link in links.get(node).copied().unwrap_or_default() {
                    let before = order.iter().take(at).any(|&done| done == link);
                    prop_assert!(before || link >= links.len() || on_cycle(link));
                }
            }
            for cycle in &cycles {
                for (&from, &to) in cycle.iter().zip(cycle.iter().cycle().skip(1)) {
                    prop_assert!(links[from].contains(&to));
                }
            }
        }
    }
}
