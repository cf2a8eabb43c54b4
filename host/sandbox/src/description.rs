//! What a plugin says of its nodes, as plain data.
//!
//! These types mirror `wit/nodes.wit`, so that the layers above validate, list and
//! draw nodes without knowing that a component described them.

use serde::Serialize;

/// One kind of node.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NodeType {
    /// The class name that workflows use, unique in a host.
    pub name: String,
    /// What people read.
    pub display_name: String,
    /// Folders in a menu, separated by `/`.
    pub category: String,
    /// A sentence or more.
    pub description: String,
    /// In the order of the widgets.
    pub inputs: Vec<Input>,
    /// In the order of the slots.
    pub outputs: Vec<Output>,
    /// Values that the host gives without a wire, as text.
    pub hidden: Vec<Hidden>,
    /// Whether workflows are run for this node's effect.
    pub output_node: bool,
    /// The optional checks that the node has.
    pub checks: Checks,
    /// Kept for old workflows only.
    pub deprecated: bool,
    /// May change.
    pub experimental: bool,
    /// Other words that should find it.
    pub search_aliases: Vec<String>,
}

impl NodeType {
    /// The input of this name.
    pub fn input(&self, name: &str) -> Option<&Input> {
        self.inputs.iter().find(|input| input.name == name)
    }
}

/// One input of a node.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Input {
    /// Its name in a workflow.
    pub name: String,
    /// What it takes.
    pub port: Port,
    /// Whether the node runs without it.
    pub optional: bool,
    /// Whether it is computed only when the node asks for it.
    pub lazy: bool,
    /// What it is for.
    pub tooltip: String,
}

/// What an input takes. Bounds are inclusive.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Port {
    /// A boolean.
    Boolean {
        /// When nothing is given.
        default: Option<bool>,
    },
    /// An integer of up to 64 bits, signed or unsigned.
    Integer {
        /// When nothing is given.
        default: Option<i128>,
        /// Smallest value.
        min: Option<i128>,
        /// Largest value.
        max: Option<i128>,
        /// A widget's step.
        step: Option<u32>,
        /// Whether a client may change it after each run.
        seed: bool,
    },
    /// A floating-point number.
    Number {
        /// When nothing is given.
        default: Option<f64>,
        /// Smallest value.
        min: Option<f64>,
        /// Largest value.
        max: Option<f64>,
        /// A widget's step.
        step: Option<f64>,
    },
    /// A text.
    Text {
        /// When nothing is given.
        default: Option<String>,
        /// Whether a widget has several lines.
        multiline: bool,
    },
    /// One of some texts.
    Choice {
        /// Which.
        choices: Choices,
        /// When nothing is given.
        default: Option<String>,
    },
    /// A wire of one of these types; `*` takes any.
    Socket {
        /// Type names, such as `IMAGE`.
        types: Vec<String>,
    },
}

/// Where the options of a choice come from.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Choices {
    /// These.
    Fixed(Vec<String>),
    /// The labels of a category of models.
    Models(String),
    /// The image files of the input folder.
    Images,
}

/// One output of a node.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Output {
    /// What people read.
    pub name: String,
    /// The wire's type.
    pub type_name: String,
    /// What it is.
    pub tooltip: String,
    /// The input whose value it passes on untouched, so that the wire has that one's type.
    pub passes: Option<String>,
}

/// A value that the host gives without a wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Hidden {
    /// The node's id, as input `unique_id`.
    UniqueId,
    /// The workflow in API format, as input `prompt`.
    Prompt,
    /// What the client sent to be stored in images, as input `extra_pnginfo`.
    ExtraPnginfo,
}

impl Hidden {
    /// The name of the input that carries it.
    pub fn input_name(self) -> &'static str {
        match self {
            Self::UniqueId => "unique_id",
            Self::Prompt => "prompt",
            Self::ExtraPnginfo => "extra_pnginfo",
        }
    }
}

/// The optional checks that a node has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Checks {
    /// Says which lazy inputs it needs.
    pub needs: bool,
    /// Says when it must run again.
    pub fingerprint: bool,
    /// Checks its constant inputs.
    pub validate: bool,
}
