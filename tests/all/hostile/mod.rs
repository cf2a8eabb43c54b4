//! Forty-six ways to harm a host, and that it survives each of them.
//!
//! A case is a type: its guest, and what is done with it. After every one the host is alive, the
//! error is typed and names the guest's plugin, nothing is charged to it any more, and what a
//! neighbour computed meanwhile is what it computes alone, to the bit. A case without a guest, a
//! guest without a case, and a number that is missing do not compile.

mod arena;
mod compute;
mod loading;
mod quota;
mod tensors;

use berth_hostile::Hostile;

use self::arena::{Arena, Case, Guest, NAME, Outcome, survives};

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
    25 case_25_shapes_that_overflow: tensors::Overflows;
    26 case_26_no_elements_and_a_million_dimensions: tensors::Ranks;
    27 case_27_data_of_another_length_than_its_shape: tensors::Lengths;
    28 case_28_reading_where_the_tensor_is_not: tensors::ReadsOutside;
    29 case_29_what_is_no_number_and_indices_of_nothing: tensors::Poison;
    30 case_30_a_fresh_tensor_shows_nobodys_bytes: tensors::Peeks;
    31 case_31_a_quota_to_the_byte_and_one_byte_more: quota::ToTheByte;
    32 case_32_a_storm_of_allocations: quota::Storms;
    33 case_33_one_name_for_two_and_two_names_for_one: quota::Doubles;
    34 case_34_cancelled_at_every_step: quota::Cancelled;
    35 case_35_a_cancellation_that_is_ignored: quota::Deaf;
    36 case_36_floods_and_escapes: quota::Floods;
    37 case_37_imports_without_a_right: loading::Imports;
    40 case_40_labels_that_are_paths: loading::Paths;
    41 case_41_bytes_that_are_no_component: loading::OddBytes;
    43 case_43_another_component_and_anothers_name: loading::Impostors;
    44 case_44_descriptions_that_lie: loading::Lies;
    45 case_45_models_that_lie_and_files_that_change: loading::Models;
    46 case_46_no_memory_left_for_others: loading::Greedy;
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
        Hostile::Overflow => 25,
        Hostile::Ranks => 26,
        Hostile::Lengths => 27,
        Hostile::Outside => 28,
        Hostile::Poison => 29,
        Hostile::Peek => 30,
        Hostile::ToTheByte => 31,
        Hostile::Storm => 32,
        Hostile::Busy => 34,
        Hostile::Deaf => 35,
        Hostile::Flood => 36,
        Hostile::Reach => 40,
        Hostile::Liar | Hostile::Twin => 44,
        Hostile::Load => 45,
        Hostile::Greedy => 46,
    }
}
