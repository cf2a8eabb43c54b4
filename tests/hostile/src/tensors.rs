//! Shapes that cannot be, bytes that do not fit, numbers that are none, and a search for what
//! others left behind.
//!
//! The bindings are used where the SDK would say no before the host is asked.

use berth_sdk::bindings::berth::node::types::Dtype;
use berth_sdk::bindings::berth::node::{ops, tensors as raw};
use berth_sdk::prelude::*;

/// A tensor of a shape, in one of the ways there are to ask for one.
fn make(way: &str, dtype: Dtype, shape: &[u32]) -> Result<Tensor> {
    let one = || raw::full(dtype, &[1], 0.0);
    let generator = || raw::Generator::seeded(berth_sdk::Integer::from(7u64).into());
    let made = match way {
        "from-bytes" => raw::from_bytes(dtype, shape, &[]),
        "full" => raw::full(dtype, shape, 1.0),
        "upload" => raw::Upload::begin(dtype, shape).and_then(|upload| upload.finish()),
        "normal" => generator().normal(shape),
        "uniform" => generator().uniform(shape),
        "reshape" => ops::reshape(&one()?, shape),
        "broadcast" => ops::broadcast(&one()?, shape),
        other => return Err(Error::NotFound(format!("the way {other:?}"))),
    };
    Ok(made?.into())
}

/// Asks for more elements than a number can count.
#[node(category = "hostile", output_node)]
pub fn overflow(way: String) -> Result<()> {
    let (half, all) = (1u32 << 31, u32::MAX);
    let small = || Tensor::full(DType::F32, &[1, 1, 2, 2], 1.0);
    let wide = Walk { stride: all, padding: 0, dilation: all, groups: 1 };
    match way.as_str() {
        "resize" => small()?.interpolate(all as usize, all as usize, Sampling::Bilinear),
        "pad" => small()?.pad(&[(all as usize, all as usize); 4], Padding::Constant(0.0)),
        "transposed" => small()?.conv_transpose2d(&small()?, None, wide, all),
        "bytes" => make("full", Dtype::F64, &[half, 1 << 28]),
        "wrapped" => make("full", Dtype::U8, &[all; 8]),
        "behind-zero" => make("full", Dtype::U8, &[0, all, all, all]),
        // 2³³ · 2³¹, in dimensions that the contract has.
        way => make(way, Dtype::U8, &[half, 4, half]),
    }
    .map(drop)
}

/// Asks for a million dimensions.
#[node(category = "hostile", output_node)]
pub fn ranks(way: String) -> Result<()> {
    const RANK: usize = 1_000_000;
    let one = raw::full(Dtype::F32, &[1, 1], 0.0)?;
    match way.as_str() {
        "permute" => drop(ops::permute(&one, &vec![0; RANK])?),
        "reduce" => drop(ops::reduce(&one, ops::Reduction::Sum, &vec![0; RANK], false)?),
        "pad" => drop(ops::pad(&one, &vec![(0, 0); RANK], ops::Padding::Edge)?),
        "axis" => drop(ops::softmax(&one, i32::MIN)?),
        "flip" => drop(ops::flip(&one, i32::MAX)?),
        "concat" => drop(ops::concat(&[], 0)?),
        "empty" => return empty(),
        way => drop(make(way, Dtype::F32, &vec![1; RANK])?),
    }
    Ok(())
}

/// Does everything there is with tensors of no elements.
fn empty() -> Result<()> {
    for shape in [&[0][..], &[0, 3], &[3, 0], &[1, 0, 8, 8], &[1, 4, 0, 8], &[0; 8]] {
        for way in ["from-bytes", "full", "upload", "normal", "uniform"] {
            let x = make(way, Dtype::F32, shape)?;
            for (name, result) in every(&x) {
                settle(name, result, false)?;
            }
        }
    }
    Ok(())
}

/// The data is shorter or longer than its shape says, or goes where there is none.
#[node(category = "hostile", output_node)]
pub fn lengths(way: String) -> Result<()> {
    let begin = || raw::Upload::begin(Dtype::F32, &[4]);
    match way.as_str() {
        "short" => drop(raw::from_bytes(Dtype::F32, &[4], &[1; 15])?),
        "long" => drop(raw::from_bytes(Dtype::F32, &[4], &[1; 17])?),
        "none" => drop(raw::from_bytes(Dtype::F64, &[], &[])?),
        "half-a-block" => drop(raw::from_bytes(Dtype::Q40, &[16], &[1; 9])?),
        "past-the-end" => begin()?.write(1, &[1; 16])?,
        "from-afar" => begin()?.write(u64::MAX, &[1; 16])?,
        "behind" => begin()?.write(17, &[])?,
        "after-the-end" => {
            let upload = begin()?;
            upload.finish()?;
            upload.write(0, &[1; 16])?;
        }
        "finished-twice" => {
            let upload = begin()?;
            upload.finish()?;
            upload.finish()?;
        }
        other => return Err(Error::NotFound(format!("the way {other:?}"))),
    }
    Ok(())
}

