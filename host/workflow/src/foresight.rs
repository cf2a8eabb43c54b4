//! Tells memory what the graph knows: which functions will be called again, and in what order.
//!
//! How soon is a position in the plan's order, so what was told of one function
//! stays comparable with what is told of another later, and only what changes needs telling.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use berth_sandbox::FunctionValue;

/// The functions that steps which have not run yet were promised. When it goes, so do the promises.
#[derive(Default)]
pub(crate) struct Foresight {
    /// By address.
    functions: HashMap<usize, (Arc<FunctionValue>, Uses)>,
}

/// The positions of the steps that will use something, with how often each counts.
#[derive(Default)]
struct Uses(BTreeMap<usize, usize>);

impl Foresight {
    /// A step will be given a value with these functions in it.
    pub(crate) fn add(&mut self, functions: &[Arc<FunctionValue>], step: usize) {
        for function in functions {
            let known = self.functions.entry(Arc::as_ptr(function).addr());
            let (_, uses) = known.or_insert_with(|| (function.clone(), Uses::default()));
            if uses.add(step) {
                function.site().set_next_use(uses.next());
            }
        }
    }

    /// The step has run, and so needs the value no more.
    pub(crate) fn remove(&mut self, functions: &[Arc<FunctionValue>], step: usize) {
        for function in functions {
            let address = Arc::as_ptr(function).addr();
            let Some((_, uses)) = self.functions.get_mut(&address) else { continue };
            if uses.remove(step) {
                let next = uses.next();
                function.site().set_next_use(next);
                if next.is_none() {
                    self.functions.remove(&address);
                }
            }
        }
    }
}

impl Drop for Foresight {
    fn drop(&mut self) {
        for (function, _) in self.functions.values() {
            function.site().set_next_use(None);
        }
    }
}

impl Uses {
    /// Whether the next use is another one now.
    fn add(&mut self, step: usize) -> bool {
        let before = self.next();
        let count = self.0.entry(step).or_default();
        *count = count.saturating_add(1);
        self.next() != before
    }

    /// Whether the next use is another one now.
    fn remove(&mut self, step: usize) -> bool {
        let before = self.next();
        if let Some(count) = self.0.get_mut(&step) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.0.remove(&step);
            }
        }
        self.next() != before
    }

    fn next(&self) -> Option<u32> {
        let (&step, _) = self.0.first_key_value()?;
        Some(u32::try_from(step).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_step_that_has_not_run_is_the_next_use() {
        let mut uses = Uses::default();
        assert_eq!(uses.next(), None);
        assert!(uses.add(7) && uses.next() == Some(7));
        assert!(!uses.add(9) && uses.next() == Some(7));
        assert!(uses.add(4) && uses.next() == Some(4));
        assert!(uses.remove(4) && uses.next() == Some(7));
        assert!(uses.remove(7) && uses.next() == Some(9));
        assert!(uses.remove(9) && uses.next().is_none());
    }

    #[test]
    fn a_step_that_gets_a_function_twice_counts_until_both_are_gone() {
        let mut uses = Uses::default();
        assert!(uses.add(3) && !uses.add(3));
        assert!(!uses.remove(3) && uses.next() == Some(3));
        assert!(uses.remove(3) && uses.next().is_none());
    }
}
