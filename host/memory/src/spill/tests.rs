//! On real files: what is written comes back, what is freed is gone, what fails is said.

use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::thread;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::sync::scheduled::explore;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

fn store_in(folder: &Path, limit: u64) -> Arc<SpillStore> {
    Arc::new(SpillStore::new(SpillSettings { folder: folder.to_owned(), limit }))
}

fn store(limit: usize) -> (TempDir, Arc<SpillStore>) {
    let folder = tempfile::tempdir().unwrap();
    let store = store_in(folder.path(), limit as u64);
    (folder, store)
}

/// Bytes that differ from block to block and from seed to seed.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut bytes: Vec<u8> = (0..length.div_ceil(8)).flat_map(|_| next()).collect();
    bytes.truncate(length);
    bytes
}

fn spill(store: &Arc<SpillStore>, bytes: &[u8]) -> Result<Extent, MemoryError> {
    store.write(bytes.len() as u64, &mut |offset, into| {
        into.copy_from_slice(&bytes[offset as usize..][..into.len()]);
        Ok(())
    })
}

fn read(extent: &Extent, offset: usize, length: usize) -> Vec<u8> {
    let mut into = vec![0xaa; length];
    extent.read(offset as u64, &mut into).unwrap();
    into
}

fn used(store: &SpillStore) -> u64 {
    store.space.lock().used()
}

fn file_length(store: &SpillStore) -> u64 {
    store.file.get().unwrap().metadata().unwrap().len()
}

fn check_empty(store: &SpillStore) {
    assert_eq!((used(store), file_length(store), store.bytes_on_disk()), (0, 0, 0));
}

fn entries(folder: &Path) -> usize {
    folder.read_dir().unwrap().count()
}

#[test]
fn bytes_of_any_size_come_back_whole() {
    let (_folder, store) = store(64 * MIB);
    let sizes = [0, 1, 4095, 4096, 4097, PIECE - 1, PIECE, PIECE + 1, CHUNK, CHUNK + 1, 9 * MIB];
    let written: Vec<_> = sizes
        .iter()
        .map(|size| noise(*size as u64, *size))
        .map(|bytes| (spill(&store, &bytes).unwrap(), bytes))
        .collect();
    for (extent, bytes) in &written {
        assert_eq!(extent.bytes_taken(), bytes.len().next_multiple_of(4096) as u64);
        assert!(read(extent, 0, bytes.len()) == *bytes, "{} bytes", bytes.len());
    }
    drop(written);
    check_empty(&store);
}

#[test]
fn any_part_can_be_read() {
    let (_folder, store) = store(16 * MIB);
    let bytes = noise(1, CHUNK + PIECE + 100);
    let extent = spill(&store, &bytes).unwrap();
    let places = [0, 1, 4096, PIECE - 1, PIECE, PIECE + 1, CHUNK - 1, CHUNK, CHUNK + PIECE + 99];
    for start in places {
        for end in places.into_iter().chain([bytes.len()]).filter(|end| *end >= start) {
            let part = read(&extent, start, end - start);
            assert!(part == bytes[start..end], "from {start} to {end}");
        }
    }
}

#[test]
fn a_read_past_the_end_is_out_of_range() {
    let (_folder, store) = store(MIB);
    let extent = spill(&store, &[7; 100]).unwrap();
    for (offset, length) in [(0, 101), (100, 1), (u64::MAX, 1), (101, 0)] {
        let error = extent.read(offset, &mut vec![0; length]).unwrap_err();
        assert!(matches!(error, MemoryError::OutOfRange { bytes: 100, .. }), "{error}");
    }
}

#[test]
fn nothing_is_made_before_the_first_byte_is_spilled() {
    let store = store_in(Path::new("/nowhere/at/all"), 1 << 30);
    drop(spill(&store, &[]).unwrap());
    assert_eq!(store.bytes_on_disk(), 0);
}

