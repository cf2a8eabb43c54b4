//! When these nodes run: after what their trigger comes from, and each time.

use berth_sdk::prelude::*;

/// What a node passes on: the trigger, or an empty list where nothing was given.
pub fn passed(trigger: Option<Any>) -> Result<Any> {
    match trigger {
        Some(trigger) => Ok(trigger),
        None => Ok(Any(Items::create(Vec::<Value>::new())?.into())),
    }
}

/// The fingerprint of a node that runs for its effect: there is none.
pub fn each_time(_: &Fields) -> Result<String> {
    Err(Error::Unsupported("memory changes between runs, so this node runs each time".into()))
}
