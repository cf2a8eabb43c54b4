//! One step of the sampler, as the benchmarks take it.

use std::sync::Arc;

use berth_sandbox::{FunctionValue, Value};
use berth_tests::host::{Checkpoint, DEMO, Host};

/// One UNet step through the component: batch 2, 8 × 8 latents, 77 tokens.
pub struct Step {
    pub host: Host,
    denoise: Arc<FunctionValue>,
    arguments: Vec<(String, Value)>,
    _checkpoint: Checkpoint,
}

impl Step {
    pub fn new(host: Host) -> Self {
        let checkpoint = host.checkpoint(DEMO);
        let ramp = |count: usize| (0..count).map(|i| (i as f32 * 0.7).sin()).collect::<Vec<_>>();
        let arguments = vec![
            ("latent".into(), host.tensor(&[2, 4, 8, 8], &ramp(512))),
            ("timestep".into(), Value::Number(500.0)),
            ("conditioning".into(), host.tensor(&[2, 77, 64], &ramp(2 * 77 * 64))),
        ];
        let denoise = host.function(&checkpoint.model, "denoise");
        Self { host, denoise, arguments, _checkpoint: checkpoint }
    }

    /// # Errors
    /// What the step says.
    pub fn run(&self) -> Result<Vec<(String, Value)>, berth_sandbox::SandboxError> {
        self.denoise.call(self.arguments.clone(), self.host.context())
    }
}
