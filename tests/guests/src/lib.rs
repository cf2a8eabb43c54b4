//! A plugin that does what no plugin should, one node for each sin, and two that
//! only show what the boundary costs. `tests/all/guests.rs` and the benchmarks run them.

use berth_sdk::prelude::*;

/// Panics.
#[node(category = "guests", output_node)]
pub fn trap(#[input(default = "on purpose")] message: String) -> Result<()> {
    panic!("{message}");
}

/// Never returns.
#[node(category = "guests", output_node)]
pub fn spin() -> Result<()> {
    loop {
        std::hint::black_box(());
    }
}

/// Makes a tensor of zeros and hands it on.
#[node(category = "guests")]
pub fn hold(#[input(default = 1, min = 0)] mebibytes: usize) -> Result<Tensor> {
    Tensor::zeros(DType::U8, &[mebibytes, 1 << 20])
}

/// Makes tensors and then panics with all of them in hand.
#[node(category = "guests", output_node)]
pub fn hold_and_trap(#[input(default = 8, min = 0)] mebibytes: usize) -> Result<()> {
    let held: Vec<Tensor> =
        (0..mebibytes).map(|_| Tensor::zeros(DType::U8, &[1 << 20])).collect::<Result<_>>()?;
    panic!("with {} tensors in hand", held.len());
}

/// Makes tensors and forgets to give them back.
#[node(category = "guests", output_node)]
pub fn leak(#[input(default = 8, min = 0)] mebibytes: usize) -> Result<()> {
    for _ in 0..mebibytes {
        std::mem::forget(Tensor::zeros(DType::U8, &[1 << 20])?);
    }
    Ok(())
}

/// Asks the host for a tensor's dtype over and over: what a call costs.
#[node(category = "guests", output_node)]
pub fn chatter(#[input(default = 1, min = 0)] calls: usize) -> Result<()> {
    let tensor = Tensor::zeros(DType::U8, &[1])?;
    for _ in 0..calls {
        std::hint::black_box(tensor.dtype());
    }
    Ok(())
}

/// Does nothing: what a run costs.
#[node(category = "guests", output_node)]
pub fn idle() -> Result<()> {
    Ok(())
}

/// A function that calls itself, each time in a new instance.
#[node(category = "guests", output_node)]
pub fn dive() -> Result<()> {
    deeper(Fields::new(), Fields::new()).map(|_| ())
}

/// What `dive` calls.
pub fn deeper(_captures: Fields, _arguments: Fields) -> Result<Fields> {
    Function::create("deeper", Fields::new())?.call(Fields::new())
}

/// Decodes with another plugin's VAE: innocent, and named in nobody's errors.
#[node(category = "guests")]
pub fn relay(vae: Vae, samples: Latent) -> Result<Tensor> {
    vae.decode(&samples.samples()?)
}

/// Puts objects into objects without end.
#[node(category = "guests", output_node)]
pub fn burrow() -> Result<()> {
    let mut inner = Object::create("BURROW", Fields::new())?;
    loop {
        inner = Object::create("BURROW", Fields::new().with("inner", inner))?;
    }
}

/// Opens a model, which takes a right.
#[node(category = "guests", output_node)]
pub fn snoop(path: String) -> Result<()> {
    ModelFile::open("checkpoints", &path).map(|_| ())
}

/// Has a function of its own say much, over and over.
#[node(category = "guests", output_node)]
pub fn gush() -> Result<()> {
    let much = Function::create("gushing", Fields::new())?;
    loop {
        much.call(Fields::new())?;
    }
}

/// What `gush` calls.
pub fn gushing(_captures: Fields, _arguments: Fields) -> Result<Fields> {
    Ok(Fields::new().with("text", "x".repeat(1 << 20)))
}

/// Puts numbers into objects, and objects into one another, so that it holds few of them itself.
#[node(category = "guests", output_node)]
pub fn pile() -> Result<()> {
    let numbers = |fields: Fields| {
        (0..1000).fold(fields, |fields, at: i64| fields.with(&format!("{at}"), at))
    };
    loop {
        let mut inner = Object::create("PILE", numbers(Fields::new()))?;
        for _ in 0..50 {
            inner = Object::create("PILE", numbers(Fields::new()).with("inner", inner))?;
        }
    }
}

plugin! {
    nodes: [snoop, gush, pile, trap, spin, hold, hold_and_trap, leak, chatter, idle, dive, relay, burrow],
    functions: [deeper, gushing]
}
