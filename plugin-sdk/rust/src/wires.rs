//! The wires whose meaning the contract fixes, as types. A parameter or a result
//! of one of these types is a port of that wire, and its shape is checked before
//! the node's own code sees it.

use std::ops::Deref;

use crate::value::mismatch;
use crate::{DType, Error, Fields, FromValue, Function, Items, Object, Result, Tensor, Value};

/// A type that travels on a wire of its own. Implement it, with [`FromValue`] and
/// `From<Self> for Value`, for a wire that other plugins are to know.
pub trait Wire: FromValue + Into<Value> {
    /// The wire's type, such as `IMAGE`.
    const TYPE: &'static str;
}

/// Whatever is on the wire: the port connects to all.
#[derive(Clone, Debug)]
pub struct Any(pub Value);

impl FromValue for Any {
    fn from_value(value: Value) -> Result<Self> {
        Ok(Self(value))
    }
}

impl From<Any> for Value {
    fn from(any: Any) -> Self {
        any.0
    }
}

impl Wire for Any {
    const TYPE: &'static str = "*";
}

macro_rules! tensor_wires {
    ($($(#[$doc:meta])* $name:ident = $wire:literal, $rank:literal, $expected:literal;)*) => {
        $($(#[$doc])*
        ///
        /// It dereferences to its tensor, whose methods are all there.
        #[derive(Clone, Debug)]
        pub struct $name(Tensor);

        impl $name {
            #[doc = concat!("A tensor as `", $wire, "`.")]
            ///
            /// # Errors
            /// `InvalidArgument` when its dtype or its number of dimensions is another.
            pub fn new(tensor: Tensor) -> Result<Self> {
                if tensor.dtype() == DType::F32 && tensor.shape().len() == $rank {
                    return Ok(Self(tensor));
                }
                Err(mismatch($expected, &Value::Tensor(tensor)))
            }

            /// The tensor alone.
            pub fn into_tensor(self) -> Tensor {
                self.0
            }

            /// Its dimensions.
            ///
            /// # Errors
            /// None but the host's own.
            pub fn size(&self) -> Result<[usize; $rank]> {
                self.0.dims()
            }
        }

        impl Deref for $name {
            type Target = Tensor;

            fn deref(&self) -> &Tensor {
                &self.0
            }
        }

        impl FromValue for $name {
            fn from_value(value: Value) -> Result<Self> {
                match value {
                    Value::Tensor(tensor) => Self::new(tensor),
                    other => Err(mismatch($expected, &other)),
                }
            }
        }

        impl From<$name> for Value {
            fn from(wire: $name) -> Self {
                Self::Tensor(wire.0)
            }
        }

        impl Wire for $name {
            const TYPE: &'static str = $wire;
        })*
    };
}

tensor_wires! {
    /// A batch of images: a tensor [batch, height, width, channels], `f32`, 0…1.
    Image = "IMAGE", 4, "a f32 tensor [batch, height, width, channels]";
    /// A batch of masks: a tensor [batch, height, width], `f32`, 0…1.
    Mask = "MASK", 3, "a f32 tensor [batch, height, width]";
}

macro_rules! object_wires {
    ($($(#[$doc:meta])* $name:ident = $wire:literal;)*) => {
        $($(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name(Object);

        impl $name {
            /// The object on the wire, with fields that this type does not know too.
            pub fn object(&self) -> &Object {
                &self.0
            }

            /// A copy in which these fields are set, and all others as they were.
            ///
            /// # Errors
            /// What the host has no room for.
            pub fn replace(&self, fields: Fields) -> Result<Self> {
                self.0.replace(fields).map(Self)
            }
        }

        impl FromValue for $name {
            fn from_value(value: Value) -> Result<Self> {
                match value {
                    Value::Object(object) if object.type_name() == $wire => Ok(Self(object)),
                    other => Err(mismatch(concat!("a ", $wire), &other)),
                }
            }
        }

        impl From<$name> for Value {
            fn from(wire: $name) -> Self {
                Self::Object(wire.0)
            }
        }

        impl Wire for $name {
            const TYPE: &'static str = $wire;
        })*
    };
}

object_wires! {
    /// A batch of latents, and the mask of what a sampler may change in them.
    Latent = "LATENT";
    /// What steers a model: one or more embeddings.
    Conditioning = "CONDITIONING";
    /// A denoiser, and what a sampler must know of it.
    ModelWire = "MODEL";
    /// A text encoder.
    Clip = "CLIP";
    /// The autoencoder between images and latents.
    Vae = "VAE";
}

impl Latent {
    /// Latents [batch, channels, h, w] without a mask.
    ///
    /// # Errors
    /// What the host has no room for.
    pub fn new(samples: Tensor) -> Result<Self> {
        Object::create(Self::TYPE, Fields::new().with("samples", samples)).map(Self)
    }

    /// The latents, [batch, channels, h, w].
    ///
    /// # Errors
    /// `InvalidArgument` when there are none.
    pub fn samples(&self) -> Result<Tensor> {
        self.0.get("samples")
    }

    /// Where a sampler may change the latents: 1 where it may, 0 where it must not.
    ///
    /// # Errors
    /// `InvalidArgument` when the field is no tensor.
    pub fn noise_mask(&self) -> Result<Option<Tensor>> {
        self.0.get_optional("noise-mask")
    }

    /// The same with other latents.
    ///
    /// # Errors
    /// What the host has no room for.
    pub fn with_samples(&self, samples: Tensor) -> Result<Self> {
        self.replace(Fields::new().with("samples", samples))
    }

    /// The same with this mask.
    ///
    /// # Errors
    /// What the host has no room for.
    pub fn with_noise_mask(&self, mask: Tensor) -> Result<Self> {
        self.replace(Fields::new().with("noise-mask", mask))
    }
}

/// One embedding of a [`Conditioning`].
#[derive(Clone, Debug)]
pub struct Entry(Object);

impl Entry {
    /// An embedding [batch, tokens, width], and what its encoder pooled it to, if it does.
    ///
    /// # Errors
    /// What the host has no room for.
    pub fn new(embedding: Tensor, pooled: Option<Tensor>) -> Result<Self> {
        let fields = Fields::new().with("embedding", embedding).with_some("pooled", pooled);
        Object::create("CONDITIONING_ENTRY", fields).map(Self)
    }

    /// The embedding, [batch, tokens, width].
    ///
    /// # Errors
    /// `InvalidArgument` when there is none.
    pub fn embedding(&self) -> Result<Tensor> {
        self.0.get("embedding")
    }

    /// The pooled embedding, if there is one.
    ///
    /// # Errors
    /// `InvalidArgument` when the field is no tensor.
    pub fn pooled(&self) -> Result<Option<Tensor>> {
        self.0.get_optional("pooled")
    }

    /// The object, with fields that this type does not know too.
    pub fn object(&self) -> &Object {
        &self.0
    }

    /// A copy in which these fields are set, and all others as they were.
    ///
    /// # Errors
    /// What the host has no room for.
    pub fn replace(&self, fields: Fields) -> Result<Self> {
        self.0.replace(fields).map(Self)
    }
}

impl From<Entry> for Value {
    fn from(entry: Entry) -> Self {
        Self::Object(entry.0)
    }
}

impl FromValue for Entry {
    fn from_value(value: Value) -> Result<Self> {
        Object::from_value(value).map(Self)
    }
}

impl Conditioning {
    /// A conditioning of these embeddings.
    ///
    /// # Errors
    /// What the host has no room for.
    pub fn new(entries: impl IntoIterator<Item = Entry>) -> Result<Self> {
        let fields = Fields::new().with("entries", Items::create(entries)?);
        Object::create(Self::TYPE, fields).map(Self)
    }

    /// Its embeddings, in order.
    ///
    /// # Errors
    /// `InvalidArgument` when there is no list of them.
    pub fn entries(&self) -> Result<Vec<Entry>> {
        let entries: Items = self.0.get("entries")?;
        entries.to_vec().map_err(|error| error.at("CONDITIONING `entries`"))
    }
}

/// What a denoiser predicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prediction {
    /// The noise (Ho et al. 2020).
    Epsilon,
    /// The velocity √ᾱ·ε − √(1−ᾱ)·x₀ (Salimans & Ho 2022).
    V,
    /// The flow from the noise to the image (Lipman et al. 2023).
    Flow,
}

impl Prediction {
    /// Its name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Epsilon => "epsilon",
            Self::V => "v",
            Self::Flow => "flow",
        }
    }
}

impl From<Prediction> for Value {
    fn from(prediction: Prediction) -> Self {
        prediction.as_str().into()
    }
}

impl FromValue for Prediction {
    fn from_value(value: Value) -> Result<Self> {
        let name = String::from_value(value)?;
        [Self::Epsilon, Self::V, Self::Flow]
            .into_iter()
            .find(|known| known.as_str() == name)
            .ok_or_else(|| Error::invalid(format!("`{name}` is not `epsilon`, `v` or `flow`")))
    }
}

/// What a [`ModelWire`] is made of.
#[derive(Clone, Debug)]
pub struct ModelParts {
    /// `latent` tensor [b, c, h, w], `timestep` number, `conditioning` tensor [b, tokens, width],
    /// `pooled` tensor (optional) → `prediction` tensor [b, c, h, w].
    pub denoise: Function,
    /// What `denoise` predicts.
    pub prediction: Prediction,
    /// \[steps] `f64`: the cumulative product of the noise schedule, ᾱ of Ho et al. 2020.
    pub alphas: Tensor,
    /// Channels of a latent.
    pub latent_channels: usize,
    /// A sampler's latent = (the VAE's latent − shift) · scale.
    pub latent_scale: f64,
    /// See `latent_scale`.
    pub latent_shift: f64,
}

impl ModelWire {
    /// A model of these parts.
    ///
    /// # Errors
    /// What the host has no room for.
    pub fn new(parts: ModelParts) -> Result<Self> {
        let fields = Fields::new()
            .with("denoise", parts.denoise)
            .with("prediction", parts.prediction)
            .with("alphas", parts.alphas)
            .with("latent-channels", parts.latent_channels)
            .with("latent-scale", parts.latent_scale)
            .with("latent-shift", parts.latent_shift);
        Object::create(Self::TYPE, fields).map(Self)
    }

    /// What the model predicts for a latent [b, c, h, w] at a timestep, under a
    /// conditioning [b, tokens, width] and, where the model takes it, a pooled one.
    ///
    /// # Errors
    /// The model's own.
    pub fn denoise(
        &self,
        latent: &Tensor,
        timestep: f64,
        conditioning: &Tensor,
        pooled: Option<&Tensor>,
    ) -> Result<Tensor> {
        let arguments = Fields::new()
            .with("latent", latent)
            .with("timestep", timestep)
            .with("conditioning", conditioning)
            .with_some("pooled", pooled);
        self.denoiser()?.call(arguments)?.take("prediction")
    }

    /// The `denoise` function, to wrap it in another.
    ///
    /// # Errors
    /// `InvalidArgument` when there is none.
    pub fn denoiser(&self) -> Result<Function> {
        self.0.get("denoise")
    }

    /// What the model predicts.
    ///
    /// # Errors
    /// `InvalidArgument` when the field is missing or unknown.
    pub fn prediction(&self) -> Result<Prediction> {
        self.0.get("prediction")
    }

    /// \[steps] `f32`: the cumulative product of the noise schedule, ᾱ of Ho et al. 2020.
    ///
    /// # Errors
    /// `InvalidArgument` when the field is missing.
    pub fn alphas(&self) -> Result<Tensor> {
        self.0.get("alphas")
    }

    /// Channels of a latent.
    ///
    /// # Errors
    /// `InvalidArgument` when the field is missing.
    pub fn latent_channels(&self) -> Result<usize> {
        self.0.get("latent-channels")
    }

    /// A sampler's latent = (the VAE's latent − shift) · scale.
    ///
    /// # Errors
    /// `InvalidArgument` when the field is missing.
    pub fn latent_scale(&self) -> Result<f64> {
        self.0.get("latent-scale")
    }

    /// See [`ModelWire::latent_scale`].
    ///
    /// # Errors
    /// `InvalidArgument` when the field is missing.
    pub fn latent_shift(&self) -> Result<f64> {
        self.0.get("latent-shift")
    }
}

impl Clip {
    /// A text encoder of this function: `text` text → `conditioning` object.
    ///
    /// # Errors
    /// What the host has no room for.
    pub fn new(encode: Function) -> Result<Self> {
        Object::create(Self::TYPE, Fields::new().with("encode", encode)).map(Self)
    }

    /// The conditioning of a text.
    ///
    /// # Errors
    /// The encoder's own.
    pub fn encode(&self, text: &str) -> Result<Conditioning> {
        let encode: Function = self.0.get("encode")?;
        encode.call(Fields::new().with("text", text))?.take("conditioning")
    }
}

/// What a [`Vae`] is made of.
#[derive(Clone, Debug)]
pub struct VaeParts {
    /// `image` tensor [b, h, w, 3], −1…1 → `latent` tensor [b, c, h', w'].
    pub encode: Function,
    /// `latent` tensor [b, c, h', w'] as the VAE has it → `image` tensor [b, h, w, 3], −1…1.
    pub decode: Function,
    /// A sampler's latent = (the VAE's latent − shift) · scale.
    pub latent_scale: f64,
    /// See `latent_scale`.
    pub latent_shift: f64,
    /// Pixels along a side of one latent element.
    pub downscale: usize,
}

impl Vae {
    /// An autoencoder of these parts.
    ///
    /// # Errors
    /// What the host has no room for.
    pub fn new(parts: VaeParts) -> Result<Self> {
        let fields = Fields::new()
            .with("encode", parts.encode)
            .with("decode", parts.decode)
            .with("latent-scale", parts.latent_scale)
            .with("latent-shift", parts.latent_shift)
            .with("downscale", parts.downscale);
        Object::create(Self::TYPE, fields).map(Self)
    }

    /// The latent [b, c, h', w'], as the VAE has it, of an image [b, h, w, 3] in −1…1.
    ///
    /// # Errors
    /// The VAE's own.
    pub fn encode(&self, image: &Tensor) -> Result<Tensor> {
        let encode: Function = self.0.get("encode")?;
        encode.call(Fields::new().with("image", image))?.take("latent")
    }

    /// The image [b, h, w, 3] in −1…1 of a latent [b, c, h', w'] as the VAE has it.
    ///
    /// # Errors
    /// The VAE's own.
    pub fn decode(&self, latent: &Tensor) -> Result<Tensor> {
        let decode: Function = self.0.get("decode")?;
        decode.call(Fields::new().with("latent", latent))?.take("image")
    }

    /// A sampler's latent = (the VAE's latent − shift) · scale.
    ///
    /// # Errors
    /// `InvalidArgument` when the field is missing.
    pub fn latent_scale(&self) -> Result<f64> {
        self.0.get("latent-scale")
    }

    /// See [`Vae::latent_scale`].
    ///
    /// # Errors
    /// `InvalidArgument` when the field is missing.
    pub fn latent_shift(&self) -> Result<f64> {
        self.0.get("latent-shift")
    }

    /// Pixels along a side of one latent element.
    ///
    /// # Errors
    /// `InvalidArgument` when the field is missing.
    pub fn downscale(&self) -> Result<usize> {
        self.0.get("downscale")
    }
}
