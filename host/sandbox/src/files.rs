//! The operator's folders, as nodes may use them.
//!
//! A guest names files, and names are not trusted: everything goes through
//! directory handles (cap-std) that cannot be left by `..`, an absolute path or a symbolic
//! link, and the host chooses the number in the name, so that nothing is overwritten.

use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};

use crate::error::{GuestError, SandboxError};
use crate::events::{Artifact, Place};
use crate::text::{is_escaped, plain};

/// Longest file that a node may read from the input folder: as much as fits a
/// guest's memory anyway.
const LARGEST_INPUT: u64 = 256 << 20;

/// Longest ending of a file, and kind of one, in bytes.
const LONGEST_WORD: usize = 32;

/// Opens what would wait for somebody at its other end without waiting.
const NONBLOCK: i32 = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();

/// Endings of files that image inputs list.
const IMAGES: [&str; 6] = ["png", "jpg", "jpeg", "webp", "bmp", "gif"];

/// Where nodes find and leave files.
#[derive(Debug, Clone)]
pub struct Folders {
    /// Results.
    pub output: PathBuf,
    /// Files of no lasting value.
    pub temporary: PathBuf,
    /// What workflows take in.
    pub input: PathBuf,
}

impl Folders {
    /// The image files of the input folder, sorted; none when there is no such folder.
    pub fn images(&self) -> Vec<String> {
        crate::models::files_below(&self.input, &IMAGES)
    }

    /// Checks that the output folder can be made and written to, so that a workflow
    /// does not find out after an hour.
    ///
    /// # Errors
    /// [`SandboxError::Folder`].
    pub fn check(&self) -> Result<(), SandboxError> {
        let failed =
            |source| SandboxError::Folder { what: "output", path: self.output.clone(), source };
        std::fs::create_dir_all(&self.output).map_err(failed)?;
        let probe = self.output.join(format!(".berth-{}", std::process::id()));
        std::fs::File::create_new(&probe).map_err(failed)?;
        std::fs::remove_file(&probe).map_err(failed)
    }

    /// Writes a file under the next free number of its prefix.
    pub(crate) fn save(
        &self,
        place: Place,
        kind: &str,
        prefix: &str,
        extension: &str,
        data: &[u8],
    ) -> Result<Artifact, GuestError> {
        let (root, subfolder, stem) = self.target(place, kind, prefix, extension)?;
        let failed = |error: io::Error| {
            GuestError::Other(format!(
                "cannot write {prefix:?} to {}: {error}; check that the folder can be written to, \
                 or choose another with `--output`",
                root.display()
            ))
        };
        std::fs::create_dir_all(root).map_err(failed)?;
        let mut folder = Dir::open_ambient_dir(root, ambient_authority()).map_err(failed)?;
        if !subfolder.is_empty() {
            folder.create_dir_all(&subfolder).map_err(failed)?;
            folder = folder.open_dir(&subfolder).map_err(failed)?;
        }
        let mut number = last_number(&folder, stem).map_err(failed)?;
        let (name, mut file) = loop {
            number = number.saturating_add(1);
            let name = file_name(stem, number, extension);
            match folder.open_with(&name, OpenOptions::new().write(true).create_new(true)) {
                Ok(file) => break (name, file),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed(error)),
            }
        };
        if let Err(error) = file.write_all(data) {
            // Half a picture helps nobody; that the rest stays is no worse.
            let _ = folder.remove_file(&name);
            return Err(failed(error));
        }
        Ok(Artifact { kind: kind.into(), name, subfolder, place })
    }

    /// What [`Folders::save`] would give, of a file that is not written. Several of
    /// one prefix have the same number: none of them is there when the next is asked for.
    pub(crate) fn rehearse_save(
        &self,
        place: Place,
        kind: &str,
        prefix: &str,
        extension: &str,
    ) -> Result<Artifact, GuestError> {
        let (root, subfolder, stem) = self.target(place, kind, prefix, extension)?;
        let last = Dir::open_ambient_dir(root, ambient_authority())
            .and_then(
                |root| if subfolder.is_empty() { Ok(root) } else { root.open_dir(&subfolder) },
            )
            .and_then(|folder| last_number(&folder, stem));
        // A folder that is not there yet has no files.
        let name = file_name(stem, last.unwrap_or(0).saturating_add(1), extension);
        Ok(Artifact { kind: kind.into(), name, subfolder, place })
    }

    /// Where a file goes: the root of its place, the folder below it, and how its name begins.
    fn target<'a>(
        &self,
        place: Place,
        kind: &str,
        prefix: &'a str,
        extension: &str,
    ) -> Result<(&Path, String, &'a str), GuestError> {
        let word = |text: &str| {
            !text.is_empty()
                && text.len() <= LONGEST_WORD
                && text.chars().all(|c| c.is_ascii_alphanumeric())
        };
        if !word(kind) || !word(extension) {
            let (kind, extension) = (plain(kind), plain(extension));
            return Err(GuestError::InvalidArgument(format!(
                "kind `{kind}` and extension `{extension}` must be letters and digits, at most \
                 {LONGEST_WORD}"
            )));
        }
        let root = match place {
            Place::Output => &self.output,
            Place::Temporary => &self.temporary,
        };
        let (subfolder, stem) = split_prefix(prefix)?;
        Ok((root, subfolder, stem))
    }

    /// Reads a file of the input folder.
    pub(crate) fn read_input(&self, name: &str) -> Result<Vec<u8>, GuestError> {
        let shown = plain(name);
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => GuestError::NotFound(format!(
                "no file `{shown}` in the input folder {}",
                self.input.display()
            )),
            _ => GuestError::InvalidArgument(format!("cannot read input `{shown}`: {error}")),
        };
        let folder = Dir::open_ambient_dir(&self.input, ambient_authority()).map_err(failed)?;
        // A pipe is opened at once, and then no file.
        let mut how = OpenOptions::new();
        how.read(true).custom_flags(NONBLOCK);
        let file = folder.open_with(name, &how).map_err(failed)?;
        let found = file.metadata().map_err(failed)?;
        if !found.is_file() || found.len() > LARGEST_INPUT {
            return Err(GuestError::InvalidArgument(format!(
                "input `{shown}` is no file of at most {LARGEST_INPUT} bytes"
            )));
        }
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut io::Read::take(file, LARGEST_INPUT), &mut bytes)
            .map_err(failed)?;
        Ok(bytes)
    }
}

