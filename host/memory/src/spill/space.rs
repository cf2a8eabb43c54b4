//! Which parts of the spill file are free.
//!
//! The first free part that is large enough is taken, so that what is in use gathers at
//! the file's beginning and its end can be cut off. Free parts that touch are one.

use std::collections::BTreeMap;

/// The books of a file that grows and shrinks at its end.
#[derive(Debug, Default)]
pub(super) struct Space {
    /// Where each free part before the end begins, and its length. No two of them touch,
    /// and none touches the end.
    free: BTreeMap<u64, u64>,
    end: u64,
    used: u64,
}

impl Space {
    /// Bytes that are taken.
    pub(super) fn used(&self) -> u64 {
        self.used
    }

    /// Takes `length` bytes, if no more than `limit` are taken then, and gives the first's place.
    pub(super) fn take(&mut self, length: u64, limit: u64) -> Option<u64> {
        let used = self.used.checked_add(length).filter(|used| *used <= limit)?;
        let fits = |part: &(&u64, &u64)| *part.1 >= length;
        let start = match self.free.iter().find(fits) {
            _ if length == 0 => 0,
            Some((&start, &found)) => {
                self.free.remove(&start);
                if found > length {
                    self.free.insert(start + length, found - length);
                }
                start
            }
            None => {
                let start = self.end;
                self.end = start.checked_add(length)?;
                start
            }
        };
        self.used = used;
        Some(start)
    }

    /// Gives back what was taken, and says where the file ends now if it is shorter.
    pub(super) fn give(&mut self, start: u64, length: u64) -> Option<u64> {
        self.used -= length;
        let mut part = start..start + length;
        if let Some((&before, &bytes)) = self.free.range(..start).next_back()
            && before + bytes == start
        {
            self.free.remove(&before);
            part.start = before;
        }
        if let Some(bytes) = self.free.remove(&part.end) {
            part.end += bytes;
        }
        if part.end == self.end {
            self.end = part.start;
            return Some(self.end);
        }
        self.free.insert(part.start, part.end - part.start);
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_part_that_is_large_enough_is_taken() {
        let mut space = Space::default();
        for start in [0, 10, 20, 30, 40] {
            assert_eq!(space.take(10, 50), Some(start));
        }
        assert_eq!(space.take(1, 50), None, "the limit");
        assert_eq!(space.give(30, 10), None);
        assert_eq!(space.give(0, 10), None);
        assert_eq!(space.take(4, 50), Some(0));
        assert_eq!(space.take(8, 50), Some(30));
        assert_eq!(space.take(6, 50), Some(4));
        assert_eq!(space.used(), 48);
    }

    #[test]
    fn parts_that_touch_are_one_and_the_end_is_cut_off() {
        let mut space = Space::default();
        for _ in 0..5 {
            space.take(10, 50);
        }
        assert_eq!(space.give(10, 10), None);
        assert_eq!(space.give(30, 10), None);
        assert_eq!(space.give(20, 10), None);
        assert_eq!(space.take(30, 50), Some(10));
        assert_eq!(space.give(10, 30), None);
        assert_eq!(space.give(40, 10), Some(10));
        assert_eq!(space.give(0, 10), Some(0));
        assert_eq!(space.used(), 0);
    }

    #[test]
    fn no_size_overflows() {
        let mut space = Space::default();
        assert_eq!(space.take(u64::MAX, u64::MAX), Some(0));
        assert_eq!(space.take(1, u64::MAX), None);
        assert_eq!(space.take(0, u64::MAX), Some(0));
    }

    proptest! {
        #[test]
        fn what_is_taken_never_overlaps(steps in prop::collection::vec((0..8_usize, 1..9_u64), 1..200)) {
            let mut space = Space::default();
            let mut taken: Vec<(u64, u64)> = Vec::new();
            for (which, length) in steps {
                if which < taken.len() {
                    let (start, length) = taken.swap_remove(which);
                    space.give(start, length);
                } else if let Some(start) = space.take(length, 40) {
                    for (other, bytes) in &taken {
                        prop_assert!(start + length <= *other || other + bytes <= start);
                    }
                    taken.push((start, length));
                }
                let used: u64 = taken.iter().map(|(_, length)| length).sum();
                let end = taken.iter().map(|(start, length)| start + length).max();
                let free: u64 = space.free.values().sum();
                prop_assert_eq!((space.used, space.end), (used, end.unwrap_or(0)));
                prop_assert_eq!(free, space.end - used);
            }
        }
    }
}