#[test]
fn a_spill_file_has_no_name_while_it_holds_bytes() {
    let (folder, store) = store(MIB);
    let extent = spill(&store, &noise(1, MIB)).unwrap();
    assert_eq!(entries(folder.path()), 0);
    assert_eq!(store.file.get().unwrap().metadata().unwrap().nlink(), 0);
    assert!(store.bytes_on_disk() >= MIB as u64);
    drop(store);
    assert!(read(&extent, 0, MIB) == noise(1, MIB), "the extent keeps the store");
}

#[test]
fn freed_space_is_used_again_without_growth() {
    let (_folder, store) = store(3 * MIB);
    let mut extents: Vec<_> = (0..3).map(|seed| spill(&store, &noise(seed, MIB)).ok()).collect();
    for round in 0..10 {
        let which = round as usize % 2;
        extents[which] = None;
        extents[which] = spill(&store, &noise(round, MIB)).ok();
        assert!(read(extents[which].as_ref().unwrap(), 0, MIB) == noise(round, MIB));
        assert_eq!(file_length(&store), 3 * MIB as u64);
    }
    assert!(read(extents[2].as_ref().unwrap(), 0, MIB) == noise(2, MIB));
}

#[test]
fn freed_space_goes_back_to_the_filesystem_at_once() {
    let (_folder, store) = store(3 * MIB);
    let first = spill(&store, &noise(1, MIB)).unwrap();
    let second = spill(&store, &noise(2, MIB)).unwrap();
    let third = spill(&store, &noise(3, MIB)).unwrap();
    let all = store.bytes_on_disk();
    drop(first);
    assert!(store.bytes_on_disk() <= all - MIB as u64, "a hole in the middle");
    assert_eq!(file_length(&store), 3 * MIB as u64);
    drop(third);
    assert_eq!(file_length(&store), 2 * MIB as u64, "the end is cut off");
    assert!(read(&second, 0, MIB) == noise(2, MIB));
    drop(second);
    check_empty(&store);
}

#[test]
fn the_limit_counts_whole_blocks_and_is_reached_but_not_passed() {
    let (folder, store) = store(3 * 4096);
    let first = spill(&store, &[1; 4097]).unwrap();
    let error = spill(&store, &[2; 4097]).err().unwrap();
    let MemoryError::SpillLimit { requested: 8192, limit: 12288, used: 8192, .. } = error else {
        panic!("{error}");
    };
    assert!(error.to_string().contains(folder.path().to_str().unwrap()), "{error}");
    let second = spill(&store, &[2; 4096]).unwrap();
    assert!(spill(&store, &[3; 1]).is_err());
    drop(first);
    let third = spill(&store, &[3; 4097]).unwrap();
    assert_eq!((read(&second, 0, 4096), read(&third, 0, 4097)), (vec![2; 4096], vec![3; 4097]));
}

#[test]
fn no_size_is_too_large_to_be_refused() {
    let (_folder, store) = store(MIB);
    for bytes in [u64::MAX, u64::MAX - 4095, 1 << 63] {
        let error = store.write(bytes, &mut |_, _| panic!("nothing to read")).err().unwrap();
        assert!(matches!(error, MemoryError::SpillLimit { used: 0, .. }), "{error}");
    }
}

#[test]
fn a_write_whose_bytes_cannot_be_had_takes_nothing() {
    let (_folder, store) = store(16 * MIB);
    let kept = spill(&store, &noise(1, 100 * KIB)).unwrap();
    let before = used(&store);
    let error = store.write(9 * MIB as u64, &mut |offset, into| {
        into.fill(1);
        if offset == 0 { Ok(()) } else { Err(MemoryError::Cancelled) }
    });
    assert!(matches!(error.err(), Some(MemoryError::Cancelled)));
    // More often than there are buffers.
    for _ in 0..9 {
        let panics = || store.write(9, &mut |_, _| panic!("a panic that was asked for"));
        assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
    }
    assert_eq!((used(&store), file_length(&store)), (before, before));
    drop(spill(&store, &noise(2, 9 * MIB)).unwrap());
    assert!(read(&kept, 0, 100 * KIB) == noise(1, 100 * KIB));
}

