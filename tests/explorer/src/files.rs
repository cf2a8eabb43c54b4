//! Files and folders.

use std::fs;

use berth_sdk::prelude::*;

use crate::told;

/// Reads a file.
#[node(category = "explorer")]
pub fn read_file(path: String) -> Result<String> {
    told(fs::read_to_string(path))
}

/// Writes a file.
#[node(category = "explorer")]
pub fn write_file(path: String, text: String) -> Result<String> {
    told(fs::write(path, text).map(|()| "written"))
}

/// Names what is in a folder.
#[node(category = "explorer")]
pub fn list_folder(path: String) -> Result<String> {
    let names = fs::read_dir(path).and_then(|entries| {
        entries
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<std::io::Result<Vec<_>>>()
    });
    told(names.map(|mut names| {
        names.sort();
        names.join(" ")
    }))
}

/// Changes something in a folder.
#[node(category = "explorer")]
pub fn change(verb: String, path: String, #[input(default = "")] other: String) -> Result<String> {
    told(
        match verb.as_str() {
            "make" => fs::create_dir(path),
            "remove" => fs::remove_file(path),
            "remove-folder" => fs::remove_dir_all(path),
            "rename" => fs::rename(path, other),
            "link" => fs::hard_link(path, other),
            "symlink" => symlink(&path, &other),
            "append" => fs::OpenOptions::new()
                .append(true)
                .open(path)
                .and_then(|mut file| std::io::Write::write_all(&mut file, other.as_bytes())),
            "resize" => fs::OpenOptions::new()
                .write(true)
                .open(path)
                .and_then(|file| file.set_len(other.parse().unwrap())),
            _ => return Err(Error::invalid(format!("no verb {verb}"))),
        }
        .map(|()| "changed"),
    )
}

/// The standard library has none for this target that is stable.
fn symlink(target: &str, name: &str) -> std::io::Result<()> {
    let (folder, name) = name.trim_start_matches('/').split_once('/').unwrap();
    for (handle, path) in wasip2::filesystem::preopens::get_directories() {
        if path.trim_start_matches('/') == folder {
            return handle
                .symlink_at(target, name)
                .map_err(|error| std::io::Error::other(format!("{error:?}")));
        }
    }
    Err(std::io::ErrorKind::NotFound.into())
}

/// Opens a file many times, and says how often that went well.
#[node(category = "explorer")]
pub fn open_many(path: String, #[input(default = 1, min = 0)] count: usize) -> Result<i64> {
    let open: Vec<_> = (0..count).map_while(|_| fs::File::open(&path).ok()).collect();
    Ok(open.len() as i64)
}
