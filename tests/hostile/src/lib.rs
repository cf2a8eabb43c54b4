//! A component of hostile nodes, one for each way to harm a host that a node written with the SDK
//! can try. What needs a component of another shape (odd modules, forged pointers, bombs) is
//! written as text in `tests/all/hostile`, where the case that it belongs to is.
//!
//! [`Hostile`] names every node, and the tests say for each of them which case it is: a node
//! without a test does not compile there.

mod compute;
mod data;
mod handles;
mod loading;
mod quota;
mod tensors;

use berth_sdk::prelude::*;

use compute::{descend, grow, multiply, panic, spin};
use data::pass_much;
use handles::{
    clone_often, confuse, fill_and_panic, forge, hoard, lend_and_give, lend_often, read_often,
    twice, use_dropped,
};
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
    descend => Descend,
    panic => Panic,
    grow => Grow,
    multiply => Multiply,
    hoard => Hoard,
    fill_and_panic => FillAndPanic,
    lend_often => LendOften,
    use_dropped => UseDropped,
    forge => Forge,
    confuse => Confuse,
    lend_and_give => LendAndGive,
    twice => Twice,
    clone_often => CloneOften,
    read_often => ReadOften,
    pass_much => PassMuch,
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
