"""Calls what the SDK has, once: a node fails where something is not so."""

from __future__ import annotations

from berth import InvalidArgument, NotFound, Object, Tensor, Tier, context, memory, node
from berth.context import Level, Place
from checks import fails, same
from tensors import operations, tensors
from values import inputs, wired, wires

__all__ = ["inputs", "messages", "moves", "operations", "tensors", "wired", "wires"]


@node(category="test", output_node=True)
def messages() -> None:
    """Says and saves everything that can be."""
    for level in Level:
        context.log(f"a {level}", level)
    context.debug("details")
    context.warn("careful")
    context.progress(1, 2)
    context.preview(Tensor.ones([4, 4, 3]))
    fails(InvalidArgument, "", lambda: context.preview(Tensor.ones([2])))
    same(context.cancelled(), False)
    saved = context.save(b"text", "folder/every", "txt")
    same((saved.subfolder, saved.place), ("folder", Place.OUTPUT))
    same(context.save(b"", "y", "bin", place=Place.TEMPORARY).place, Place.TEMPORARY)
    same(context.read_input("x.png")[1:4], b"PNG")
    same(len(context.input_fingerprint("x.png")) > 4, True)
    fails(NotFound, "", lambda: context.read_input("zz.png"))
    context.show_text("problems: []")


@node(category="test", output_node=True)
def moves() -> None:
    """Calls everything of `memory`."""
    made = Object.create("THING", {"x": Tensor.ones([1024])})
    found = memory.snapshot()
    same(any(one.plugin == "every" for one in found.plugins), True)
    same((memory.offload(made) >= 0, memory.restore(made) >= 0), (True, True))
    id = memory.remember(made)
    same(memory.recall(id).type_name, "THING")
    same((memory.forget(id), memory.forget(id), memory.forget_all()), (True, False, 0))
    fails(NotFound, "", lambda: memory.recall(id))
    memory.keep(made, Tier.DEVICE)
    memory.keep(made, Tier.HOST, False)
    fails(InvalidArgument, "", lambda: memory.keep(made, Tier.DISK))
    memory.keep_nothing()
    same(memory.make_free(Tier.DEVICE, 10) >= 0, True)
    memory.clear_results()
    same(set(found.tiers), set(Tier))
    context.show_text("problems: []")
