//! What a component calls its imports and exports, before it is compiled.

use std::borrow::Cow;

use berth_sandbox::under_todays_names;

/// Gives the names of this host's contract to a component.
pub fn run(bytes: &[u8]) {
    match under_todays_names(bytes) {
        Ok(Cow::Borrowed(same)) => assert_eq!(same, bytes),
        Ok(Cow::Owned(renamed)) => {
            let again = under_todays_names(&renamed).unwrap();
            assert!(matches!(again, Cow::Borrowed(_)), "all of it has today's names");
        }
        Err(reason) => assert!(!reason.is_empty()),
    }
}
