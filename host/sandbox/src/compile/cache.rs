//! Machine code, kept between processes.
//!
//! To take machine code is to run it: a forged entry is native code of somebody else's. So entries
//! live in a directory that only this user can enter, and everything about one is checked when it is
//! used: that it is a file, no link to one, of this user's, which nobody else can write to; and
//! that its digest is right, which is of its name as well as of its code, so that a good entry
//! under another's name is no good. Each is asked of what is open, not of a path that may
//! mean something else a moment later. What does not hold is made again. Nothing is written
//! in place: entries appear whole, under a name of their own until then, so that many
//! processes can share the directory.

use std::ffi::CString;
use std::fs::{DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{
    AtFlags, Dir, FileType, Mode, OFlags, Stat, fchmod, fstat, open, openat, renameat, statat,
    unlinkat,
};
use rustix::process::geteuid;
use wasmtime::Engine;

use super::LARGEST_CODE;

/// The layout's version stands in the directory's name, so that hosts of different
/// versions do not read each other's files.
const DIRECTORY: &str = "compiled-v2";

/// Length of the digest in front of an entry.
const DIGEST: usize = blake3::OUT_LEN;

/// Most bytes of entries, and most entries: a dozen plugins of the largest kind, or many more
/// of the usual one. Beyond, those that were not used for longest go.
const MOST_BYTES: u64 = 1 << 30;
const MOST_ENTRIES: usize = 200;

/// A file that was begun and not finished by then never will be, in seconds.
const ABANDONED: i64 = 3600;

/// How the names of unfinished entries end.
const UNFINISHED: &str = ".new";

/// What was compiled, and by which compiler with which settings.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key([u8; blake3::KEY_LEN]);

impl Key {
    pub(super) fn new(engine: &Engine, component: &[u8]) -> Self {
        struct Blake(blake3::Hasher);
        impl std::hash::Hasher for Blake {
            fn write(&mut self, bytes: &[u8]) {
                self.0.update(bytes);
            }
            fn finish(&self) -> u64 {
                0
            }
        }
        let mut hasher = Blake(blake3::Hasher::new());
        // Of a fixed length, so that no component continues into the settings.
        hasher.0.update(blake3::hash(component).as_bytes());
        std::hash::Hash::hash(&engine.precompile_compatibility_hash(), &mut hasher);
        Self(*hasher.0.finalize().as_bytes())
    }

    fn name(&self) -> String {
        blake3::Hash::from_bytes(self.0).to_hex().to_string()
    }

    /// The digest of code under this key.
    fn digest(&self, code: &[u8]) -> blake3::Hash {
        blake3::Hasher::new_keyed(&self.0).update_rayon(code).finalize()
    }
}

/// The private directory.
#[derive(Debug)]
pub(super) struct Cache(OwnedFd);

impl Cache {
    /// Opens the directory below `parent`, and makes it where it is missing.
    pub(super) fn open(parent: &Path) -> io::Result<Self> {
        let path = parent.join(DIRECTORY);
        DirBuilder::new().recursive(true).mode(0o700).create(&path)?;
        let how = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let directory = open(&path, how, Mode::empty())?;
        let found = fstat(&directory)?;
        if found.st_uid != geteuid().as_raw() {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "belongs to somebody else",
            ));
        }
        if found.st_mode & 0o077 != 0 {
            fchmod(&directory, Mode::RWXU)?;
        }
        Ok(Self(directory))
    }

    /// The code of an entry, if there is one and it is good.
    pub(super) fn read(&self, key: &Key) -> Option<Vec<u8>> {
        match self.try_read(key) {
            Ok(code) => Some(code),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                let entry = key.name();
                tracing::warn!(entry, %error, "a cache entry is not used; compiling again");
                None
            }
        }
    }

    fn try_read(&self, key: &Key) -> io::Result<Vec<u8>> {
        let refuse = |why| Err(io::Error::new(io::ErrorKind::InvalidData, why));
        // To open a pipe would wait for its writer.
        let how = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mut file = File::from(openat(&self.0, key.name(), how, Mode::empty())?);
        let found = fstat(&file)?;
        if !is_file(&found) || found.st_uid != geteuid().as_raw() || found.st_mode & 0o022 != 0 {
            return refuse("it is not a file that only this user can write to");
        }
        let size = size(&found);
        if size > LARGEST_CODE.saturating_add(DIGEST as u64) {
            return refuse("it is too large");
        }
        let mut digest = [0; DIGEST];
        file.read_exact(&mut digest)?;
        let mut code = Vec::new();
        code.try_reserve_exact(usize::try_from(size).map_err(io::Error::other)?)?;
        Read::by_ref(&mut file).take(size).read_to_end(&mut code)?;
        if key.digest(&code) != digest {
            return refuse("it is damaged, or another's");
        }
        // What is used stays longest.
        file.set_modified(SystemTime::now())?;
        Ok(code)
    }

    /// Keeps code, in the place of whatever has that name.
    pub(super) fn write(&self, key: &Key, code: &[u8]) -> io::Result<()> {
        static WRITES: AtomicU64 = AtomicU64::new(0);
        let name = key.name();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let unfinished = format!(
            "{name}.{}.{}.{}{UNFINISHED}",
            std::process::id(),
            WRITES.fetch_add(1, Ordering::Relaxed),
            now.as_nanos(),
        );
        let how = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mut file = File::from(openat(&self.0, &unfinished, how, Mode::RUSR | Mode::WUSR)?);
        let written = file
            .write_all(key.digest(code).as_bytes())
            .and_then(|()| file.write_all(code))
            .and_then(|()| Ok(renameat(&self.0, &unfinished, &self.0, &name)?));
        if written.is_err() {
            let _ = unlinkat(&self.0, &unfinished, AtFlags::empty());
        }
        written?;
        self.tidy(&name, MOST_BYTES, MOST_ENTRIES)
    }

    /// Removes what was not used for longest, down to so many bytes and entries, but for one.
    fn tidy(&self, but: &str, most_bytes: u64, most_entries: usize) -> io::Result<()> {
        let mut entries = Vec::new();
        for entry in Dir::read_from(self.0.as_fd())? {
            let name: CString = entry?.file_name().to_owned();
            // Another process may have removed it meanwhile.
            let Ok(found) = statat(&self.0, &name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
            if is_file(&found) && name.as_bytes() != but.as_bytes() {
                entries.push((found.st_mtime, size(&found), name));
            }
        }
        entries.sort_unstable_by(|a, b| b.cmp(a));
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let (mut bytes, mut count) = (0_u64, 1_usize);
        for (used, size, name) in entries {
            let unfinished = name.as_bytes().ends_with(UNFINISHED.as_bytes());
            if !unfinished {
                bytes = bytes.saturating_add(size);
                count = count.saturating_add(1);
            }
            let goes = match unfinished {
                true => now.saturating_sub(used) > ABANDONED,
                false => bytes > most_bytes || count > most_entries,
            };
            if goes {
                let _ = unlinkat(&self.0, &name, AtFlags::empty());
            }
        }
        Ok(())
    }
}

