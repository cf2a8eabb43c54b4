//! Forty-six ways to harm a host, and that it survives each of them.
//!
//! A case is a type: its guest, and what is done with it. After every one the host is alive, the
//! error is typed and names the guest's plugin, nothing is charged to it any more, and what a
//! neighbour computed meanwhile is what it computes alone, to the bit. A case without a guest, a
//! guest without a case, and a number that is missing do not compile.

mod arena;
mod compute;
mod data;
mod handles;
mod loading;
mod quota;
mod system;
mod tensors;
mod text;

use berth_hostile::Hostile;
use berth_sandbox::SandboxError;

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
    2 case_02_an_infinite_loop_in_describe: compute::SpinsInDescribe;
    3 case_03_unbounded_recursion: compute::Descends;
    4 case_04_a_guest_panic: compute::Panics;
    5 case_05_memory_that_grows_past_the_limit: compute::Grows;
    6 case_06_many_memories_whose_sum_is_over_the_limit: compute::GrowsInManyMemories;
    7 case_07_a_huge_table: compute::GrowsTables;
    8 case_08_a_host_call_that_takes_longer_than_the_deadline: compute::Multiplies;
    9 case_09_polls_without_a_time_out: system::Polls;
    10 case_10_giant_copies_in_a_loop: compute::Copies;
    11 case_11_handles_leaked_until_the_table_is_full: handles::Hoards;
    12 case_12_a_full_quota_and_then_a_trap: handles::FillsItsQuota;
    13 case_13_one_handle_lent_a_million_times_in_a_list: handles::LendsOften;
    14 case_14_use_after_drop_and_a_second_drop: handles::UsesDropped;
    15 case_15_forged_handles: handles::Forges;
    16 case_16_a_model_where_a_tensor_is_expected: handles::Confuses;
    17 case_17_a_borrow_kept_past_the_call: handles::LendsAndGives;
    18 case_18_the_same_tensor_as_two_outputs: handles::ReturnsTwice;
    19 case_19_a_million_clones_of_one_tensor: handles::ClonesOften;
    20 case_20_a_tensor_dropped_and_moved_while_it_is_read: handles::ReadsOften;
    21 case_21_a_list_over_the_limit_of_a_host_call: data::PassesMuch;
    22 case_22_eight_million_empty_strings: data::PassesMany;
    23 case_23_texts_and_pointers_that_are_none: data::PointsAstray;
    24 case_24_memory_that_is_not_there_for_the_hosts_answer: data::MakesNoRoom;
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
    38 case_38_ways_out_of_a_granted_folder: system::Escapes;
    39 case_39_sockets_names_and_the_environment: system::Reaches;
    40 case_40_labels_that_are_paths: loading::Paths;
    41 case_41_bytes_that_are_no_component: loading::OddBytes;
    42 case_42_a_compile_bomb: system::Bombs;
    43 case_43_another_component_and_anothers_name: loading::Impostors;
    44 case_44_descriptions_that_lie: loading::Lies;
    45 case_45_models_that_lie_and_files_that_change: loading::Models;
    46 case_46_no_memory_left_for_others: loading::Greedy;
}

// Each number from 1 to 46 stands for one case, in order.
const _: () = {
    assert!(NUMBERS.len() == 46, "a case is missing");
    let mut index = 0;
    while index < NUMBERS.len() {
        assert!(NUMBERS[index] as usize == index + 1, "a case is missing");
        index += 1;
    }
};

/// Which case a hostile node belongs to. A node that is not listed does not compile.
#[expect(dead_code, reason = "it is there for the compiler to check")]
fn case_of(node: Hostile) -> u8 {
    match node {
        Hostile::Spin => 1,
        Hostile::Descend => 3,
        Hostile::Panic => 4,
        Hostile::Grow => 5,
        Hostile::Multiply => 8,
        Hostile::Hoard => 11,
        Hostile::FillAndPanic => 12,
        Hostile::LendOften => 13,
        Hostile::UseDropped => 14,
        Hostile::Forge => 15,
        Hostile::Confuse => 16,
        Hostile::LendAndGive => 17,
        Hostile::Twice => 18,
        Hostile::CloneOften => 19,
        Hostile::ReadOften => 20,
        Hostile::PassMuch => 21,
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

/// The guest crashed, and the reason says so in these words.
fn crashed(error: &SandboxError, words: &str) {
    let SandboxError::Trapped { reason, .. } = error else { panic!("{error:?}") };
    assert!(reason.contains(words), "{reason}");
}