/// Reads where the tensor is not.
#[node(category = "hostile", output_node)]
pub fn outside(offset: u64, length: u32) -> Result<()> {
    let tensor = raw::full(Dtype::U8, &[100], 7.0)?;
    let bytes = tensor.read(offset, length)?;
    if bytes == vec![7; length as usize] { Ok(()) } else { Err(Error::other("other bytes")) }
}

/// Computes with what is no number, and by indices of nothing.
#[node(category = "hostile", output_node)]
pub fn poison(way: String, index: i64) -> Result<()> {
    let x = Tensor::arange(DType::F32, 0.0, 1.0, 12)?.reshape(&[4, 3])?;
    let nothing = Tensor::zeros(DType::F32, &[0, 3])?;
    let (way, narrow) = way.strip_suffix("-u32").map_or((&*way, false), |way| (way, true));
    let indices = |shape: &[usize]| {
        let count = shape.iter().product();
        if narrow {
            return Tensor::from_slice(shape, &vec![index as u32; count]);
        }
        Tensor::from_slice(shape, &vec![index; count])
    };
    match way {
        "numbers" => return numbers(),
        "arguments" => return arguments(&x),
        "gather" => x.gather(0, &indices(&[2, 3])?),
        "gather-across" => x.gather(1, &indices(&[4, 1])?),
        "select" => x.index_select(0, &indices(&[2])?),
        "embedding" => indices(&[2, 2])?.embedding(&x),
        "gather-nothing" => nothing.gather(0, &indices(&[2, 3])?),
        "select-nothing" => nothing.index_select(0, &indices(&[2])?),
        "embedding-nothing" => indices(&[2])?.embedding(&nothing),
        other => return Err(Error::NotFound(format!("the way {other:?}"))),
    }
    .map(drop)
}

/// Everything there is, over NaN, infinities, zeros of both signs and the smallest and largest
/// numbers; what IEEE says of it must come out.
fn numbers() -> Result<()> {
    let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0, 0.0, f32::MAX, f32::MIN, 1e-45];
    let data: Vec<f32> = odd.iter().copied().cycle().take(4 * 8 * 8).collect();
    let x = Tensor::from_f32(&[1, 4, 8, 8], &data)?;
    for dtype in [DType::F32, DType::F16, DType::BF16, DType::F64] {
        for (name, result) in every(&x.cast(dtype)?) {
            settle(name, result, false)?;
        }
    }
    for result in [x.sum(&[], false), x.max(&[], false), x.min(&[], false), x.mean(&[], false)] {
        if !result?.to_f32()?.iter().all(|number| number.is_nan()) {
            return Err(Error::other("a reduction lost a NaN"));
        }
    }
    let whole = x.cast(DType::I64)?.to_vec::<i64>()?;
    if !whole.starts_with(&[0, i64::MAX, i64::MIN, 0, 0, i64::MAX, i64::MIN, 0]) {
        return Err(Error::other(format!("as integers they are {:?}", whole.get(..8))));
    }
    Ok(())
}

