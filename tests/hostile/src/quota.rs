//! Room, cancellation, and talk.

use berth_sdk::bindings::berth::node::tensors as raw;
use berth_sdk::bindings::berth::node::types::Dtype;
use berth_sdk::prelude::*;

/// Takes exactly so much of the device and of the host's memory, and then one byte more.
#[node(category = "hostile", output_node)]
pub fn to_the_byte(device: usize, host: usize) -> Result<()> {
    let there = Tensor::full(DType::U8, &[device], 1.0)?;
    let here = Tensor::from_bytes(DType::U8, &[host], &vec![2; host])?;
    Tensor::full(DType::U8, &[1], 3.0)?;
    drop((there, here));
    Err(Error::other("there was one byte more"))
}

/// Makes, uses and drops tensors as fast as it can, more at a time than there is room for.
#[node(category = "hostile", output_node)]
pub fn storm(rounds: usize) -> Result<()> {
    for _ in 0..rounds {
        let held: Vec<Tensor> =
            (0..40).map(|_| Tensor::full(DType::U8, &[1 << 20], 1.0)).collect::<Result<_>>()?;
        for tensor in &held {
            drop((tensor + tensor)?);
        }
    }
    Ok(())
}

/// Does a little of everything, and counts what it does.
#[node(category = "hostile", output_node)]
pub fn busy(model: ModelWire, latent: Tensor, conditioning: Tensor) -> Result<()> {
    let mut steps = 0;
    let mut step = || {
        steps += 1;
        context::progress(steps, usize::MAX);
    };
    step();
    let upload = raw::Upload::begin(Dtype::U8, &[1 << 16])?;
    for piece in 0..4 {
        step();
        upload.write(piece << 14, &[1; 1 << 14])?;
    }
    step();
    let uploaded: Tensor = upload.finish()?.into();
    step();
    let numbers = uploaded.cast(DType::F32)?;
    step();
    let sum = numbers.sum(&[], false)?;
    step();
    sum.to_f32()?;
    step();
    model.denoise(&latent, 500.0, &conditioning, None)?;
    step();
    context::save(context::Place::Temporary, "files", "busy", "txt", b"busy")?;
    step();
    let object = Object::create("BUSY", Fields::new().with("numbers", &numbers))?;
    step();
    object.get::<Tensor>("numbers")?.softmax(-1)?;
    step();
    // Whoever is told only now has one more thing to wait for.
    loop {
        Tensor::zeros(DType::U8, &[1])?;
    }
}

/// Asks whether it was cancelled, and goes on whatever it hears.
#[node(category = "hostile", output_node)]
pub fn deaf() -> Result<()> {
    loop {
        let heard = context::cancelled();
        let refused = Tensor::zeros(DType::U8, &[1]).is_err();
        std::hint::black_box((heard, refused));
    }
}

/// Says as much as it can, and tries to look like somebody else.
#[node(category = "hostile", output_node)]
pub fn flood(way: String) -> Result<()> {
    const TIMES: usize = 20_000;
    let spoof = "\u{1b}[2J\r\nERROR host: \u{202e}gone\u{2028}\u{7}\0";
    match way.as_str() {
        "log" => (0..TIMES).for_each(|_| context::log(context::Level::Error, spoof)),
        "text" => (0..TIMES).for_each(|_| context::show_text(spoof)),
        "progress" => (0..TIMES).for_each(|step| context::progress(step, TIMES + 1)),
        // The end of a bar is what everybody waits for.
        "done" => (0..TIMES).for_each(|step| context::progress(step, step)),
        "preview" => {
            let image = Tensor::zeros(DType::F32, &[1, 1, 3])?;
            (0..TIMES).try_for_each(|_| context::preview(&image))?;
        }
        "long" => context::log(context::Level::Info, &"x".repeat(16 << 20)),
        "files" => {
            for _ in 0..TIMES {
                context::save(context::Place::Temporary, "files", "flood", "txt", b"")?;
            }
        }
        "error" => return Err(Error::other(format!("{spoof}{}", "x".repeat(16 << 20)))),
        _ => {
            for _ in 0..256 {
                eprint!("{}", spoof.repeat(4096));
            }
            panic!("{spoof}");
        }
    }
    Ok(())
}

/// Takes all there is, and keeps it while it says so.
#[node(category = "hostile", output_node)]
pub fn greedy(mebibytes: usize) -> Result<()> {
    let mut held = Vec::new();
    for _ in 0..mebibytes {
        held.push(Tensor::full(DType::U8, &[1 << 20], 1.0)?);
    }
    // All of it at once, and one more.
    let all = Tensor::concat(&held.iter().collect::<Vec<_>>(), 0);
    context::progress(1, 2);
    all.map(drop)
}
