#!/usr/bin/env python3
"""Times the demo's work on PyTorch and diffusers, to compare Berth with.

    python3 tests/scripts/diffusers_baseline.py [--runs N] [--threads N]

It needs Python 3.11 or newer and nothing else. On first use it makes a virtual
environment in the user's cache directory and installs pinned packages there
(several gigabytes where only the CUDA build of PyTorch can be reached; it runs
on the CPU all the same). It prints one line of JSON.

The work is what the oracle recorded: the demo's checkpoint, "a red handwritten
seven on a black background" against the empty prompt, seed 42, 20 steps of
euler over the karras schedule, cfg 3, 64×64 pixels. It checks its final latent
against the oracle, so that both sides are known to do the same work. The loop
calls the modules directly, without a diffusers pipeline object, which is the
quickest that PyTorch does without compilation.

Seconds in the line: `load_s`, `encode_s`, `steps_s`, `decode_s` and `total_s`
(the last three together) are medians of warm runs in one process, after one run that
warms up; `total_min_s` is the quickest of them, `load_s` that process's only
load. `process_s` is a whole process: Python's start, the imports, load, one
image, PNG on disk.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import venv

PACKAGES = [
    "diffusers==0.42.1",
    "transformers==5.23.0",
    "safetensors==0.8.0",
    "tokenizers==0.23.3",
    "numpy==2.4.6",
    "pillow==13.0.0",
]
TORCH = "torch==2.15.0"
CPU_WHEELS = "https://download.pytorch.org/whl/cpu"

DATA = pathlib.Path(__file__).resolve().parent.parent / "data"
CHECKPOINT = DATA / "models/checkpoints/tiny-sd-digits.safetensors"
ORACLE = DATA / "tiny-sd-digits/oracle.safetensors"

PROMPT = "a red handwritten seven on a black background"
SEED, STEPS, CFG, LATENT_SIDE = 42, 20, 3.0, 8
# Whole processes to time: each takes seconds, and they differ little.
PROCESSES = 3


def environment():
    """The Python of the environment that has the packages; makes it if needed."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
    folder = cache / "berth-diffusers-baseline"
    python = folder / "bin/python"
    wanted = "\n".join([TORCH, *PACKAGES])
    stamp = folder / "installed.txt"
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    print(f"installing {TORCH} and {', '.join(PACKAGES)} into {folder}", file=sys.stderr)
    venv.create(folder, with_pip=True, clear=True)
    pip = [python, "-m", "pip", "install", "--quiet"]
    quick = ["--retries", "0", "--timeout", "15", "--index-url", CPU_WHEELS]
    if subprocess.run([*pip, *quick, TORCH], stderr=subprocess.DEVNULL).returncode != 0:
        print(f"no CPU build from {CPU_WHEELS}: taking pip's default index", file=sys.stderr)
        subprocess.run([*pip, TORCH], check=True, stdout=sys.stderr)
    subprocess.run([*pip, *PACKAGES], check=True, stdout=sys.stderr)
    stamp.write_text(wanted)
    return python


class Pipeline:
    """The checkpoint's three models in f32, and the demo's sampling loop."""

    def __init__(self):
        import torch
        from diffusers import AutoencoderKL, UNet2DConditionModel
        from diffusers.loaders import single_file_utils as ldm
        from safetensors import safe_open
        from tokenizers import Tokenizer
        from transformers import CLIPTextConfig, CLIPTextModel

        with safe_open(CHECKPOINT, "pt") as file:
            metadata = file.metadata()
            weights = {key: file.get_tensor(key) for key in file.keys()}
        parts = ("unet", "vae", "text_encoder")
        config = {part: json.loads(metadata[f"config.{part}"]) for part in parts}

        def f32(tensors):
            return {key: tensor.float() for key, tensor in tensors.items()}

        self.unet = UNet2DConditionModel.from_config(config["unet"]).eval()
        self.unet.load_state_dict(f32(ldm.convert_ldm_unet_checkpoint(weights, config["unet"])))
        self.vae = AutoencoderKL.from_config(config["vae"]).eval()
        self.vae.load_state_dict(f32(ldm.convert_ldm_vae_checkpoint(weights, config["vae"])))
        text_config = CLIPTextConfig(**{**config["text_encoder"], "dtype": "float32"})
        self.text_encoder = CLIPTextModel(text_config).eval()
        prefix = "cond_stage_model.transformer.text_model."
        text = {key.removeprefix(prefix): t for key, t in weights.items() if key.startswith(prefix)}
        text.pop("embeddings.position_ids", None)
        self.text_encoder.load_state_dict(f32(text))

        self.tokenizer = Tokenizer.from_str(metadata["tokenizer.json"])
        tokens = config["text_encoder"]["max_position_embeddings"]
        self.tokenizer.enable_truncation(tokens)
        self.tokenizer.enable_padding(length=tokens, pad_id=config["text_encoder"]["pad_token_id"])

        betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
        kept = torch.cumprod(1 - betas, 0)
        self.sigmas = ((1 - kept) / kept).sqrt().float()

    def encode(self, prompts):
        import torch

        ids = torch.tensor([encoded.ids for encoded in self.tokenizer.encode_batch(prompts)])
        return self.text_encoder(ids).last_hidden_state

    def karras(self, steps):
        import torch

        low, high = self.sigmas[0] ** (1 / 7), self.sigmas[-1] ** (1 / 7)
        ramp = torch.linspace(0, 1, steps)
        return torch.cat([(high + ramp * (low - high)) ** 7, torch.zeros(1)])

    def sample(self, context, seed):
        """Euler's method; `context` has the empty prompt's row, then the prompt's."""
        import torch

        side = LATENT_SIDE
        generator = torch.Generator().manual_seed(seed)
        noise = torch.randn(1, 4, side, side, generator=generator)
        sigmas = self.karras(STEPS)
        x = noise * (1 + sigmas[0] ** 2).sqrt()
        for sigma, following in zip(sigmas, sigmas[1:]):
            timestep = int((sigma.log() - self.sigmas.log()).abs().argmin())
            scaled = x / (sigma**2 + 1).sqrt()
            noise = self.unet(torch.cat([scaled, scaled]), timestep, context).sample
            without, given = noise.chunk(2)
            x = x + (without + CFG * (given - without)) * (following - sigma)
        return x

    def decode(self, latent):
        return self.vae.decode(latent / 0.18215).sample

    def run(self, prompt=PROMPT, seed=SEED):
        """One image: the seconds of its parts, the final latent, the image in −1…1."""
        clock = [time.perf_counter()]
        context = self.encode(["", prompt])
        clock.append(time.perf_counter())
        latent = self.sample(context, seed)
        clock.append(time.perf_counter())
        image = self.decode(latent)
        clock.append(time.perf_counter())
        encoding, sampling, decoding = (b - a for a, b in zip(clock, clock[1:]))
        seconds = {
            "encode_s": encoding,
            "steps_s": sampling,
            "decode_s": decoding,
            "total_s": clock[-1] - clock[0],
        }
        return seconds, latent, image