fn is_file(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
}

fn size(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::PathBuf;
    use std::time::Duration;

    const CODE: &[u8] = b"code that was compiled";

    /// A cache with an entry.
    struct Filled {
        folder: tempfile::TempDir,
        cache: Cache,
        key: Key,
    }

    fn key(of: &[u8]) -> Key {
        Key::new(&Engine::default(), of)
    }

    impl Filled {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let cache = Cache::open(folder.path()).unwrap();
            let key = key(b"component");
            cache.write(&key, CODE).unwrap();
            assert_eq!(cache.read(&key).unwrap(), CODE);
            Self { folder, cache, key }
        }

        fn path(&self, key: &Key) -> PathBuf {
            self.folder.path().join(DIRECTORY).join(key.name())
        }

        /// Refuses what is there now, and replaces it with what is right.
        fn heals(&self, what: &str) {
            assert_eq!(self.cache.read(&self.key), None, "{what}");
            self.cache.write(&self.key, CODE).unwrap();
            assert_eq!(self.cache.read(&self.key).unwrap(), CODE, "{what}");
        }
    }

    #[test]
    fn the_directory_is_this_users_alone() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join(DIRECTORY);
        fs::create_dir(&directory).unwrap();
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o777)).unwrap();
        Cache::open(folder.path()).unwrap();
        assert_eq!(fs::metadata(&directory).unwrap().permissions().mode() & 0o777, 0o700);

        let elsewhere = tempfile::tempdir().unwrap();
        symlink(folder.path().join(DIRECTORY), elsewhere.path().join(DIRECTORY)).unwrap();
        assert!(Cache::open(elsewhere.path()).is_err());
    }

    #[test]
    fn a_damaged_entry_is_refused_and_replaced() {
        let filled = Filled::new();
        let entry = filled.path(&filled.key);
        let good = fs::read(&entry).unwrap();
        let mut flipped = good.clone();
        flipped[DIGEST + 3] ^= 1;
        for damaged in [Vec::new(), good[..good.len() - 1].to_vec(), vec![7; 99], flipped] {
            fs::write(&entry, damaged).unwrap();
            filled.heals("damaged");
        }
    }

    #[test]
    fn a_good_entry_under_anothers_name_is_refused_and_replaced() {
        let filled = Filled::new();
        let other = key(b"another component");
        filled.cache.write(&other, b"its code").unwrap();
        fs::copy(filled.path(&other), filled.path(&filled.key)).unwrap();
        filled.heals("swapped");
    }

    #[test]
    fn an_entry_that_is_no_file_of_this_user_alone_is_refused_and_replaced() {
        let filled = Filled::new();
        let entry = filled.path(&filled.key);
        let elsewhere = filled.folder.path().join("elsewhere");
        fs::rename(&entry, &elsewhere).unwrap();
        symlink(&elsewhere, &entry).unwrap();
        filled.heals("a symbolic link");
        assert!(!entry.is_symlink());

        fs::set_permissions(&entry, fs::Permissions::from_mode(0o622)).unwrap();
        filled.heals("others can write to it");

        fs::remove_file(&entry).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&entry).status().unwrap();
        assert!(made.success());
        filled.heals("a pipe");
    }

    #[test]
    fn many_writers_of_one_entry_do_not_get_in_each_others_way() {
        let filled = Filled::new();
        let code = vec![9; 1 << 20];
        std::thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| {
                    for _ in 0..10 {
                        filled.cache.write(&filled.key, &code).unwrap();
                        assert_eq!(filled.cache.read(&filled.key).unwrap(), code);
                    }
                });
            }
        });
        assert_eq!(fs::read_dir(filled.folder.path().join(DIRECTORY)).unwrap().count(), 1);
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let filled = Filled::new();
        let keys: Vec<Key> = (0..5_u8).map(|number| key(&[number])).collect();
        for (age, key) in keys.iter().enumerate() {
            filled.cache.write(key, CODE).unwrap();
            let file = File::options().write(true).open(filled.path(key)).unwrap();
            let then = SystemTime::now() - Duration::from_secs(100 - age as u64);
            file.set_modified(then).unwrap();
        }
        // Using the oldest makes it the youngest.
        filled.cache.read(&keys[0]).unwrap();
        let half_written = filled.path(&keys[0]).with_extension("1.1.1.new");
        fs::write(&half_written, CODE).unwrap();
        filled.cache.tidy(&filled.key.name(), u64::MAX, 3).unwrap();
        let there = |key: &Key| filled.path(key).exists();
        assert_eq!(keys.iter().map(there).collect::<Vec<_>>(), [true, false, false, false, true]);
        assert!(there(&filled.key) && half_written.exists());

        let old = SystemTime::now() - Duration::from_secs(2 * ABANDONED as u64);
        File::options().write(true).open(&half_written).unwrap().set_modified(old).unwrap();
        filled.cache.tidy(&filled.key.name(), 60, usize::MAX).unwrap();
        assert_eq!(keys.iter().map(there).collect::<Vec<_>>(), [true, false, false, false, false]);
        assert!(there(&filled.key) && !half_written.exists());
    }
}
