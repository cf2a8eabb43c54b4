//! Ports: what a node's inputs and outputs are in its description.
//!
//! A parameter's type decides its port, and the port decides which options it can
//! have: `#[input(min = 1)]` becomes a call of a method `min`, which an image's port
//! does not have. So a wrong option is the compiler's error, at the option.

use std::marker::PhantomData;

use crate::bindings::exports::berth::node::nodes::{self, NodeType, Port};
use crate::fields::missing;
use crate::{Fields, FromValue, Integer, Result, Tensor, Value, Wire};

/// What an input is called and how a client shows it.
#[derive(Clone, Copy, Debug)]
pub struct Label<'a> {
    /// Its name in a workflow.
    pub name: &'a str,
    /// Whether the node runs without it.
    pub optional: bool,
    /// Whether it is computed only when `needs` asks for it.
    pub lazy: bool,
    /// What it is for.
    pub tooltip: &'a str,
}

/// A port on the way into a node's description.
pub trait Slot {
    /// Adds it.
    fn place(self, node: &mut NodeType, label: Label<'_>);
}

fn place(node: &mut NodeType, label: Label<'_>, port: Port) {
    node.inputs.push(nodes::Input {
        name: label.name.into(),
        port,
        optional: label.optional,
        lazy: label.lazy,
        tooltip: label.tooltip.into(),
    });
}

/// A type that a node's parameter can have.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a node's input",
    label = "not an input's type",
    note = "inputs are `bool`, integers, `f64`, `String`, `#[derive(Choice)]` enums, wires such as `Image`, \
            an `Option` of those, and the hidden `UniqueId`, `Prompt` and `ExtraPngInfo`"
)]
pub trait Input: Sized {
    /// Its port.
    type Port: Slot;

    /// Whether the node runs without it.
    const OPTIONAL: bool = false;

    /// Its port, without options.
    fn port() -> Self::Port;

    /// The input of this name, or nothing where nothing was given.
    ///
    /// # Errors
    /// `InvalidArgument` that names the input, when it is of another type.
    fn find(inputs: &mut Fields, name: &str) -> Result<Option<Self>>;

    /// The input of this name.
    ///
    /// # Errors
    /// As [`Input::find`], and when nothing was given for a required input.
    fn take(inputs: &mut Fields, name: &str) -> Result<Self> {
        Self::find(inputs, name)?.ok_or_else(|| missing(name))
    }
}

impl<T: Input> Input for Option<T> {
    type Port = T::Port;

    const OPTIONAL: bool = true;

    fn port() -> T::Port {
        T::port()
    }

    fn find(inputs: &mut Fields, name: &str) -> Result<Option<Self>> {
        T::find(inputs, name).map(Some)
    }
}

impl<T: Wire> Input for T {
    type Port = SocketPort;

    fn port() -> SocketPort {
        SocketPort { type_name: T::TYPE }
    }

    fn find(inputs: &mut Fields, name: &str) -> Result<Option<Self>> {
        inputs.take_optional(name)
    }
}

macro_rules! inputs {
    ($($($rust:ty),* => $port:ty;)*) => {
        $($(impl Input for $rust {
            type Port = $port;

            fn port() -> $port {
                Default::default()
            }

            fn find(inputs: &mut Fields, name: &str) -> Result<Option<Self>> {
                inputs.take_optional(name)
            }
        })*)*
    };
}

inputs! {
    bool => BooleanPort;
    i64 => IntegerPort<i64>;
    u64 => IntegerPort<u64>;
    i32 => IntegerPort<i32>;
    u32 => IntegerPort<u32>;
    usize => IntegerPort<usize>;
    f64, f32 => NumberPort;
    String => TextPort;
}

/// A wire's port. It has no options.
#[derive(Clone, Copy, Debug)]
pub struct SocketPort {
    type_name: &'static str,
}

impl Slot for SocketPort {
    fn place(self, node: &mut NodeType, label: Label<'_>) {
        place(node, label, Port::Socket(self.type_name.into()));
    }
}

/// A boolean's port.
#[derive(Clone, Copy, Debug, Default)]
pub struct BooleanPort {
    default: Option<bool>,
}

impl BooleanPort {
    /// What it is at first.
    #[must_use]
    pub fn default(self, default: bool) -> Self {
        Self { default: Some(default) }
    }
}

impl Slot for BooleanPort {
    fn place(self, node: &mut NodeType, label: Label<'_>) {
        place(node, label, Port::Boolean(nodes::BooleanPort { default: self.default }));
    }
}

/// An integer's port.
#[derive(Clone, Copy, Debug)]
pub struct IntegerPort<T> {
    port: nodes::IntegerPort,
    of: PhantomData<T>,
}

