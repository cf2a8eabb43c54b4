"""Tensors: made, read, and every operation."""

from __future__ import annotations

import math

from berth import DType, Generator, InvalidArgument, Padding, Sampling, Tensor, Upload, node, nn
from checks import fails, near, same


@node(category="test", output_node=True)
def tensors() -> None:
    """Makes tensors, and reads them."""
    x = Tensor.of([[1, 2, 3], [4, 5, 6]])
    same((x.shape, x.dtype, x.rank, x.elements, len(x), x.dim(-1)), ((2, 3), DType.F32, 2, 6, 2, 3))
    same(x.to_list(), [[1, 2, 3], [4, 5, 6]])
    same(len(x.to_bytes()), 24)
    same(x.read(4, 4), Tensor.of([2]).to_bytes())
    same(b"".join(x.pieces(8)), x.to_bytes())
    same(Tensor.of(5).item(), 5)
    fails(InvalidArgument, "", x.item)
    same(Tensor.from_list([2], [1, 2], DType.I64).to_list(), [1, 2])
    same(Tensor.from_bytes(DType.U8, [2], b"\1\2").to_list(), [1, 2])
    same(Tensor.full([1], 7, DType.I32).to_list(), [7])
    near(Tensor.zeros([1]), 0)
    near(Tensor.ones([2], DType.F16).cast(DType.F32), 1, 1)
    near(Tensor.arange(3, 1, 0.5), 1, 1.5, 2)
    near(Tensor.concat([Tensor.of([1]), Tensor.of([2, 3])]), 1, 2, 3)
    same(Tensor.stack([x, x], 1).shape, (2, 2, 3))
    near(x[1], 4, 5, 6)
    near(x[:, ::-1][0], 3, 2, 1)
    same(x[None, ..., 1:].shape, (1, 2, 2))
    same([len(row) for row in x], [3, 3])
    same(x.unsqueeze(0).squeeze(0).transpose().shape, (3, 2))
    near(x.slice(1, 0, 3, 2).reshape([-1]), 1, 3, 4, 6)
    upload = Upload(DType.F32, [2])
    upload.append(bytes(4))
    upload.write(4, b"\0\0\x80\x3f")
    near(upload.finish(), 0, 1)
    near(Generator(42).uniform([2]), 0.8823, 0.9150)
    seed = 2**64 - 1
    same(Generator(seed).normal([3]).to_list(), Generator(seed).normal([3]).to_list())
    with x + 1 as y:
        near(y[0], 2, 3, 4)
    y.close()
    same("f32" in repr(x) and "2" in repr(x), True)
    long = Tensor.arange(1_000_003)
    same(long.to_array()[-1], 1_000_002)


