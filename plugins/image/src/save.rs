//! Images as files, with the workflow that made them inside.

use berth_sdk::context::{Level, Place};
use berth_sdk::prelude::*;
use png::Compression;

use crate::encode::{self, Failure, Format};
use crate::metadata;

/// Saves images in the output folder, with the workflow inside.
#[node(
    category = "image",
    outputs("images" = "The same images."),
    aliases("export image", "write image", "download"),
    output_node,
    validate = wrong_prefix
)]
pub fn save_image(
    images: Image,
    /// What the files' names begin with. `/` makes folders; `%width%`, `%height%` and `%batch_num%`
    /// stand for the image's size and its number in the batch.
    #[input(default = "ComfyUI")]
    filename_prefix: String,
    prompt: Option<Prompt>,
    extra_pnginfo: Option<ExtraPngInfo>,
) -> Result<Image> {
    let texts = texts(prompt, extra_pnginfo)?;
    write(&images, Place::Output, &filename_prefix, &texts, Compression::Balanced)?;
    Ok(images)
}

/// Shows images without keeping them.
#[node(
    category = "image",
    outputs("images" = "The same images."),
    aliases("show image", "view image", "display image"),
    output_node
)]
pub fn preview_image(
    images: Image,
    prompt: Option<Prompt>,
    extra_pnginfo: Option<ExtraPngInfo>,
) -> Result<Image> {
    let texts = texts(prompt, extra_pnginfo)?;
    write(&images, Place::Temporary, "ComfyUI_temp", &texts, Compression::Fast)?;
    Ok(images)
}

/// Says before anything runs that a prefix will be refused: to find out after the sampler is late.
/// The host decides; this looks for what it never takes.
fn wrong_prefix(inputs: &Fields) -> Result<Option<String>> {
    let Some(prefix) = inputs.get_optional::<String>("filename_prefix")? else { return Ok(None) };
    Ok((!names_a_file(&prefix)).then(|| {
        format!("filename_prefix {prefix:?} names no file in the output folder; it is a name, or folders and a name: `a/b`")
    }))
}

fn names_a_file(prefix: &str) -> bool {
    !prefix.chars().any(|c| c.is_control() || c == '\\')
        && !prefix.starts_with('/')
        && !prefix.ends_with('/')
        && !prefix.split('/').any(|part| part == ".." || part == ".")
        && !prefix.is_empty()
}

/// What goes into each file. An entry whose name no PNG can carry is left out: the image
/// is worth more than the note.
fn texts(prompt: Option<Prompt>, extra: Option<ExtraPngInfo>) -> Result<Vec<(String, String)>> {
    let prompt = prompt.as_ref().map(|prompt| prompt.0.as_str());
    let extra = extra.as_ref().map(|extra| extra.0.as_str());
    let mut texts = metadata::texts(prompt, extra)
        .map_err(|error| Error::invalid(format!("`extra_pnginfo` is no JSON object: {error}")))?;
    texts.retain(|(name, _)| {
        let fits = encode::is_keyword(name);
        if !fits {
            context::log(Level::Warn, &format!("no PNG can carry a text named {name:?}"));
        }
        fits
    });
    Ok(texts)
}

/// Writes each image of a batch.
fn write(
    images: &Image,
    place: Place,
    prefix: &str,
    texts: &[(String, String)],
    compression: Compression,
) -> Result<()> {
    let [batch, height, width, channels] = images.size()?;
    let format = Format { width, height, channels, compression };
    for number in 0..batch {
        // A byte is the integer part of 255 times a value, and ends at 255: the cast saturates.
        let bytes = (images.slice(0, number..number + 1)? * 255.0)?.cast(DType::U8)?;
        let row = width * channels;
        let file = encode::png(format, texts, |rows| {
            bytes.read_range((rows.start * row) as u64, rows.len() * row)
        });
        let file = file.map_err(|failure| match failure {
            Failure::Pixels(error) => error,
            other => Error::invalid(other.to_string()),
        })?;
        let prefix = filled(prefix, width, height, number);
        context::save(place, "images", &prefix, "png", &file)?;
        context::progress(number + 1, batch);
    }
    Ok(())
}

/// A prefix with an image's own in the place of its tokens.
fn filled(prefix: &str, width: usize, height: usize, number: usize) -> String {
    prefix
        .replace("%width%", &width.to_string())
        .replace("%height%", &height.to_string())
        .replace("%batch_num%", &number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_that_leads_out_is_found_before_anything_runs() {
        for prefix in ["../x", "/x", "a/../x", "", "a/", "a\\b", "a\nb", ".."] {
            assert!(!names_a_file(prefix), "{prefix:?}");
        }
        for prefix in ["x", "a/b", "a b..c", "%width%x%height%", "ä"] {
            assert!(names_a_file(prefix), "{prefix:?}");
        }
    }

    #[test]
    fn tokens_of_a_prefix_are_filled_and_others_stay() {
        assert_eq!(filled("%width%x%height%/a_%batch_num%", 640, 480, 2), "640x480/a_2");
        assert_eq!(filled("%seed%_100%", 1, 1, 0), "%seed%_100%");
    }
}
