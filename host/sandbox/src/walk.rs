//! What is in a value.
//!
//! Each part is visited once, however often it lies in the value: a guest can make a value of a
//! hundred lists with more paths through it than anybody can walk.

use std::collections::HashSet;
use std::sync::Arc;

use crate::value::{FunctionValue, Value};

impl Value {
    /// Bytes of the allocations that its tensors are in, each once. Functions and models count
    /// nothing: what they hold is weights, which leave memory without this value's help.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let mut counted = HashSet::new();
        let mut bytes = 0_u64;
        self.walk(false, |value| {
            if let Self::Tensor(tensor) = value
                && counted.insert(tensor.handle().id())
            {
                bytes = bytes.saturating_add(tensor.handle().bytes());
            }
        });
        bytes
    }

    /// The functions in it, each once; those that others captured too.
    #[must_use]
    pub fn functions(&self) -> Vec<Arc<FunctionValue>> {
        let mut functions = Vec::new();
        self.walk(true, |value| {
            if let Self::Function(function) = value {
                functions.push(function.clone());
            }
        });
        functions
    }

    /// Visits it and everything in it; what functions captured only if that is asked for.
    pub(crate) fn walk<'a>(&'a self, captured: bool, mut visit: impl FnMut(&'a Self)) {
        let mut seen = HashSet::new();
        let mut open = vec![self];
        while let Some(value) = open.pop() {
            let first = match value {
                Self::Object(object) => seen.insert(Arc::as_ptr(object).addr()),
                Self::Items(list) => seen.insert(Arc::as_ptr(list).addr()),
                Self::Function(function) => seen.insert(Arc::as_ptr(function).addr()),
                _ => true,
            };
            if !first {
                continue;
            }
            visit(value);
            match value {
                Self::Object(object) => open.extend(object.fields.iter().map(|(_, value)| value)),
                Self::Items(list) => open.extend(&list.items),
                Self::Function(function) if captured => {
                    open.extend(function.captures.iter().map(|(_, value)| value));
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use berth_compute::{Compute, DType, Scope};
    use berth_memory::{Cancel, Limits, OffloadModeName, offload};

    use super::*;

    /// A device and a host of this size.
    pub(crate) fn memory_of(bytes: u64) -> Compute {
        Compute::new(
            Limits { device: bytes, host: bytes },
            offload::mode(OffloadModeName::Balanced),
        )
    }

    /// A tensor of these numbers.
    pub(crate) fn tensor(compute: &Compute, account: &str, numbers: &[f32]) -> Value {
        let account = compute.memory().account(account);
        let scope = Scope { account, cancel: Cancel::new(), call: None };
        let bytes = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        Value::Tensor(compute.from_bytes(&scope, DType::F32, &[numbers.len()], bytes).unwrap())
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{memory_of, tensor};
    use super::*;
    use crate::value::{List, Object};

    #[test]
    fn an_allocation_counts_once_however_often_it_is_there() {
        let compute = memory_of(1 << 20);
        let (a, b) = (tensor(&compute, "a", &[1., 2.]), tensor(&compute, "a", &[3.]));
        let Value::Tensor(held) = &a else { panic!("a tensor") };
        let other = Value::Tensor(held.for_account(&compute.memory().account("b")));
        let list = Value::Items(Arc::new(List::new(vec![a.clone(), b, other])));
        let fields = vec![("l".into(), list.clone()), ("m".into(), list), ("a".into(), a)];
        let object = Value::Object(Arc::new(Object::new("X", fields)));
        assert_eq!(object.bytes(), 12);
        assert_eq!(Value::Text("text".into()).bytes(), 0);
    }

    #[test]
    fn a_value_with_more_paths_than_atoms_is_walked_at_once() {
        let compute = memory_of(1 << 20);
        let mut value = tensor(&compute, "a", &[1.]);
        for _ in 0..64 {
            value = Value::Items(Arc::new(List::new(vec![value.clone(), value])));
        }
        assert_eq!(value.bytes(), 4);
        assert!(value.functions().is_empty());
    }
}