@node(category="test", output_node=True)
def operations() -> None:
    """Calls every operation."""
    a, b = Tensor.of([1, 2, 3, 4]), Tensor.of([2, 2, 2, 2])
    near(a + b, 3, 4, 5, 6)
    near(1 + a - b, 0, 1, 2, 3)
    near(1 - a, 0, -1, -2, -3)
    near(2 * a * b, 4, 8, 12, 16)
    near(12 / a, 12, 6, 4, 3)
    near(a / b / 2, 0.25, 0.5, 0.75, 1)
    near(a**2, 1, 4, 9, 16)
    near(abs(-a), 1, 2, 3, 4)
    near(a.minimum(b), 1, 2, 2, 2)
    near(a.maximum(b), 2, 2, 3, 4)
    for found, expected in (
        (a.eq(b), [0, 1, 0, 0]),
        (a.ne(b), [1, 0, 1, 1]),
        (a < b, [1, 0, 0, 0]),
        (a <= b, [1, 1, 0, 0]),
        (a > 2, [0, 0, 1, 1]),
        (a >= 2, [0, 1, 1, 1]),
    ):
        same(found.to_list(), expected)
    near((a > 2).choose(a, b), 2, 2, 3, 4)
    near(a.affine(2, 1).clamp(4, 8), 4, 5, 7, 8)
    v = 0.7
    sigmoid, softplus = 1 / (1 + math.exp(-v)), math.log(1 + math.exp(v))
    tanh = math.tanh(math.sqrt(2 / math.pi) * (v + 0.044715 * v**3))
    for name, expected in {
        "neg": -v, "abs": v, "sign": 1, "recip": 1 / v, "sqrt": v**0.5, "rsqrt": v**-0.5,
        "exp": math.exp(v), "log": math.log(v), "sin": math.sin(v), "cos": math.cos(v),
        "tanh": math.tanh(v), "erf": math.erf(v), "floor": 0, "ceil": 1, "round": 1, "relu": v,
        "sigmoid": sigmoid, "silu": v * sigmoid, "gelu": v * (1 + math.erf(v / 2**0.5)) / 2,
        "gelu_tanh": v * (1 + tanh) / 2, "gelu_quick": v / (1 + math.exp(-1.702 * v)),
        "softplus": softplus, "mish": v * math.tanh(softplus),
    }.items():  # fmt: skip
        near(getattr(Tensor.of([v]), name)(), expected)
    m = a.reshape([2, 2])
    near(m @ m, 7, 10, 15, 22)
    near(m.linear(m, Tensor.of([1, 1])), 6, 12, 12, 26)
    near(a.reshape([1, 1, 4]).conv1d(Tensor.ones([1, 1, 2]), Tensor.of([1]), stride=2), 4, 8)
    picture = a.reshape([1, 1, 2, 2])
    near(picture.conv2d(Tensor.ones([1, 1, 2, 2])), 10)
    transposed = picture.conv_transpose2d(Tensor.ones([1, 1, 2, 2]), stride=2, output_padding=1)
    same(transposed.shape, (1, 1, 5, 5))
    near(m.reshape([1, 2, 2]).group_norm(1, epsilon=0), -1.3416, -0.4472, 0.4472, 1.3416)
    near(m.layer_norm(Tensor.of([1, 1]), Tensor.of([0, 1]), epsilon=0), -1, 2, -1, 2)
    near(m.rms_norm(epsilon=0), 0.63245, 1.26491, 0.848528, 1.13137)
    q = a.reshape([1, 2, 2])
    same(q.attention(q, q, heads=2, causal=True).shape, (1, 2, 2))
    mask = Tensor.from_bytes(DType.U8, [1, 1, 1, 2], b"\0\1")
    near(q.attention(q, q, mask=mask, scale=1), 3, 4, 3, 4)
    ones, zeros = Tensor.ones([2, 1]), Tensor.zeros([2, 1])
    near(m.rotary(ones, zeros, interleaved=True), 1, 2, 3, 4)
    indices = Tensor.from_list([2], [1, 0], DType.U32)
    near(indices.embedding(m), 3, 4, 1, 2)
    near(Tensor.of([0, 0]).softmax(), 0.5, 0.5)
    near(m.permute([1, 0]), 1, 3, 2, 4)
    near(Tensor.of([5]).broadcast([3]), 5, 5, 5)
    near(a.flip(-1), 4, 3, 2, 1)
    two = Tensor.of([1, 2])
    near(two.pad([(1, 0)], 9), 9, 1, 2)
    near(two.pad([(1, 1)], Padding.EDGE), 1, 1, 2, 2)
    near(two.pad([(1, 1)], Padding.REFLECT), 2, 1, 2, 1)
    near(two.pad([(1, 0)], Padding.WRAP), 2, 1, 2)
    near(m.gather(1, Tensor.from_list([2, 2], [1, 0, 0, 1], DType.I64)), 2, 1, 3, 4)
    near(m.index_select(0, indices), 3, 4, 1, 2)
    for sampling in Sampling:
        same(picture.interpolate(4, 6, sampling).shape, (1, 1, 4, 6))
    same(Tensor.of([1.7, -2.2]).cast(DType.I32).to_list(), [1, -2])
    near(m.sum(), 10)
    same(m.sum([-1], keep=True).shape, (2, 1))
    near(m.mean(1), 1.5, 3.5)
    near(m.max(0), 3, 4)
    near(m.min(1), 1, 3)
    same((m.argmax(1).to_list(), m.argmin(1, keep=True).to_list()), ([1, 1], [[0], [0]]))
    same(Tensor.of([3, 1, 2]).argsort(0, descending=True).to_list(), [0, 2, 1])
    near(a.cumulative_sum(0), 1, 3, 6, 10)
    near(nn.Linear(m, two)(m), 6, 13, 12, 27)
    same(nn.timestep_embedding(3, 8).elements, 8)
    fails(InvalidArgument, "matmul", lambda: a @ Tensor.of([1, 2, 3]))
