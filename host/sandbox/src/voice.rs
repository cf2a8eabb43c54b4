//! How much one run may say to whoever watches it.
//!
//! Every kind of message has a bucket of its own that fills with time, so that a guest which
//! floods one of them slows nobody and hides nothing else. What is left out is counted.

use std::time::Instant;

/// How much one run may say.
#[derive(Debug)]
pub(crate) struct Voice {
    pub(crate) logs: Bucket,
    pub(crate) texts: Bucket,
    pub(crate) progress: Bucket,
    /// The last of a bar's progress, which is what everybody waits for.
    pub(crate) ends: Bucket,
    pub(crate) previews: Bucket,
}

impl Default for Voice {
    /// More than anybody reads, and so little that a flood costs next to nothing.
    fn default() -> Self {
        Self {
            logs: Bucket::new(200, 50.0),
            texts: Bucket::new(100, 1.0),
            progress: Bucket::new(200, 100.0),
            ends: Bucket::new(50, 10.0),
            previews: Bucket::new(20, 20.0),
        }
    }
}

impl Voice {
    /// Messages that were left out.
    pub(crate) fn left_out(&self) -> u64 {
        let Self { logs, texts, progress, ends, previews } = self;
        [logs, texts, progress, ends, previews]
            .iter()
            .fold(0, |sum, b| sum.saturating_add(b.left_out))
    }
}

/// Holds up to `most` messages and fills at `rate` a second.
#[derive(Debug)]
pub(crate) struct Bucket {
    most: f64,
    rate: f64,
    left: f64,
    looked: Option<Instant>,
    left_out: u64,
}

impl Bucket {
    fn new(most: u32, rate: f64) -> Self {
        let most = f64::from(most);
        Self { most, rate, left: most, looked: None, left_out: 0 }
    }

    /// Whether one more may be passed on.
    pub(crate) fn take(&mut self) -> bool {
        self.take_at(Instant::now())
    }

    fn take_at(&mut self, now: Instant) -> bool {
        if let Some(before) = self.looked {
            let passed = now.saturating_duration_since(before).as_secs_f64();
            self.left = (self.left + passed * self.rate).min(self.most);
        }
        self.looked = Some(now);
        if self.left < 1.0 {
            self.left_out = self.left_out.saturating_add(1);
            return false;
        }
        self.left -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_flood_is_cut_and_ends_with_time() {
        let mut bucket = Bucket::new(3, 2.0);
        let now = Instant::now();
        let passed = (0..10).filter(|_| bucket.take_at(now)).count();
        assert_eq!((passed, bucket.left_out), (3, 7));
        assert!(bucket.take_at(now + Duration::from_millis(500)));
        assert!(!bucket.take_at(now + Duration::from_millis(500)));
        assert!(bucket.take_at(now + Duration::from_secs(3600)));
        assert!(bucket.left <= 3.0);
    }
}
