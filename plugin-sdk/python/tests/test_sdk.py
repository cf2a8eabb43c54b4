"""What needs no component: `python3 -m unittest discover tests` in the SDK's folder."""

from __future__ import annotations

import sys
import unittest
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

import fake  # noqa: E402  (before berth, which takes the bindings from it)

import berth  # noqa: E402
from berth import definitions, errors, integers, texts, values  # noqa: E402
from berth.component import Nodes, answer  # noqa: E402


class Side(StrEnum):
    LEFT = "left"
    RIGHT = "right"


def described(function: Any, **options: Any) -> Any:
    """The contract's description of a node."""
    definitions.NODES.clear()
    return berth.node(category="test", **options)(function).describe()


class Texts(unittest.TestCase):
    def test_sections_end_the_description(self) -> None:
        found = texts.texts_of("""Blurs
            images.

            In both directions.

            Args:
                image: The images,
                    all of them.
                sigma (float): How much.

            Returns:
                The blurred ones.

            Raises:
                Nothing: Ever.
            """)
        self.assertEqual(found.description, "Blurs images.\n\nIn both directions.")
        expected = {"image": "The images, all of them.", "sigma": "How much."}
        self.assertEqual(found.inputs, expected)
        self.assertEqual(found.returns, "The blurred ones.")

    def test_nothing_is_said_where_there_is_no_docstring(self) -> None:
        self.assertEqual(texts.texts_of(None), texts.Texts())

    def test_names(self) -> None:
        self.assertEqual(texts.camel_case("image_blur2"), "ImageBlur2")
        self.assertEqual(texts.title_case("image_blur"), "Image Blur")


class Ports(unittest.TestCase):
    def test_a_parameters_type_is_its_port(self) -> None:
        def every(
            image: berth.Image,
            seed: Annotated[int, berth.Input(seed=True)],
            sigma: Annotated[float, berth.Input(min=0, max=1, step=0.1), "How much."] = 1,
            side: Side = Side.RIGHT,
            way: Literal["a", "b"] = "a",
            model: Annotated[str, berth.Input(models="vae")] = "x",
            mask: berth.Mask | None = None,
            anything: Any = None,
            node_id: berth.UniqueId | None = None,
        ) -> tuple[berth.Image, Annotated[int, berth.Output("count", passes="seed")]]:
            return image, 1

        found = described(every)
        names = [one.name for one in found.inputs]
        expected = ["image", "seed", "sigma", "side", "way", "model", "mask", "anything"]
        self.assertEqual(names, expected)
        self.assertEqual([one.optional for one in found.inputs], [False] * 6 + [True] * 2)
        image, seed, sigma, side, way, model, mask, anything = (
            one.port.value for one in found.inputs
        )
        self.assertEqual((image, mask, anything), ("IMAGE", "MASK", "*"))
        self.assertEqual(seed.max, fake.types.WideInteger(False, 2**32 - 1, 2**32 - 1))
        self.assertEqual(sigma, fake.nodes.NumberPort(1.0, 0.0, 1.0, 0.1))
        self.assertEqual(found.inputs[2].tooltip, "How much.")
        self.assertEqual((side.choices.value, side.default), (["left", "right"], "right"))
        self.assertEqual(way.choices.value, ["a", "b"])
        self.assertEqual(model.choices, fake.nodes.Choices_Models("vae"))
        self.assertEqual(found.hidden, [fake.nodes.Hidden.UNIQUE_ID])
        outputs = [(one.name, one.type_name, one.passes) for one in found.outputs]
        self.assertEqual(outputs, [("IMAGE", "IMAGE", None), ("count", "INT", "seed")])

    def refused(self, function: Any) -> str:
        with self.assertRaises(berth.DefinitionError) as raised:
            described(function)
        return str(raised.exception)

    def test_what_cannot_be_is_refused_as_the_plugin_is_built(self) -> None:
        def option(a: Annotated[str, berth.Input(min=1)]) -> None: ...
        def wire(a: set[int]) -> None: ...
        def default(a: Literal["x"] = "y") -> None: ...  # type: ignore
        def unannotated(a) -> None: ...  # type: ignore
        def result(a: int): ...  # type: ignore
        def lazy(a: Annotated[berth.Image, berth.Input(lazy=True)]) -> None: ...
        def many(*a: int) -> None: ...
        def passes(a: int) -> Annotated[int, berth.Output(passes="b")]: ...  # type: ignore
        def told(a: int) -> None:
            """It.

            Args:
                b: Not there.
            """

        self.assertIn("`min` is an option of integer and number inputs", self.refused(option))
        self.assertIn("no wire carries", self.refused(wire))
        self.assertIn("its default, 'y', is no choice of x", self.refused(default))
        self.assertIn("`a` is not annotated", self.refused(unannotated))
        self.assertIn("outputs are not annotated", self.refused(result))
        self.assertIn("what is lazy may be missing", self.refused(lazy))
        self.assertIn("a parameter of its own", self.refused(many))
        self.assertIn("no input `b`", self.refused(passes))
        self.assertIn("tells of `b`", self.refused(told))