impl<T> Default for IntegerPort<T> {
    fn default() -> Self {
        let port =
            nodes::IntegerPort { default: None, min: None, max: None, step: None, seed: false };
        Self { port, of: PhantomData }
    }
}

impl<T: Into<Integer>> IntegerPort<T> {
    /// What it is at first.
    #[must_use]
    pub fn default(mut self, default: T) -> Self {
        self.port.default = Some(default.into().into());
        self
    }

    /// The smallest that a client offers.
    #[must_use]
    pub fn min(mut self, min: T) -> Self {
        self.port.min = Some(min.into().into());
        self
    }

    /// The largest that a client offers.
    #[must_use]
    pub fn max(mut self, max: T) -> Self {
        self.port.max = Some(max.into().into());
        self
    }

    /// From one that a client offers to the next.
    #[must_use]
    pub fn step(mut self, step: u32) -> Self {
        self.port.step = Some(step);
        self
    }

    /// A seed: the client may change it after each run.
    #[must_use]
    pub fn seed(mut self) -> Self {
        self.port.seed = true;
        self
    }
}

impl<T> Slot for IntegerPort<T> {
    fn place(self, node: &mut NodeType, label: Label<'_>) {
        place(node, label, Port::Integer(self.port));
    }
}

/// A number's port.
#[derive(Clone, Copy, Debug)]
pub struct NumberPort {
    port: nodes::NumberPort,
}

impl Default for NumberPort {
    fn default() -> Self {
        Self { port: nodes::NumberPort { default: None, min: None, max: None, step: None } }
    }
}

impl NumberPort {
    /// What it is at first.
    #[must_use]
    pub fn default(mut self, default: f64) -> Self {
        self.port.default = Some(default);
        self
    }

    /// The smallest that a client offers.
    #[must_use]
    pub fn min(mut self, min: f64) -> Self {
        self.port.min = Some(min);
        self
    }

    /// The largest that a client offers.
    #[must_use]
    pub fn max(mut self, max: f64) -> Self {
        self.port.max = Some(max);
        self
    }

    /// From one that a client offers to the next.
    #[must_use]
    pub fn step(mut self, step: f64) -> Self {
        self.port.step = Some(step);
        self
    }
}

impl Slot for NumberPort {
    fn place(self, node: &mut NodeType, label: Label<'_>) {
        place(node, label, Port::Number(self.port));
    }
}

/// A text's port, which can become that of a choice.
#[derive(Clone, Debug, Default)]
pub struct TextPort {
    default: Option<String>,
    multiline: bool,
}

impl TextPort {
    /// What it is at first.
    #[must_use]
    pub fn default(mut self, default: impl Into<String>) -> Self {
        self.default = Some(default.into());
        self
    }

    /// With room for several lines.
    #[must_use]
    pub fn multiline(mut self) -> Self {
        self.multiline = true;
        self
    }

    /// One of these texts.
    #[must_use]
    pub fn choices<T: Into<String>>(self, texts: impl IntoIterator<Item = T>) -> ChoicePort {
        ChoicePort::fixed(texts)
    }

    /// One of the labels of a category of models.
    #[must_use]
    pub fn models(self, category: &str) -> ChoicePort {
        ChoicePort { choices: nodes::Choices::Models(category.into()), default: None }
    }

    /// One of the image files of the operator's input folder.
    #[must_use]
    pub fn images(self) -> ChoicePort {
        ChoicePort { choices: nodes::Choices::Images, default: None }
    }
}

impl Slot for TextPort {
    fn place(self, node: &mut NodeType, label: Label<'_>) {
        let port = nodes::TextPort { default: self.default, multiline: self.multiline };
        place(node, label, Port::Text(port));
    }
}

/// The port of one of some texts.
#[derive(Clone, Debug)]
pub struct ChoicePort {
    choices: nodes::Choices,
    default: Option<String>,
}

impl ChoicePort {
    /// One of these texts.
    pub fn fixed<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Self {
        let texts = texts.into_iter().map(Into::into).collect();
        Self { choices: nodes::Choices::Fixed(texts), default: None }
    }

    /// What it is at first.
    #[must_use]
    pub fn default(mut self, default: impl Into<String>) -> Self {
        self.default = Some(default.into());
        self
    }
}

impl Slot for ChoicePort {
    fn place(self, node: &mut NodeType, label: Label<'_>) {
        let port = nodes::ChoicePort { choices: self.choices, default: self.default };
        place(node, label, Port::Choice(port));
    }
}