/// A prefix as folder and beginning of the name.
fn split_prefix(prefix: &str) -> Result<(String, &str), GuestError> {
    let refuse = |why: &str| {
        let prefix = plain(prefix);
        Err(GuestError::InvalidArgument(format!("filename prefix `{prefix}` {why}")))
    };
    if prefix.chars().any(|c| is_escaped(c) || c == '\\') || prefix.len() > 200 {
        return refuse("has control characters or backslashes, or is longer than 200 bytes");
    }
    if !Path::new(prefix).components().all(|part| matches!(part, Component::Normal(_))) {
        return refuse("leads out of the output folder");
    }
    let (subfolder, stem) = prefix.rsplit_once('/').unwrap_or(("", prefix));
    if stem.is_empty() {
        return refuse("does not end in a name");
    }
    Ok((subfolder.into(), stem))
}

fn file_name(stem: &str, number: u32, extension: &str) -> String {
    format!("{stem}_{number:05}_.{extension}")
}

/// The highest number that a file of this stem has.
fn last_number(folder: &Dir, stem: &str) -> io::Result<u32> {
    let mut last = 0;
    for entry in folder.entries()? {
        let name = entry?.file_name();
        let number = name
            .to_str()
            .and_then(|name| name.strip_prefix(stem)?.strip_prefix('_')?.split_once("_."))
            .and_then(|(digits, _)| digits.parse().ok());
        last = last.max(number.unwrap_or(0));
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders(root: &Path) -> Folders {
        Folders {
            output: root.join("output"),
            temporary: root.join("temporary"),
            input: root.join("input"),
        }
    }

    fn save(folders: &Folders, prefix: &str) -> Result<Artifact, GuestError> {
        folders.save(Place::Output, "images", prefix, "png", b"data")
    }

    #[test]
    fn numbers_continue_after_the_highest() {
        let root = tempfile::tempdir().unwrap();
        let folders = folders(root.path());
        assert_eq!(save(&folders, "a").unwrap().name, "a_00001_.png");
        std::fs::write(folders.output.join("a_00041_.png"), "").unwrap();
        assert_eq!(save(&folders, "a").unwrap().name, "a_00042_.png");
        assert_eq!(save(&folders, "ab").unwrap().name, "ab_00001_.png");
        let below = save(&folders, "x/y/a").unwrap();
        assert_eq!((below.subfolder.as_str(), below.name.as_str()), ("x/y", "a_00001_.png"));
        assert!(folders.output.join("x/y/a_00001_.png").exists());
    }

    #[test]
    fn a_rehearsal_names_the_file_that_would_come_next_and_writes_nothing() {
        let root = tempfile::tempdir().unwrap();
        let folders = folders(root.path());
        let rehearse = |prefix| folders.rehearse_save(Place::Output, "images", prefix, "png");
        let first = rehearse("x/a").unwrap();
        assert_eq!((first.subfolder.as_str(), first.name.as_str()), ("x", "a_00001_.png"));
        assert!(!folders.output.exists());
        assert_eq!(first, save(&folders, "x/a").unwrap());
        assert_eq!(rehearse("x/a").unwrap().name, "a_00002_.png");
        assert!(rehearse("../a").is_err());
        assert_eq!(std::fs::read_dir(folders.output.join("x")).unwrap().count(), 1);
    }

    #[test]
    fn no_prefix_leads_out() {
        let root = tempfile::tempdir().unwrap();
        let folders = folders(root.path());
        std::fs::create_dir_all(&folders.output).unwrap();
        std::os::unix::fs::symlink(root.path(), folders.output.join("link")).unwrap();
        for prefix in ["../a", "/tmp/a", "a/../../b", "", "a/", "x\0y", "a\nb", "link/a", "..", "."]
        {
            assert!(save(&folders, prefix).is_err(), "{prefix:?}");
        }
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 1);
    }

    #[test]
    fn inputs_stay_inside_their_folder() {
        let root = tempfile::tempdir().unwrap();
        let folders = folders(root.path());
        std::fs::create_dir_all(&folders.input).unwrap();
        std::fs::write(root.path().join("secret"), "s").unwrap();
        std::fs::write(folders.input.join("a.png"), "a").unwrap();
        std::os::unix::fs::symlink(root.path().join("secret"), folders.input.join("b.png"))
            .unwrap();
        assert_eq!(folders.read_input("a.png").unwrap(), b"a");
        for name in ["../secret", "b.png", "/etc/passwd", "", "missing.png", "\0"] {
            assert!(folders.read_input(name).is_err(), "{name:?}");
        }
    }
}
