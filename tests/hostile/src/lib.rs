//! A component of hostile nodes, one for each way to harm a host that a node written with the SDK
//! can try. What needs a component of another shape (odd modules, forged pointers, bombs) is
//! written as text in `tests/all/hostile`, where the case that it belongs to is.
//!
//! [`Hostile`] names every node, and the tests say for each of them which case it is: a node
//! without a test does not compile there.

mod compute;

use berth_sdk::prelude::*;

use compute::spin;

/// Registers the nodes, and names them for the tests.
macro_rules! hostile {
    ($($function:ident => $node:ident),* $(,)?) => {
        plugin! { nodes: [$($function),*] }

        /// A hostile node.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Hostile {
            $(
                #[doc = concat!("The node `", stringify!($node), "`.")]
                $node,
            )*
        }

        impl Hostile {
            /// The node's type.
            pub fn node(self) -> &'static str {
                match self {
                    $(Self::$node => stringify!($node),)*
                }
            }
        }
    };
}

hostile! {
    spin => Spin,
}
