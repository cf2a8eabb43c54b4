//! The SDKs and the contract, which the program carries inside of it.
//!
//! So a project can be made and built with nothing but `berth` and the language's own tools, and
//! its bindings are those of the contract that this very host speaks. They lie in the project's
//! `.berth`, where editors find them, and are put there again by each build: that folder is
//! nobody's source.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rust_embed::{Embed, EmbeddedFile};
use walkdir::WalkDir;

use crate::error::Error;
use crate::recipe::Recipe;

/// The folder in a project that holds SDKs and contract.
pub(crate) const FOLDER: &str = ".berth";

/// The contract's files.
#[derive(Embed)]
#[folder = "../../wit"]
struct Wit;

/// The SDKs, each in a folder that is named after its language.
#[derive(Embed)]
#[folder = "../../plugin-sdk"]
#[exclude = "*/node_modules/*"]
#[exclude = "*/__pycache__/*"]
#[exclude = "*/target/*"]
#[exclude = "*/.ruff_cache/*"]
#[exclude = "*/.berth/*"]
#[exclude = "*.pyc"]
struct Sdks;

/// The recipe of a language, in its folder.
const RECIPE: &str = "language.toml";

/// The folder with a language's template.
const TEMPLATE: &str = "template/";

/// Folders of an SDK that projects do without.
const OWN: [&str; 3] = [TEMPLATE, "example/", "tests/"];

/// The contract as one text.
pub(crate) fn contract() -> String {
    let mut package = String::new();
    for name in Wit::iter() {
        let text = Wit::get(&name).map(data).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        // The package is named once in a text, and once in each file.
        match text.split_once('\n') {
            Some((head, rest)) if !package.is_empty() && head.starts_with("package ") => {
                package.push_str(rest);
            }
            _ => package.push_str(&text),
        }
    }
    package
}

fn data(file: EmbeddedFile) -> Cow<'static, [u8]> {
    file.data
}

/// The languages that there is an SDK for, sorted.
#[must_use]
pub fn languages() -> Vec<String> {
    let recipes = Sdks::iter().filter_map(|name| {
        let (language, file) = name.split_once('/')?;
        (file == RECIPE).then(|| language.to_owned())
    });
    recipes.collect::<BTreeSet<_>>().into_iter().collect()
}

/// How a language's projects are built.
///
/// # Errors
/// `UnknownLanguage`, and `Recipe` for one that cannot be read.
pub(crate) fn recipe(language: &str) -> Result<Recipe, Error> {
    let file = Sdks::get(&format!("{language}/{RECIPE}")).ok_or_else(|| {
        Error::UnknownLanguage { language: language.to_owned(), known: languages() }
    })?;
    let text = String::from_utf8_lossy(&file.data).into_owned();
    toml::from_str(&text)
        .map_err(|source| Error::Recipe { language: language.to_owned(), source: Box::new(source) })
}

/// The files of a language's template, by their paths in a project.
pub(crate) fn template(language: &str) -> impl Iterator<Item = (String, Cow<'static, [u8]>)> {
    let prefix = format!("{language}/{TEMPLATE}");
    Sdks::iter().filter_map(move |name| {
        let path = name.strip_prefix(&prefix)?.to_owned();
        Some((path, Sdks::get(&name).map(data)?))
    })
}

/// Puts a language's SDK, those it needs, and the contract into a project.
///
/// # Errors
/// `Write` when a file cannot be written.
pub(crate) fn install(project: &Path, language: &str, recipe: &Recipe) -> Result<(), Error> {
    let folder = project.join(FOLDER);
    let mut files = Vec::new();
    for name in Wit::iter() {
        if let Some(file) = Wit::get(&name) {
            files.push((format!("wit/{name}"), file.data));
        }
    }
    for language in recipe.needs.iter().map(String::as_str).chain([language]) {
        for name in Sdks::iter() {
            let inside = name.strip_prefix(language).and_then(|name| name.strip_prefix('/'));
            if inside.is_some_and(|path| !OWN.iter().any(|own| path.starts_with(own)))
                && let Some(file) = Sdks::get(&name)
            {
                files.push((format!("sdk/{name}"), file.data));
            }
        }
    }
    let mut kept = BTreeSet::new();
    for (name, data) in files {
        let path = folder.join(name);
        write(&path, &data).map_err(|source| Error::Write { path: path.clone(), source })?;
        kept.insert(path);
    }
    remove_others(&folder.join("wit"), &kept);
    remove_others(&folder.join("sdk"), &kept);
    Ok(())
}

/// Writes a file, unless just this is there: build tools go by times.
pub(crate) fn write(path: &Path, data: &[u8]) -> io::Result<()> {
    if fs::read(path).is_ok_and(|known| known == data) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, data)
}

/// Removes what an earlier version had, but for what tools made there.
fn remove_others(folder: &Path, kept: &BTreeSet<PathBuf>) {
    let files = WalkDir::new(folder).into_iter().flatten();
    for entry in files.filter(|entry| entry.file_type().is_file()) {
        let made = entry.path().components().any(|part| part.as_os_str() == "__pycache__");
        if !made && !kept.contains(entry.path()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_a_recipe_that_can_be_read_and_a_template_with_a_manifest() {
        for language in languages() {
            let recipe = recipe(&language).unwrap();
            for needed in &recipe.needs {
                super::recipe(needed).unwrap();
            }
            let files: Vec<String> = template(&language).map(|(path, _)| path).collect();
            for file in ["plugin.toml", "README.md", "tests/negative.toml", ".gitignore"] {
                assert!(files.iter().any(|path| path == file), "{language}: {file}");
            }
        }
    }

    #[test]
    fn the_nodes_that_the_readme_shows_are_those_of_the_templates() {
        let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
        let readme = fs::read_to_string(readme).unwrap();
        for (language, file, from) in
            [("python", "src/plugin.py", "from typing"), ("rust", "src/lib.rs", "use berth_sdk")]
        {
            let (_, source) = template(language).find(|(path, _)| path == file).unwrap();
            let source = String::from_utf8_lossy(&source);
            let node = source.get(source.find(from).unwrap()..).unwrap().trim_end();
            assert!(readme.contains(node), "README.md has another node in {language}");
        }
    }

    #[test]
    fn the_contract_is_one_package() {
        assert_eq!(contract().matches("package berth:node@").count(), 1);
    }

    #[test]
    fn an_sdk_is_put_anew_where_it_changed_and_left_where_it_did_not() {
        let folder = tempfile::tempdir().unwrap();
        let rust = recipe("rust").unwrap();
        install(folder.path(), "rust", &rust).unwrap();
        let (kept, gone) =
            (folder.path().join(".berth/wit/ops.wit"), folder.path().join(".berth/wit/old.wit"));
        let time = || fs::metadata(&kept).unwrap().modified().unwrap();
        let before = time();
        fs::write(&gone, "").unwrap();
        fs::write(folder.path().join(".berth/wit/nodes.wit"), "changed").unwrap();
        install(folder.path(), "rust", &rust).unwrap();
        assert_eq!(time(), before);
        assert!(!gone.exists());
        let text = fs::read_to_string(folder.path().join(".berth/wit/nodes.wit")).unwrap();
        assert!(text.contains("interface nodes"));
        assert!(!folder.path().join(".berth/sdk/rust/template").exists());
    }
}