#[test]
fn a_changed_byte_is_seen_wherever_it_is_and_by_whoever_reads_its_piece() {
    let (folder, store) = store(16 * MIB);
    let bytes = noise(1, 5 * MIB + 100);
    let extent = spill(&store, &bytes).unwrap();
    let file = store.file.get().unwrap();
    for place in [0, PIECE - 1, PIECE, CHUNK + 5, bytes.len() - 1] {
        let at = extent.start + place as u64;
        file.write_all_at(&[!bytes[place]], at).unwrap();
        let piece = place / PIECE * PIECE;
        let end = bytes.len().min(piece + PIECE);
        for (start, end) in
            [(0, bytes.len()), (place, place + 1), (piece, piece + 1), (end - 1, end)]
        {
            let error = extent.read(start as u64, &mut vec![0; end - start]).unwrap_err();
            assert!(matches!(error, MemoryError::SpillCorrupted { .. }), "{error}");
            let text = error.to_string();
            assert!(text.contains(folder.path().to_str().unwrap()), "{text}");
            assert!(text.contains(&format!("{} bytes", bytes.len())), "{text}");
        }
        // Other pieces are as good as before.
        let other = (piece + 2 * PIECE) % (5 * MIB);
        assert!(read(&extent, other, 10) == bytes[other..][..10]);
        file.write_all_at(&[bytes[place]], at).unwrap();
    }
    assert!(read(&extent, 0, bytes.len()) == bytes);
}

#[test]
fn a_lost_part_of_the_file_is_seen() {
    let (_folder, store) = store(MIB);
    let extent = spill(&store, &noise(1, 200 * KIB)).unwrap();
    let file = store.file.get().unwrap();
    punch(file, 0, PIECE as u64);
    file.set_len(2 * PIECE as u64).unwrap();
    for offset in [0, 150 * KIB as u64] {
        let error = extent.read(offset, &mut [0; 10]).unwrap_err();
        assert!(matches!(error, MemoryError::SpillCorrupted { bytes: 204_800, .. }), "{error}");
    }
    assert!(read(&extent, PIECE, 10) == noise(1, 200 * KIB)[PIECE..][..10]);
}

#[test]
fn a_folder_that_is_missing_is_named_and_used_once_it_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spill");
    let store = store_in(&path, MIB as u64);
    for error in [store.settings.check().err().unwrap(), spill(&store, &[1; 10]).err().unwrap()] {
        let MemoryError::SpillUnavailable { cause, .. } = &error else { panic!("{error}") };
        assert_eq!(cause.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
    assert_eq!(used(&store), 0);
    std::fs::create_dir(&path).unwrap();
    store.settings.check().unwrap();
    assert_eq!((entries(&path), store.file.get().is_none()), (0, true));
    assert_eq!(read(&spill(&store, &[1; 10]).unwrap(), 0, 10), [1; 10]);
}

#[test]
fn a_file_is_no_folder() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = store_in(file.path(), 1 << 20).settings.check().unwrap_err();
    assert!(matches!(error, MemoryError::SpillUnavailable { .. }), "{error}");
}

#[test]
fn a_disk_that_takes_nothing_or_gives_nothing_is_an_error_that_names_the_folder() {
    let opened =
        |path: &str, write: bool| File::options().read(!write).write(write).open(path).unwrap();
    let (folder, store) = store(MIB);
    store.file.set(opened("/dev/zero", false)).unwrap();
    let error = spill(&store, &[1; 10]).err().unwrap();
    let MemoryError::SpillFailed { operation: "write", bytes: 10, .. } = error else {
        panic!("{error}");
    };
    assert!(error.to_string().contains(folder.path().to_str().unwrap()), "{error}");
    assert_eq!(used(&store), 0);

    let store = store_in(folder.path(), MIB as u64);
    store.file.set(opened("/dev/null", true)).unwrap();
    let extent = spill(&store, &[1; 10]).unwrap();
    let error = extent.read(0, &mut [0; 10]).unwrap_err();
    assert!(matches!(error, MemoryError::SpillFailed { operation: "read", .. }), "{error}");
}

