//! What a result depends on, as one digest.
//!
//! Two nodes of one signature give the same result: same code (the plugin's digest), same
//! class, same constants with their types, links to the same outputs of nodes of the same
//! signature, same answer of the node's own `fingerprint`. Inputs that the node type does not
//! have do not count, nor does where the node stands or what it is called. A node that
//! takes its own id depends on that too; the workflow itself, which output nodes store in their
//! files, does not count, as in ComfyUI: a change elsewhere does not save the same image twice.

use std::sync::Arc;

use berth_memory::Cancel;
use berth_sandbox::{Hidden, RunContext, SandboxError};
use blake3::Hasher;

use crate::coerce::Constant;
use crate::plan::{Plan, Source, Step};
use crate::registry::Inputs;
use crate::watch::Unwatched;

/// Changes when what is hashed, or how, changes.
const DOMAIN: &str = "berth result signature 1";

/// A digest of everything that a result depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Signature([u8; blake3::OUT_LEN]);

impl Signature {
    #[cfg(test)]
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }
}

/// The signature of each step; `None` where the result must not be reused. Asks nodes
/// for fingerprints, so it blocks.
///
/// # Errors
/// Only `Cancelled`.
pub(crate) fn signatures(
    plan: &Plan,
    cancel: &Cancel,
) -> Result<Vec<Option<Signature>>, SandboxError> {
    let mut signatures: Vec<Option<Signature>> = Vec::with_capacity(plan.steps.len());
    for step in &plan.steps {
        let signature = signature(step, &signatures, cancel)?;
        signatures.push(signature);
    }
    Ok(signatures)
}

fn signature(
    step: &Step,
    before: &[Option<Signature>],
    cancel: &Cancel,
) -> Result<Option<Signature>, SandboxError> {
    let mut hasher = Hasher::new_derive_key(DOMAIN);
    let node_type = &step.registered.node_type;
    text(&mut hasher, step.registered.provider.digest());
    text(&mut hasher, &node_type.name);
    if node_type.hidden.contains(&Hidden::UniqueId) {
        text(&mut hasher, &step.id);
    }
    count(&mut hasher, step.inputs.len());
    for input in &step.inputs {
        text(&mut hasher, &input.name);
        match &input.source {
            Source::Constant(value) => constant(&mut hasher, value),
            Source::Link { step, slot } => {
                let Some(Some(Signature(upstream))) = before.get(*step) else { return Ok(None) };
                hasher.update(b"l").update(upstream);
                count(&mut hasher, *slot);
            }
        }
    }
    if node_type.checks.fingerprint {
        match fingerprint(step, cancel) {
            Ok(fingerprint) => text(&mut hasher, &fingerprint),
            Err(error) if error.is_cancelled() && cancel.is_cancelled() => return Err(error),
            Err(error) => {
                tracing::debug!(node = &*step.id, %error, "no fingerprint, so no reuse");
                return Ok(None);
            }
        }
    }
    Ok(Some(Signature(*hasher.finalize().as_bytes())))
}

fn fingerprint(step: &Step, cancel: &Cancel) -> Result<String, SandboxError> {
    let constants: Inputs = step
        .inputs
        .iter()
        .filter_map(|input| match &input.source {
            Source::Constant(constant) => Some((input.name.clone(), constant.to_value())),
            Source::Link { .. } => None,
        })
        .collect();
    let context = RunContext::new(cancel.clone(), Arc::new(Unwatched));
    step.registered.provider.fingerprint(step.class(), constants, &context)
}

/// Lengths go first, so that no two lists of fields give the same bytes.
fn text(hasher: &mut Hasher, text: &str) {
    count(hasher, text.len());
    hasher.update(text.as_bytes());
}

fn count(hasher: &mut Hasher, count: usize) {
    hasher.update(&(count as u64).to_le_bytes());
}

fn constant(hasher: &mut Hasher, value: &Constant) {
    match value {
        Constant::Boolean(value) => {
            hasher.update(&[b'b', u8::from(*value)]);
        }
        Constant::Integer(value) => {
            hasher.update(b"i").update(&value.to_le_bytes());
        }
        Constant::Number(value) => {
            hasher.update(b"n").update(&value.to_bits().to_le_bytes());
        }
        Constant::Text(value) => {
            hasher.update(b"t");
            text(hasher, value);
        }
        Constant::List(items) => {
            hasher.update(b"[");
            count(hasher, items.len());
            items.iter().for_each(|item| constant(hasher, item));
        }
    }
}