/// Arguments that are no numbers, or as large or small as they can be.
fn arguments(x: &Tensor) -> Result<()> {
    let image = x.reshape(&[1, 1, 4, 3])?;
    let (nan, inf, all) = (f64::NAN, f64::INFINITY, u32::MAX);
    let walk = |stride, padding, dilation, groups| Walk { stride, padding, dilation, groups };
    let walks = [
        walk(0, 0, 1, 1),
        walk(1, 0, 0, 1),
        walk(1, 0, 1, 0),
        walk(all, all, all, all),
        walk(1, all, 1, 1),
        walk(1, 0, all, 1),
        walk(1, 0, 1, all),
    ];
    let heads = |heads, scale| AttentionOptions { heads, scale, ..AttentionOptions::default() };
    let rows = x.reshape(&[1, 4, 3])?;
    let mut results = vec![
        ("full", Tensor::full(DType::I64, &[2], nan)),
        ("full", Tensor::full(DType::U8, &[2], inf)),
        ("arange", Tensor::arange(DType::I64, nan, inf, 3)),
        ("arange", Tensor::arange(DType::F64, 0.0, 1.0, all as usize)),
        ("affine", x.affine(nan, inf)),
        ("power", x.power(nan)),
        ("clamp", x.clamp(nan, nan)),
        ("clamp", x.clamp(1.0, 0.0)),
        ("pad", image.pad(&[(0, 0), (0, 0), (9, 9), (9, 9)], Padding::Reflect)),
        ("pad", image.pad(&[(0, 0), (0, 0), (9, 9), (9, 9)], Padding::Wrap)),
        ("pad", x.pad(&[(1, 1), (1, 1)], Padding::Constant(nan))),
        ("group-norm", image.group_norm(0, None, None, 1e-5)),
        ("group-norm", image.group_norm(all as usize, None, None, f32::NAN)),
        ("layer-norm", x.layer_norm(None, None, f32::NEG_INFINITY)),
        ("rms-norm", x.rms_norm(None, -1.0)),
        ("attention", rows.attention(&rows, &rows, heads(0, None))),
        ("attention", rows.attention(&rows, &rows, heads(all as usize, None))),
        ("attention", rows.attention(&rows, &rows, heads(1, Some(f32::NAN)))),
        ("slice", x.slice_step(0, 0..4, 0)),
        ("slice", x.slice_step(0, 0..all as usize, all as usize)),
        ("slice", x.slice(0, all as usize..)),
        ("resize", image.interpolate(0, 0, Sampling::Lanczos)),
        ("resize", image.interpolate(1, all as usize, Sampling::Lanczos)),
        (
            "divide",
            Tensor::full(DType::I64, &[2], 1.0)
                .and_then(|x| &x / &Tensor::zeros(DType::I64, &[2])?),
        ),
    ];
    for walk in walks {
        results.push(("conv1d", rows.conv1d(&rows, None, walk)));
        results.push(("conv2d", image.conv2d(&image, None, walk)));
        results.push(("transposed", image.conv_transpose2d(&image, None, walk, 0)));
        results.push(("transposed", image.conv_transpose2d(&image, None, walk, all)));
    }
    results.into_iter().try_for_each(|(name, result)| settle(name, result, true).map(drop))
}

/// Looks for a number that others have in their tensors, in all that it can get to read.
#[node(category = "hostile", output_node)]
pub fn peek(secrets: String) -> Result<()> {
    let secrets: Vec<[u8; 4]> =
        secrets.split(',').filter_map(|number| number.parse().ok()).map(f32::to_le_bytes).collect();
    let search = |name: &str, tensor: Option<Tensor>| {
        let Some(tensor) = tensor else { return Ok(()) };
        let bytes = tensor.read_bytes()?;
        let (words, _) = bytes.as_chunks::<4>();
        match words.iter().find(|word| secrets.contains(word)) {
            Some(_) => Err(Error::other(format!("`{name}` shows another's bytes"))),
            None => Ok(()),
        }
    };
    for side in [8u32, 16, 32, 64] {
        let shape = [1, 4, side, side];
        for way in ["full", "upload", "normal", "uniform"] {
            search(way, Some(make(way, Dtype::F32, &shape)?))?;
        }
        let upload = raw::Upload::begin(Dtype::F32, &shape)?;
        upload.write(4, &[1; 4])?;
        drop(raw::Upload::begin(Dtype::F32, &shape)?);
        search("half an upload", Some(upload.finish()?.into()))?;
        let x = make("full", Dtype::F32, &shape)?;
        for (name, result) in every(&x) {
            search(name, settle(name, result, false)?)?;
        }
        let across = side as usize;
        let rows = x.reshape(&[1, 4 * across, across])?;
        let picture = x.pad(&[(0, 0), (0, 0), (3, 5), (7, 1)], Padding::Constant(0.25))?;
        search("pad", Some(picture))?;
        search("attention", Some(rows.attention(&rows, &rows, AttentionOptions::default())?))?;
        let indices = Tensor::from_slice(&[3], &[0i64, 1, 0])?;
        search("select", Some(rows.index_select(1, &indices)?))?;
        // An operation that fails half way leaves its output behind.
        let indices = Tensor::from_slice(&[2], &[0i64, 99_999])?;
        settle("select", rows.index_select(1, &indices), false)?;
        search("after a failure", Some(make("upload", Dtype::F32, &shape)?))?;
    }
    Ok(())
}