class Running(unittest.TestCase):
    def run_node(self, function: Any, **inputs: Any) -> Any:
        definitions.NODES.clear()
        made = berth.node(category="test")(function)
        return Nodes().run(made.name, values.to_fields(inputs))

    def error(self, function: Any, **inputs: Any) -> Any:
        with self.assertRaises(fake.Err) as raised:
            self.run_node(function, **inputs)
        return raised.exception.value

    def test_inputs_and_outputs_have_their_types(self) -> None:
        def half(count: int, side: Side = Side.LEFT) -> tuple[float, str]:
            return count, side.value  # an integer is a number to Python

        number, text = self.run_node(half, count=2**64 - 1)
        self.assertEqual((number.value, text.value), (float(2**64 - 1), "left"))
        wrong = self.error(half, count=1.5)
        self.assertEqual(wrong.value, "Half: `count`: expected an integer, got a number")
        self.assertEqual(
            self.error(half, count=True).value.split(": ")[2], "expected an integer, got a boolean"
        )
        self.assertIn("`up` is not one of left, right", self.error(half, count=1, side="up").value)
        self.assertEqual(self.error(half).value, "Half: `count` is missing")

    def test_a_python_exception_is_an_error_with_its_message(self) -> None:
        def broken() -> None:
            raise KeyError("lost")

        found = self.error(broken)
        self.assertIsInstance(found, fake.types.Error_Other)
        self.assertTrue(found.value.startswith("KeyError: 'lost'"), found.value)
        self.assertIn("in broken", fake.logged[-1])

    def test_checks_get_the_inputs_that_they_name(self) -> None:
        definitions.NODES.clear()

        @berth.node(category="test")
        def checked(a: int, b: float) -> None: ...

        @checked.validate
        def _(b: float | None) -> str | None:
            return None if b is None else f"{b} is wrong"

        self.assertEqual(checked.describe().checks, fake.Checks.VALIDATE)
        fields = values.to_fields({"a": 1, "b": 0.5})
        self.assertEqual(Nodes().validate("Checked", fields), "0.5 is wrong")
        self.assertIsNone(Nodes().validate("Checked", []))


class Crossing(unittest.TestCase):
    def test_every_64_bit_integer_crosses_unchanged(self) -> None:
        for value in (0, 1, 2**32 - 1, 2**32, 2**64 - 1, -(2**63), -1):
            self.assertEqual(integers.from_wide(integers.to_wide(value)), value)
        with self.assertRaises(berth.InvalidArgument):
            integers.to_wide(2**64)

    def test_every_error_crosses_unchanged(self) -> None:
        short = berth.Shortage(berth.Tier.HOST, 1, 2, 3)
        texts_ = (berth.InvalidArgument, berth.AccessDenied, berth.NotFound, berth.Unsupported)
        every: list[berth.Error] = [kind("x") for kind in (*texts_, berth.Other)]
        every += [berth.QuotaExceeded(short), berth.OutOfMemory(short)]
        every += [berth.Failed("c", "m", "h"), berth.Cancelled()]
        for error in every:
            back = errors.from_raw(error.to_raw(fake.types))
            self.assertIs(type(back), type(error))
            self.assertEqual(vars(back), vars(error))

    def test_an_error_can_say_where(self) -> None:
        self.assertEqual(str(berth.NotFound("x").at("y")), "y: x")
        self.assertEqual(str(berth.Failed("c", "m").at("y")), "m")

    def test_what_the_host_refuses_is_raised(self) -> None:
        def work() -> None:
            raise berth.Failed("c", "m", "h")

        with self.assertRaises(fake.Err) as raised:
            answer(work)
        self.assertEqual(
            raised.exception.value, fake.types.Error_Failed(fake.types.Failure("c", "m", "h"))
        )


class Tensors(unittest.TestCase):
    def shape_of(self, key: Any, shape: tuple[int, ...] = (2, 3, 4)) -> tuple[int, ...]:
        return berth.Tensor(fake.RawTensor(list(shape)))[key].shape

    def test_slices_have_numpys_shapes(self) -> None:
        self.assertEqual(self.shape_of(1), (3, 4))
        self.assertEqual(self.shape_of((..., -1)), (2, 3))
        self.assertEqual(self.shape_of((slice(None), slice(2, None, -1))), (2, 3, 4))
        self.assertEqual(self.shape_of((None, 0, ..., None)), (1, 3, 4, 1))
        self.assertEqual(self.shape_of((slice(5, 9),)), (0, 3, 4))
        self.assertEqual(self.shape_of((0, 0, slice(-3, None, 2))), (2,))
        for key in (2, -3, (0, 0, 0, 0), "x", (..., ...)):
            with self.assertRaises(berth.InvalidArgument):
                self.shape_of(key)

    def test_what_the_bindings_would_trap_on_is_refused(self) -> None:
        x = berth.Tensor(fake.RawTensor([2]))
        for wrong in (lambda: x.slice(0, -1), lambda: x.reshape([2.0]), lambda: x.flip(2**31)):  # type: ignore
            with self.assertRaises(berth.InvalidArgument):
                wrong()
        with self.assertRaises(TypeError):
            bool(x)
        with self.assertRaises(TypeError):
            x + "1"  # type: ignore

    def test_a_closed_tensor_is_of_no_use(self) -> None:
        raw = fake.RawTensor([2])
        with berth.Tensor(raw) as x:
            self.assertEqual(x.shape, (2,))
        self.assertFalse(raw.open)
        with self.assertRaises(berth.InvalidArgument):
            x.shape

    def test_a_wire_checks_its_tensor(self) -> None:
        with self.assertRaises(berth.InvalidArgument) as raised:
            berth.Image(berth.Tensor(fake.RawTensor([2, 2])))
        self.assertIn("[batch, height, width, channels]", str(raised.exception))


if __name__ == "__main__":
    unittest.main()
