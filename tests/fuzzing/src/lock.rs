//! `berth.lock`, which comes with a project from anywhere.

use std::collections::HashSet;

use berth_workflow::{ConfigError, LOCK, Lock};

use crate::tells_where;

/// Reads bytes as a lock.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Lock::parse(LOCK, text.to_owned()) {
        Ok(lock) => {
            let names: HashSet<&str> = lock.plugins.iter().map(|l| l.name.as_str()).collect();
            assert_eq!(names.len(), lock.plugins.len(), "no plugin is there twice");
            assert!(
                lock.plugins.iter().all(|locked| locked.manifest.len() == "sha256:".len() + 64)
            );
            // It is written by its own fields, so that what is kept is what was there.
            assert!(serde_json::to_value(&lock).is_ok());
        }
        Err(ConfigError::Content(misread)) => tells_where(&misread, text),
        Err(error) => panic!("{error}"),
    }
}