/// Every operation there is on a tensor, whether it fits or not.
fn every(x: &Tensor) -> Vec<(&'static str, Result<Tensor>)> {
    let walk = Walk::padded(1);
    let (y, rank) = (&x.clone(), x.shape().len());
    let around = |padding| x.pad(&vec![(1, 2); rank], padding);
    let indices = Tensor::zeros(DType::U32, &[2]);
    let mut results = vec![
        ("matmul", x.matmul(x)),
        ("linear", x.linear(x, None)),
        ("conv1d", x.conv1d(x, None, walk)),
        ("conv2d", x.slice(-1, ..3).and_then(|weight| x.conv2d(&weight, None, walk))),
        ("transposed", x.slice(-1, ..3).and_then(|w| x.conv_transpose2d(&w, None, walk, 0))),
        ("group-norm", x.group_norm(1, None, None, 1e-5)),
        ("layer-norm", x.layer_norm(None, None, 1e-5)),
        ("rms-norm", x.rms_norm(None, 1e-5)),
        ("attention", x.attention(x, x, AttentionOptions::default())),
        ("rotary", x.rotary(x, x, false)),
        ("softmax", x.softmax(-1)),
        ("affine", x.affine(2.0, 1.0)),
        ("power", x.power(0.5)),
        ("clamp", x.clamp(-1.0, 1.0)),
        ("minimum", x.minimum(x)),
        ("maximum", x.maximum(x)),
        ("add", x + x),
        ("subtract", x - y),
        ("multiply", x * x),
        ("divide", x / y),
        ("choose", x.eq(x).and_then(|condition| condition.choose(x, x))),
        ("less", x.lt(x)),
        ("sum", x.sum(&[], false)),
        ("mean", x.mean(&[-1], true)),
        ("max", x.max(&[], false)),
        ("min", x.min(&[0], false)),
        ("argmax", x.argmax(-1, false)),
        ("argmin", x.argmin(0, true)),
        ("cumulative-sum", x.cumulative_sum(-1)),
        ("slice", x.slice_step(0, .., 2)),
        ("concat", Tensor::concat(&[x, x], -1)),
        ("flip", x.flip(-1)),
        ("zeros around", around(Padding::Constant(0.0))),
        ("edges around", around(Padding::Edge)),
        ("mirrored", around(Padding::Reflect)),
        ("wrapped", around(Padding::Wrap)),
        ("select", indices.clone().and_then(|indices| x.index_select(0, &indices))),
        ("embedding", indices.and_then(|indices| indices.embedding(x))),
        ("gather", Tensor::zeros(DType::I64, &x.shape()).and_then(|at| x.gather(-1, &at))),
        ("permute", x.permute(&(0..rank).rev().collect::<Vec<_>>())),
    ];
    let maps: [fn(&Tensor) -> Result<Tensor>; 22] = [
        Tensor::abs,
        Tensor::sign,
        Tensor::recip,
        Tensor::sqrt,
        Tensor::rsqrt,
        Tensor::exp,
        Tensor::log,
        Tensor::sin,
        Tensor::cos,
        Tensor::tanh,
        Tensor::erf,
        Tensor::floor,
        Tensor::ceil,
        Tensor::round,
        Tensor::relu,
        Tensor::sigmoid,
        Tensor::silu,
        Tensor::gelu,
        Tensor::gelu_tanh,
        Tensor::gelu_quick,
        Tensor::softplus,
        Tensor::mish,
    ];
    results.extend(maps.map(|function| ("map", function(x))));
    let samplings = [
        Sampling::Nearest,
        Sampling::NearestExact,
        Sampling::Bilinear,
        Sampling::Bicubic,
        Sampling::Area,
        Sampling::Lanczos,
    ];
    results.extend(samplings.map(|sampling| ("resize", x.interpolate(11, 5, sampling))));
    let dtypes = [
        DType::U8,
        DType::U32,
        DType::I32,
        DType::I64,
        DType::F16,
        DType::BF16,
        DType::F64,
        DType::F8E4M3,
        DType::F8E5M2,
        DType::Q8_0,
    ];
    results.extend(dtypes.map(|dtype| ("cast", x.cast(dtype))));
    results
}

/// What an operation gave, read to its last byte; nothing where it said no in a way that it may.
fn settle(name: &str, result: Result<Tensor>, may_be_large: bool) -> Result<Option<Tensor>> {
    match result {
        Ok(tensor) => {
            tensor.read_bytes()?;
            Ok(Some(tensor))
        }
        Err(Error::InvalidArgument(_) | Error::Unsupported(_)) => Ok(None),
        Err(Error::OutOfMemory(_)) if may_be_large => Ok(None),
        Err(error) => Err(Error::other(format!("{name}: {error}"))),
    }
}