def pixels(image):
    """The first image of a batch in −1…1 as 8-bit rows of RGB."""
    return ((image[0].clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()


def one_process(threads, path):
    """The body of a timed whole process."""
    import torch
    from PIL import Image

    torch.set_num_threads(threads)
    with torch.inference_mode():
        _, _, image = Pipeline().run()
    Image.fromarray(pixels(image)).save(path)


def in_turns(threads):
    """One warm run and its time in seconds for each line that comes."""
    import torch

    torch.set_num_threads(threads)
    with torch.inference_mode():
        pipeline = Pipeline()
        pipeline.run()
        print("ready", flush=True)
        for _ in sys.stdin:
            print(pipeline.run()[0]["total_s"], flush=True)


def measure(runs, threads):
    import torch
    from safetensors.torch import load_file

    torch.set_num_threads(threads)
    with torch.inference_mode():
        start = time.perf_counter()
        pipeline = Pipeline()
        load = time.perf_counter() - start
        _, latent, image = pipeline.run()
        oracle = load_file(ORACLE)
        expected = oracle["euler.final"]
        error = ((latent - expected).norm() / expected.norm()).item()
        levels = image.clamp(-1, 1) - oracle["euler.image"].clamp(-1, 1)
        difference = levels.abs().mean().item() / 2
        if error > 5e-3 or difference > 1 / 255:
            sys.exit(f"not the oracle's work: latent off by {error:.2e}, image by {difference:.2e}")
        warm = [pipeline.run()[0] for _ in range(runs)]

    whole = []
    with tempfile.TemporaryDirectory() as folder:
        image = f"{folder}/image.png"
        command = [sys.executable, __file__, "--once", image, "--threads", str(threads)]
        # The first one only fills the page cache.
        for _ in range(1 + PROCESSES):
            start = time.perf_counter()
            subprocess.run(command, check=True)
            whole.append(time.perf_counter() - start)

    seconds = {
        "load_s": load,
        **{name: statistics.median(run[name] for run in warm) for name in warm[0]},
        "total_min_s": min(run["total_s"] for run in warm),
        "process_s": statistics.median(whole[1:]),
    }
    return {
        **{name: round(value, 5) for name, value in seconds.items()},
        "latent_error": float(f"{error:.2g}"),
        "runs": runs,
        "threads": threads,
        "torch": torch.__version__,
    }


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    cores = len(os.sched_getaffinity(0))
    parser.add_argument("--runs", type=int, default=20, help="warm runs, of which the median (20)")
    parser.add_argument("--threads", type=int, default=cores, help="PyTorch's threads (all cores)")
    parser.add_argument("--once", metavar="PNG", help=argparse.SUPPRESS)
    parser.add_argument("--in-turns", action="store_true", help="run once for each line of input")
    options = parser.parse_args()
    if options.once:
        one_process(options.threads, options.once)
    elif options.in_turns and os.environ.get("BERTH_BASELINE_ENVIRONMENT") == sys.prefix:
        in_turns(options.threads)
    elif os.environ.get("BERTH_BASELINE_ENVIRONMENT") == sys.prefix:
        print(json.dumps(measure(options.runs, options.threads)))
    else:
        python = environment()
        os.environ["BERTH_BASELINE_ENVIRONMENT"] = str(python.parent.parent)
        os.execv(python, [python, __file__, *sys.argv[1:]])


if __name__ == "__main__":
    main()