#[test]
fn a_device_without_room_is_a_full_disk() {
    let (folder, store) = store(MIB);
    let full = File::options().read(true).write(true).open("/dev/full").unwrap();
    store.file.set(full).unwrap();
    let error = spill(&store, &[1; 5000]).err().unwrap();
    let MemoryError::SpillFull { requested: 8192, limit: 1_048_576, used: 0, cause, .. } = &error
    else {
        panic!("{error}");
    };
    assert_eq!(cause.kind(), ErrorKind::StorageFull);
    assert!(error.to_string().contains(folder.path().to_str().unwrap()), "{error}");
    assert_eq!(used(&store), 0);
}

/// Set where the test below runs in a mount namespace of its own: the folder of its disks.
const DISKS: &str = "BERTH_TEST_SPILL_DISKS";

#[test]
fn a_full_disk_fails_one_write_and_loses_nothing_else() {
    if let Some(disks) = std::env::var_os(DISKS) {
        return fill_the_disk(Path::new(&disks));
    }
    let isolated = |script: &str, folder: &Path| {
        let name = "spill::tests::a_full_disk_fails_one_write_and_loses_nothing_else";
        Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-ec", script])
            .arg(folder)
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(DISKS, folder)
            .output()
    };
    let folder = tempfile::tempdir().unwrap();
    let mount = "mkdir \"$0/small\" \"$0/sealed\"; mount -t tmpfs -o size=1m none \"$0/small\"; \
                 mount -t tmpfs -o ro none \"$0/sealed\"";
    if !isolated(mount, folder.path()).is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this system lets no test mount a small disk");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let output = isolated(&format!("{mount}; exec \"$@\""), folder.path()).unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{output:?}");
}

fn fill_the_disk(disks: &Path) {
    let small = disks.join("small");
    let store = store_in(&small, 1 << 40);
    store.settings.check().unwrap();
    let first = spill(&store, &noise(1, 600 * KIB)).unwrap();
    for _ in 0..3 {
        let error = spill(&store, &noise(2, 5 * MIB)).err().unwrap();
        let MemoryError::SpillFull { requested: 5_242_880, used: 614_400, cause, .. } = &error
        else {
            panic!("{error}");
        };
        assert_eq!(cause.kind(), ErrorKind::StorageFull);
        assert!(error.to_string().contains(small.to_str().unwrap()), "{error}");
        assert_eq!((used(&store), file_length(&store)), (614_400, 614_400));
    }
    // What the failed writes took is free again, in the books and on the disk.
    let second = spill(&store, &noise(3, 400 * KIB)).unwrap();
    assert!(read(&first, 0, 600 * KIB) == noise(1, 600 * KIB));
    drop(first);
    let third = spill(&store, &noise(4, 600 * KIB)).unwrap();
    assert!(read(&second, 0, 400 * KIB) == noise(3, 400 * KIB));
    assert!(read(&third, 0, 600 * KIB) == noise(4, 600 * KIB));
    drop((second, third));
    check_empty(&store);

    let error = store_in(&disks.join("sealed"), 1 << 40).settings.check().unwrap_err();
    let MemoryError::SpillUnavailable { cause, .. } = &error else { panic!("{error}") };
    assert_eq!(cause.kind(), ErrorKind::ReadOnlyFilesystem);
}

#[test]
fn a_write_that_waits_for_its_bytes_holds_nobody_up() {
    let (_folder, store) = store(16 * MIB);
    let before = spill(&store, &noise(1, MIB)).unwrap();
    let (reached, started) = mpsc::channel();
    let (go, may_go) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let slow = scope.spawn(|| {
            let wait = move |_: u64, into: &mut [u8]| {
                reached.send(()).unwrap();
                may_go.recv().unwrap();
                into.fill(9);
                Ok(())
            };
            store.write(10, &mut { wait })
        });
        started.recv().unwrap();
        let other = spill(&store, &noise(2, 5 * MIB)).unwrap();
        assert!(read(&other, 0, 5 * MIB) == noise(2, 5 * MIB));
        drop(before);
        go.send(()).unwrap();
        assert_eq!(read(&slow.join().unwrap().unwrap(), 0, 10), [9; 10]);
    });
    check_empty(&store);
}

