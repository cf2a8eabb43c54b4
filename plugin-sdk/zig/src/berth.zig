//! Write Berth nodes in Zig.
//!
//! A node is a struct whose fields are its inputs. Tensors, model files and functions of other plugins
//! are handles to what the host holds, so a node that works on gigabytes needs a few kilobytes.

pub const bindings = @import("bindings.zig");
pub const context = @import("context.zig");
pub const memory = @import("memory.zig");

const failure = @import("failure.zig");
pub const Error = failure.Error;
pub const Failure = failure.Failure;
pub const Shortage = failure.Shortage;
pub const Tier = failure.Tier;
pub const allocator = failure.allocator;
pub const invalid = failure.invalid;
pub const failed = failure.failed;
pub const raise = failure.raise;
pub const latest = failure.latest;
pub const print = failure.print;

const tensor = @import("tensor.zig");
pub const DType = tensor.DType;
pub const Generator = tensor.Generator;
pub const Scope = tensor.Scope;
pub const Tensor = tensor.Tensor;
pub const Upload = tensor.Upload;

const ops = @import("ops.zig");
pub const Attend = ops.Attend;
pub const Padding = ops.Padding;
pub const Sampling = ops.Sampling;
pub const Walk = ops.Walk;
pub const concat = ops.concat;

const object = @import("object.zig");
pub const Fields = object.Fields;
pub const Function = object.Function;
pub const List = object.List;
pub const ModelFile = object.ModelFile;
pub const Object = object.Object;

const value = @import("value.zig");
pub const Any = value.Any;
pub const Bytes = value.Bytes;

const wires = @import("wires.zig");
pub const Clip = wires.Clip;
pub const Conditioning = wires.Conditioning;
pub const Entry = wires.Entry;
pub const Image = wires.Image;
pub const Latent = wires.Latent;
pub const Mask = wires.Mask;
pub const Model = wires.Model;
pub const Prediction = wires.Prediction;
pub const Vae = wires.Vae;

const node = @import("node.zig");
pub const About = node.About;
pub const ExtraPngInfo = node.ExtraPngInfo;
pub const Given = node.Given;
pub const Prompt = node.Prompt;
pub const UniqueId = node.UniqueId;

/// For the SDK's own root file.
pub const internal = struct {
    pub const failure = @import("failure.zig");
    pub const node = @import("node.zig");
};
