//! From a text to what steers a model.

use berth_sdk::prelude::*;

/// Encodes a prompt with a text encoder, to steer a model towards what it describes.
#[node(
    name = "CLIPTextEncode",
    display_name = "CLIP Text Encode (Prompt)",
    category = "model/conditioning",
    outputs("CONDITIONING" = "The embedded prompt."),
    aliases("text", "prompt", "text prompt", "positive prompt", "negative prompt", "encode text")
)]
pub fn clip_text_encode(
    /// The prompt. `(word:1.2)` weighs a word, `embedding:NAME` stands for learned vectors.
    #[input(multiline)]
    text: String,
    /// The text encoder.
    clip: Clip,
) -> Result<Conditioning> {
    clip.encode(&text)
}