#[test]
fn more_threads_than_buffers_write_read_and_free_at_once() {
    let (_folder, store) = store(64 * MIB);
    thread::scope(|scope| {
        for thread in 0..8_u64 {
            let store = &store;
            scope.spawn(move || {
                let mut held = Vec::new();
                for round in 0..20 {
                    let seed = thread * 100 + round;
                    let size = if round == 7 { CHUNK + 1 } else { seed as usize * 7919 % 300_000 };
                    let bytes = noise(seed, size);
                    held.push((spill(store, &bytes).unwrap(), bytes));
                    if held.len() > 3 {
                        held.remove(round as usize % 3);
                    }
                    for (extent, bytes) in &held {
                        assert!(read(extent, 0, bytes.len()) == *bytes);
                    }
                }
            });
        }
    });
    check_empty(&store);
}

#[test]
fn no_interleaving_leaves_a_writer_waiting_for_a_buffer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    explore(300, move || {
        let store = store_in(&path, MIB as u64);
        let write = |seed| {
            let store = store.clone();
            shuttle::thread::spawn(move || {
                let pause = |_: u64, into: &mut [u8]| {
                    shuttle::thread::yield_now();
                    into.copy_from_slice(&noise(seed, 9000));
                    Ok(())
                };
                let extent = store.write(9000, &mut { pause }).unwrap();
                assert!(read(&extent, 0, 9000) == noise(seed, 9000));
            })
        };
        // Two more than there are buffers.
        let threads: Vec<_> = (0..6).map(write).collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        check_empty(&store);
    });
}

#[derive(Debug, Clone)]
enum Step {
    Write(usize),
    Read(prop::sample::Index, prop::sample::Index, prop::sample::Index),
    Free(prop::sample::Index),
}

fn step() -> impl Strategy<Value = Step> {
    let size = prop_oneof![
        4 => 0..20_000_usize,
        4 => (1..4_usize, 0..3_usize).prop_map(|(pieces, more)| pieces * PIECE - 1 + more),
        1 => CHUNK - 1..CHUNK + 2,
    ];
    prop_oneof![
        3 => size.prop_map(Step::Write),
        4 => any::<(prop::sample::Index, prop::sample::Index, prop::sample::Index)>()
            .prop_map(|(which, start, end)| Step::Read(which, start, end)),
        2 => any::<prop::sample::Index>().prop_map(Step::Free),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_sequence_gives_what_a_list_of_vectors_gives(steps in prop::collection::vec(step(), 1..40)) {
        let limit = 6 * MIB;
        let (_folder, store) = store(limit);
        let mut model: Vec<(Extent, Vec<u8>)> = Vec::new();
        for (seed, step) in steps.into_iter().enumerate() {
            match step {
                Step::Write(size) => {
                    let bytes = noise(seed as u64, size);
                    let fits = used(&store) + size.next_multiple_of(4096) as u64 <= limit as u64;
                    let extent = spill(&store, &bytes);
                    prop_assert_eq!(extent.is_ok(), fits);
                    model.extend(extent.ok().map(|extent| (extent, bytes)));
                }
                Step::Read(which, start, end) if !model.is_empty() => {
                    let (extent, bytes) = which.get(&model);
                    let (start, end) = (start.index(bytes.len() + 1), end.index(bytes.len() + 1));
                    let (start, end) = (start.min(end), start.max(end));
                    prop_assert!(read(extent, start, end - start) == bytes[start..end]);
                }
                Step::Free(which) if !model.is_empty() => {
                    drop(model.swap_remove(which.index(model.len())));
                }
                _ => {}
            }
            let taken: u64 = model.iter().map(|(extent, _)| extent.bytes_taken()).sum();
            prop_assert_eq!(used(&store), taken);
        }
        for (extent, bytes) in &model {
            prop_assert!(read(extent, 0, bytes.len()) == *bytes);
        }
        drop(model);
        prop_assert_eq!((used(&store), store.bytes_on_disk()), (0, 0));
    }
}
