"""Write Berth nodes in Python.

A node is a function: `node` makes its parameters inputs, its result outputs and its docstring
the texts that clients show. Tensors, model files and functions of other plugins are handles to
what the host holds, so a node that works on gigabytes needs little of its own.
"""

from . import context
from .definitions import Node, PluginFunction, function, node
from .dtypes import DType
from .errors import (
    AccessDenied,
    Cancelled,
    Error,
    Failed,
    InvalidArgument,
    NotFound,
    Other,
    OutOfMemory,
    QuotaExceeded,
    Shortage,
    Tier,
    Unsupported,
)
from .model import ModelFile
from .operations import Padding, Sampling
from .ports import DefinitionError, ExtraPngInfo, Input, Output, Prompt, UniqueId
from .tensor import Generator, Tensor, Upload
from .values import Function, Items, Object, Value
from .wires import Clip, Conditioning, Entry, Image, Latent, Mask, Model, Prediction, Vae, Wire

__all__ = [
    "AccessDenied",
    "Cancelled",
    "Clip",
    "Conditioning",
    "DType",
    "DefinitionError",
    "Entry",
    "Error",
    "ExtraPngInfo",
    "Failed",
    "Function",
    "Generator",
    "Image",
    "Input",
    "InvalidArgument",
    "Items",
    "Latent",
    "Mask",
    "Model",
    "ModelFile",
    "Node",
    "NotFound",
    "Object",
    "Other",
    "OutOfMemory",
    "Output",
    "Padding",
    "PluginFunction",
    "Prediction",
    "Prompt",
    "QuotaExceeded",
    "Sampling",
    "Shortage",
    "Tensor",
    "Tier",
    "UniqueId",
    "Unsupported",
    "Upload",
    "Vae",
    "Value",
    "Wire",
    "context",
    "function",
    "node",
]
