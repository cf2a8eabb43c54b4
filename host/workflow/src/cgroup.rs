//! The memory that the cgroups of this process leave it.
//!
//! Read from the kernel's files, since `sysinfo` cannot say it: what it calls free counts the
//! page cache as used, which is most of a cgroup once a model file was read, and which the
//! kernel gives up before anything else. A limit can stand at any level, from the
//! process's own cgroup up to the root, so all of them are looked at, each time:
//! an operator can change them while the process runs.

use std::fs;
use std::path::{Component, Path, PathBuf};

/// The cgroups of this process that can limit its memory. None where the system has none.
#[derive(Debug)]
pub(crate) struct Cgroups(Vec<Level>);

/// One cgroup.
#[derive(Debug)]
struct Level {
    folder: PathBuf,
    files: &'static Files,
}

/// What the two versions of cgroups call their files.
#[derive(Debug)]
struct Files {
    /// A process over any of them is killed or slowed down.
    limits: &'static [&'static str],
    used: &'static str,
    /// Entries of `memory.stat`, the groups below included: the page cache, which is in `used`.
    cache: [&'static str; 2],
}

const V1: Files = Files {
    limits: &["memory.limit_in_bytes"],
    used: "memory.usage_in_bytes",
    cache: ["total_inactive_file", "total_active_file"],
};

const V2: Files = Files {
    limits: &["memory.max", "memory.high"],
    used: "memory.current",
    cache: ["inactive_file", "active_file"],
};

impl Cgroups {
    /// Finds them where every Linux has them.
    pub(crate) fn of_this_process() -> Self {
        let membership = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        Self::find(&membership, Path::new("/sys/fs/cgroup"))
    }

    fn find(membership: &str, mount: &Path) -> Self {
        let mut levels = Vec::new();
        for line in membership.lines() {
            let mut fields = line.splitn(3, ':').skip(1);
            let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
            let (root, files) = match controllers {
                "" => (mount.to_owned(), &V2),
                _ if controllers.split(',').any(|one| one == "memory") => {
                    (mount.join("memory"), &V1)
                }
                _ => continue,
            };
            let path = Path::new(path.trim_start_matches('/'));
            let outside = path.components().any(|part| part == Component::ParentDir);
            let own = root.join(path);
            // In a container, the root is often all that is to be seen, and is its own cgroup.
            let own = if !outside && own.is_dir() { own } else { root.clone() };
            let up = own.ancestors().take_while(|folder| folder.starts_with(&root));
            levels.extend(up.map(|folder| Level { folder: folder.to_owned(), files }));
        }
        Self(levels)
    }

    /// The least limit in bytes, if there is one. An old kernel's way of saying that there is
    /// none is a number larger than any memory.
    pub(crate) fn limit(&self) -> Option<u64> {
        self.0.iter().filter_map(Level::limit).min()
    }

    /// Bytes that are left below the limits, when all page cache is given up.
    pub(crate) fn available(&self) -> Option<u64> {
        self.0.iter().filter_map(Level::available).min()
    }
}

impl Level {
    fn limit(&self) -> Option<u64> {
        self.files.limits.iter().filter_map(|file| self.number(file)).min()
    }

    fn available(&self) -> Option<u64> {
        let (limit, used) = (self.limit()?, self.number(self.files.used)?);
        Some(limit.saturating_sub(used.saturating_sub(self.cache())))
    }

    /// A number, where the file has one, and not the word `max`.
    fn number(&self, file: &str) -> Option<u64> {
        fs::read_to_string(self.folder.join(file)).ok()?.trim().parse().ok()
    }

    fn cache(&self) -> u64 {
        let text = fs::read_to_string(self.folder.join("memory.stat")).unwrap_or_default();
        let entries = text.lines().filter_map(|line| line.split_once(' '));
        entries
            .filter(|(name, _)| self.files.cache.contains(name))
            .filter_map(|(_, bytes)| bytes.trim().parse().ok())
            .fold(0, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files as a kernel would show them.
    fn kernel(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn page_cache_does_not_count_as_used() {
        let root = kernel(&[
            ("memory.max", "1000\n"),
            ("memory.current", "900\n"),
            ("memory.stat", "anon 100\nfile 790\ninactive_file 500\nactive_file 250\nshmem 40\n"),
        ]);
        let found = Cgroups::find("0::/\n", root.path());
        assert_eq!((found.limit(), found.available()), (Some(1000), Some(850)));
    }

    #[test]
    fn the_level_that_leaves_least_decides() {
        let root = kernel(&[
            ("a/memory.max", "1000"),
            ("a/memory.current", "950"),
            ("a/memory.stat", "inactive_file 10\nactive_file 0\n"),
            ("a/b/memory.max", "max"),
            ("a/b/memory.high", "600"),
            ("a/b/memory.current", "100"),
            ("a/b/memory.stat", "inactive_file 0\nactive_file 0\n"),
        ]);
        let found = Cgroups::find("0::/a/b\n", root.path());
        assert_eq!((found.limit(), found.available()), (Some(600), Some(60)));
        fs::write(root.path().join("a/memory.current"), "50").unwrap();
        assert_eq!(found.available(), Some(500), "looked at anew");
    }

    #[test]
    fn the_first_version_is_understood_beside_the_second() {
        let root = kernel(&[
            ("unified/cgroup.procs", ""),
            ("memory/memory.limit_in_bytes", "9223372036854771712"),
            ("memory/memory.usage_in_bytes", "5000"),
            ("memory/box/memory.limit_in_bytes", "1000"),
            ("memory/box/memory.usage_in_bytes", "700"),
            (
                "memory/box/memory.stat",
                "inactive_file 1\ntotal_inactive_file 200\ntotal_active_file 50\n",
            ),
        ]);
        let membership = "9:name=systemd:/\n4:cpu,memory:/box\n1:cpuset:/\n0::/\n";
        let found = Cgroups::find(membership, root.path());
        assert_eq!((found.limit(), found.available()), (Some(1000), Some(550)));
    }

    #[test]
    fn a_container_that_sees_only_its_own_cgroup_is_limited_by_it() {
        let root = kernel(&[
            ("memory.max", "1000"),
            ("memory.current", "100"),
            ("memory.stat", "inactive_file 0\n"),
        ]);
        for path in ["/docker/0123", "/../../other", "/"] {
            let found = Cgroups::find(&format!("0::{path}\n"), root.path());
            assert_eq!(found.available(), Some(900), "{path}");
        }
    }

    #[test]
    fn no_limit_and_no_cgroups_are_unknown() {
        let root = kernel(&[("a/memory.max", "max\n"), ("a/memory.current", "100\n")]);
        for membership in ["0::/a\n", "", "nonsense", "1:cpu:/a"] {
            let found = Cgroups::find(membership, root.path());
            assert_eq!((found.limit(), found.available()), (None, None), "{membership}");
        }
    }
}
