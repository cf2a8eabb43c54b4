//! A component of hostile nodes, one for each way to harm a host that a node written with the SDK
//! can try. What needs a component of another shape (odd modules, forged pointers, bombs) is
//! written as text in `tests/all/hostile`, where the case that it belongs to is.
//!
//! [`Hostile`] names every node, and the tests say for each of them which case it is: a node
//! without a test does not compile there.

mod compute;
mod loading;
mod quota;
mod tensors;

use berth_sdk::prelude::*;

use compute::spin;
use loading::{liar, load, reach, twin};
use quota::{busy, deaf, flood, greedy, storm, to_the_byte};
use tensors::{lengths, outside, overflow, peek, poison, ranks};

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
    overflow => Overflow,
    ranks => Ranks,
    lengths => Lengths,
    outside => Outside,
    poison => Poison,
    peek => Peek,
    to_the_byte => ToTheByte,
    storm => Storm,
    busy => Busy,
    deaf => Deaf,
    flood => Flood,
    reach => Reach,
    liar => Liar,
    twin => Twin,
    load => Load,
    greedy => Greedy,
}