/// An enum whose variants are the options of a choice. Derive it:
///
/// ```
/// use berth_sdk::Choice;
///
/// #[derive(Clone, Copy, Debug, PartialEq, Choice)]
/// enum Crop {
///     Disabled,
///     #[choice("center")]
///     Middle,
/// }
///
/// assert_eq!(Crop::NAMES, ["disabled", "center"]);
/// assert_eq!(Crop::from_name("center"), Some(Crop::Middle));
/// ```
pub trait Choice: Sized {
    /// The options, in order.
    const NAMES: &'static [&'static str];

    /// The option of a name.
    fn from_name(name: &str) -> Option<Self>;

    /// Its name.
    fn name(&self) -> &'static str;
}

macro_rules! hidden {
    ($($(#[$doc:meta])* $name:ident = $wire:ident, $key:literal;)*) => {
        $($(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(pub String);

        impl Input for $name {
            type Port = HiddenPort;

            fn port() -> HiddenPort {
                HiddenPort(nodes::Hidden::$wire)
            }

            fn find(inputs: &mut Fields, _: &str) -> Result<Option<Self>> {
                Ok(inputs.take_optional($key)?.map(Self))
            }
        })*
    };
}

hidden! {
    /// The node's id in the workflow. As a parameter, the host gives it without a wire.
    UniqueId = UniqueId, "unique-id";
    /// The workflow, in API format. As a parameter, the host gives it without a wire.
    Prompt = Prompt, "prompt";
    /// What the client sent along to be stored in images, a JSON object. As a parameter, the
    /// host gives it without a wire, if there is any: take an `Option` of it.
    ExtraPngInfo = ExtraPnginfo, "extra-pnginfo";
}

/// What a hidden input has for a port: no client sees it.
#[derive(Clone, Copy, Debug)]
pub struct HiddenPort(nodes::Hidden);

impl Slot for HiddenPort {
    fn place(self, node: &mut NodeType, _: Label<'_>) {
        node.hidden.push(self.0);
    }
}

/// A type that a node's result can have.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a node's output",
    label = "not an output's type",
    note = "outputs are `bool`, `i64`, `f64`, `String` and wires such as `Image`"
)]
pub trait Output: Into<Value> {
    /// The wire's type.
    const TYPE: &'static str;
}

impl<T: Wire> Output for T {
    const TYPE: &'static str = T::TYPE;
}

macro_rules! outputs {
    ($($rust:ty = $type_name:literal;)*) => {
        $(impl Output for $rust {
            const TYPE: &'static str = $type_name;
        })*
    };
}

outputs! {
    bool = "BOOLEAN";
    i64 = "INT";
    u64 = "INT";
    f64 = "FLOAT";
    String = "STRING";
}

/// A tensor of any meaning: its port connects to all, and a value that is no tensor is refused.
impl Wire for Tensor {
    const TYPE: &'static str = "*";
}

/// All results of a node: one, several in a tuple, or none.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a node's outputs",
    note = "a node returns `Result` of one output, of a tuple of up to eight, or of `()`"
)]
pub trait Outputs {
    /// The wires' types.
    const TYPES: &'static [&'static str];

    /// The values, in order.
    fn into_values(self) -> Vec<Value>;
}

impl<T: Output> Outputs for T {
    const TYPES: &'static [&'static str] = &[T::TYPE];

    fn into_values(self) -> Vec<Value> {
        vec![self.into()]
    }
}

macro_rules! tuples {
    ($(($($name:ident),*))*) => {
        $(impl<$($name: Output),*> Outputs for ($($name,)*) {
            const TYPES: &'static [&'static str] = &[$($name::TYPE),*];

            #[expect(non_snake_case, reason = "one letter names an element's type and its value")]
            fn into_values(self) -> Vec<Value> {
                let ($($name,)*) = self;
                vec![$($name.into()),*]
            }
        })*
    };
}

impl Outputs for () {
    const TYPES: &'static [&'static str] = &[];

    fn into_values(self) -> Vec<Value> {
        Vec::new()
    }
}

tuples! {
    (A)
    (A, B)
    (A, B, C)
    (A, B, C, D)
    (A, B, C, D, E)
    (A, B, C, D, E, F)
    (A, B, C, D, E, F, G)
    (A, B, C, D, E, F, G, H)
}

/// What a node's function returns.
#[diagnostic::on_unimplemented(
    message = "a node's function returns `Result`, not `{Self}`",
    label = "not a `berth_sdk::Result`"
)]
pub trait Returned {
    /// What is in it.
    type Outputs: Outputs;
}

impl<T: Outputs> Returned for Result<T> {
    type Outputs = T;
}

/// Takes `value` out of a choice's text.
///
/// # Errors
/// `InvalidArgument` that lists the options.
pub fn chosen<T: Choice>(value: Value) -> Result<T> {
    let name = String::from_value(value)?;
    T::from_name(&name).ok_or_else(|| {
        crate::Error::invalid(format!("`{name}` is not one of {}", T::NAMES.join(", ")))
    })
}
