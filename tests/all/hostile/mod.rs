//! Forty-six ways to harm a host, and that it survives each of them.
//!
//! A case is a type: its guest, and what is done with it. After every one the host is alive, the
//! error is typed and names the guest's plugin, nothing is charged to it any more, and what a
//! neighbour computed meanwhile is what it computes alone, to the bit. A case without a guest, a
//! guest without a case, and a number that is missing do not compile.

mod arena;
mod compute;

use berth_hostile::Hostile;

use self::arena::{Arena, Case, Guest, Outcome, survives};

/// Makes a test of each case.
macro_rules! cases {
    ($($number:literal $name:ident: $case:path;)*) => {
        $(
            #[test]
            fn $name() {
                survives::<$case>();
            }
        )*

        /// The numbers of the cases there are.
        const NUMBERS: &[u8] = &[$($number),*];
    };
}

cases! {
    1 case_01_an_infinite_loop_in_run: compute::SpinsInRun;
}

// Each number from 1 on stands for one case, in order.
const _: () = {
    let mut index = 0;
    while index < NUMBERS.len() {
        assert!(index == 0 || NUMBERS[index] > NUMBERS[index - 1], "a case is missing");
        index += 1;
    }
};

/// Which case a hostile node belongs to. A node that is not listed does not compile.
#[expect(dead_code, reason = "it is there for the compiler to check")]
fn case_of(node: Hostile) -> u8 {
    match node {
        Hostile::Spin => 1,
    }
}
