//! The DRAM cache: models that nodes put aside, to be had again by name.
//!
//! An entry is an object, and an object is handles: the cache itself holds no bytes, it only
//! keeps them from going. Where they are is the memory's business; who puts a model here
//! moves it off the device as well.
//!
//! **Why ids are digests.** A workflow carries an id as a text, and may be run again tomorrow in
//! another process. So an id is made of what the object is (types, scalars, code, model files),
//! and never of where it stands or when it was made.
//!
//! **Why the sandbox does not own it.** Objects hold functions, functions hold their plugin, and
//! plugins hold the sandbox: a sandbox that held objects would never go. Whoever owns the
//! sandbox owns the cache beside it, and the sandbox knows it while it is there.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use berth_compute::Tensor;
use berth_memory::{Cancel, MemoryError};
use blake3::{Hash, Hasher};

use crate::error::GuestError;
use crate::models::Model;
use crate::reach::{self, Weights};
use crate::value::{FunctionValue, Object, Value};

/// Changes when what is hashed, or how, changes.
const DOMAIN: &str = "berth dram id 2";

/// Hexadecimal digits of an id: 128 bits, so that no two objects ever share one.
const DIGITS: usize = 32;

/// The most objects: a hundred times what anybody juggles, and few enough that a guest which
/// fills it costs the host nothing.
const MOST: usize = 1000;

/// Bytes of a tensor that are read at a time.
const PIECE: u64 = 1 << 20;

/// Samples of a model file, besides its end.
const SAMPLES: u64 = 64;

/// Bytes of a sample: what a disk reads for a single byte too.
const SAMPLE: usize = 4096;

/// Objects by id.
#[derive(Debug, Default)]
pub struct DramCache(Mutex<HashMap<String, Arc<Object>>>);

impl DramCache {
    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.entries().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Keeps an object, and gives its id.
    pub(crate) fn remember(
        &self,
        object: &Arc<Object>,
        cancel: &Cancel,
    ) -> Result<String, GuestError> {
        let id = id(object, cancel)?;
        let mut entries = self.entries();
        if entries.len() >= MOST && !entries.contains_key(&id) {
            return Err(GuestError::Other(format!(
                "the DRAM cache has {MOST} models, and takes no more; clear it"
            )));
        }
        // What it was before may be freed by this, which takes the memory's lock.
        let before = entries.insert(id.clone(), object.clone());
        drop(entries);
        drop(before);
        Ok(id)
    }

    /// The object of an id.
    pub(crate) fn recall(&self, id: &str) -> Option<Arc<Object>> {
        self.entries().get(id).cloned()
    }

    /// Drops an object. Gives whether it was there.
    pub(crate) fn forget(&self, id: &str) -> bool {
        let gone = self.entries().remove(id);
        gone.is_some()
    }

    /// Drops all. Gives how many there were.
    pub(crate) fn forget_all(&self) -> usize {
        let gone = std::mem::take(&mut *self.entries());
        gone.len()
    }

    /// Bytes of its objects that have a copy in the host's memory.
    pub(crate) fn host_bytes(&self) -> u64 {
        // Each by itself: what one of them used says nothing of the others.
        let objects: Vec<_> = self.entries().values().cloned().map(Value::Object).collect();
        let handles = objects.iter().flat_map(|object| reach::handles(object, Weights::Loaded));
        let mut counted = HashSet::new();
        handles
            .filter(|handle| counted.insert(handle.id()) && handle.residency().host)
            .map(|handle| handle.bytes())
            .sum()
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<String, Arc<Object>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The id of an object: equal for equal objects, in every process.
fn id(object: &Arc<Object>, cancel: &Cancel) -> Result<String, GuestError> {
    let mut digests = Digests { cancel, known: HashMap::new() };
    let digest = digests.value(&Value::Object(object.clone()))?;
    Ok(digest.to_hex().chars().take(DIGITS).collect())
}

/// Digests of values. What is made of values is digested by their digests, each once: values
/// share parts, and a walk of every path could take for ever.
struct Digests<'a> {
    cancel: &'a Cancel,
    known: HashMap<*const (), Hash>,
}

impl Digests<'_> {
    fn value(&mut self, value: &Value) -> Result<Hash, GuestError> {
        let mut hasher = Hasher::new_derive_key(DOMAIN);
        let shared: *const () = match value {
            Value::Object(object) => Arc::as_ptr(object).cast(),
            Value::Items(list) => Arc::as_ptr(list).cast(),
            Value::Function(function) => Arc::as_ptr(function).cast(),
            Value::Model(model) => Arc::as_ptr(model).cast(),
            _ => std::ptr::null(),
        };
        if let Some(known) = self.known.get(&shared) {
            return Ok(*known);
        }
        text(&mut hasher, value.kind());
        match value {
            Value::Boolean(value) => {
                hasher.update(&[u8::from(*value)]);
            }
            Value::Integer(value) => {
                hasher.update(&value.to_le_bytes());
            }
            Value::Number(value) => {
                hasher.update(&value.to_bits().to_le_bytes());
            }
            Value::Text(value) => text(&mut hasher, value),
            Value::Bytes(bytes) => {
                count(&mut hasher, bytes.len());
                hasher.update(bytes);
            }
            Value::Tensor(tensor) => self.tensor(&mut hasher, tensor)?,
            Value::Model(model) => self.model(&mut hasher, model)?,
            Value::Function(function) => self.function(&mut hasher, function)?,
            Value::Object(object) => {
                text(&mut hasher, &object.type_name);
                self.named(&mut hasher, &object.fields)?;
            }
            Value::Items(list) => {
                count(&mut hasher, list.items.len());
                for item in &list.items {
                    hasher.update(self.value(item)?.as_bytes());
                }
            }
        }
        let digest = hasher.finalize();
        if !shared.is_null() {
            self.known.insert(shared, digest);
        }
        Ok(digest)
    }

    fn function(
        &mut self,
        hasher: &mut Hasher,
        function: &FunctionValue,
    ) -> Result<(), GuestError> {
        text(hasher, function.plugin().digest());
        text(hasher, function.name());
        self.named(hasher, function.captures())
    }

    fn named(&mut self, hasher: &mut Hasher, fields: &[(String, Value)]) -> Result<(), GuestError> {
        count(hasher, fields.len());
        for (name, value) in fields {
            text(hasher, name);
            hasher.update(self.value(value)?.as_bytes());
        }
        Ok(())
    }

    /// By content: a patched model differs from its original in tensors only.
    fn tensor(&self, hasher: &mut Hasher, tensor: &Tensor) -> Result<(), GuestError> {
        text(hasher, &tensor.dtype().to_string());
        count(hasher, tensor.shape().len());
        tensor.shape().iter().for_each(|&size| count(hasher, size));
        let bytes = tensor.bytes();
        let mut piece = vec![0; usize::try_from(bytes.min(PIECE)).unwrap_or_default()];
        let mut offset = 0;
        while offset < bytes {
            self.go_on()?;
            let length = usize::try_from((bytes - offset).min(PIECE)).unwrap_or_default();
            let Some(part) = piece.get_mut(..length) else { break };
            tensor.read(offset, part)?;
            hasher.update(part);
            offset += length as u64;
        }
        Ok(())
    }

    /// By label, header, length, 64 samples of 4 KiB that are spread evenly over the file, and
    /// its last 4 KiB. Nobody waits for gigabytes to be read.
    ///
    /// Copies of a file have one digest, in every process. A file of other shapes has another, and
    /// so has one that differs all over a 64th of its length, as it does when it was trained or
    /// merged. A smaller change shows where a sample hits it: always in a file of up to 256 KiB,
    /// which is read whole, and else by luck.
    fn model(&self, hasher: &mut Hasher, model: &Model) -> Result<(), GuestError> {
        let (source, bytes) = model.bytes();
        text(hasher, model.label());
        hasher.update(model.header().as_bytes());
        hasher.update(&bytes.to_le_bytes());
        let spread = (0..SAMPLES).map(|nth| bytes / SAMPLES * nth);
        let end = bytes.saturating_sub(SAMPLE as u64);
        let mut sample = [0; SAMPLE];
        for offset in spread.chain([end]) {
            self.go_on()?;
            let rest = usize::try_from(bytes - offset).unwrap_or(SAMPLE);
            let Some(part) = sample.get_mut(..rest.min(SAMPLE)) else { break };
            source.read(offset, part)?;
            hasher.update(part);
        }
        Ok(())
    }

    /// An error once the run was cancelled.
    fn go_on(&self) -> Result<(), GuestError> {
        if self.cancel.is_cancelled() { Err(MemoryError::Cancelled.into()) } else { Ok(()) }
    }
}

/// Lengths go first, so that no two lists of fields give the same bytes.
fn text(hasher: &mut Hasher, text: &str) {
    count(hasher, text.len());
    hasher.update(text.as_bytes());
}

fn count(hasher: &mut Hasher, count: usize) {
    hasher.update(&(count as u64).to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::List;

    fn object(type_name: &str, fields: Vec<(&str, Value)>) -> Arc<Object> {
        let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Arc::new(Object::new(type_name, fields))
    }

    fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    fn id_of(object: &Arc<Object>) -> String {
        id(object, &Cancel::new()).unwrap()
    }

    /// Objects inside of objects, each held twice by the one around it.
    fn doubled(depth: usize) -> Arc<Object> {
        (0..depth).fold(object("LEAF", Vec::new()), |inner, _| {
            let inner = Value::Object(inner);
            object("PAIR", vec![("a", inner.clone()), ("b", inner)])
        })
    }

    #[test]
    fn equal_objects_have_one_id_and_different_ones_have_two() {
        let make =
            |type_name: &str, name: &str, value: Value| object(type_name, vec![(name, value)]);
        let items = |items: Vec<Value>| Value::Items(Arc::new(List::new(items)));
        let all = [
            make("A", "x", Value::Integer(1)),
            make("B", "x", Value::Integer(1)),
            make("A", "y", Value::Integer(1)),
            make("A", "x", Value::Number(1.0)),
            make("A", "x", Value::Boolean(true)),
            make("A", "x", text("1")),
            make("A", "x", Value::Bytes(Arc::from(&b"1"[..]))),
            make("A", "x", items(vec![text("ab"), text("c")])),
            make("A", "x", items(vec![text("a"), text("bc")])),
            object("A", Vec::new()),
        ];
        let ids: std::collections::HashSet<String> = all.iter().map(id_of).collect();
        assert_eq!(ids.len(), all.len());
        assert_eq!(id_of(&make("A", "x", Value::Integer(1))), id_of(&all[0]));
    }

    #[test]
    fn what_values_share_is_walked_once() {
        let deep = doubled(60);
        assert_eq!(id_of(&deep), id_of(&doubled(60)));
        assert!(reach::handles(&Value::Object(deep), Weights::All).is_empty());
    }

    #[test]
    fn a_full_cache_takes_only_what_it_knows_until_it_is_cleared() {
        let (cache, cancel) = (DramCache::default(), Cancel::new());
        let nth = |n: usize| object("N", vec![("n", Value::Integer(n as i128))]);
        for n in 0..MOST {
            cache.remember(&nth(n), &cancel).unwrap();
        }
        let id = cache.remember(&nth(0), &cancel).unwrap();
        let error = cache.remember(&nth(MOST), &cancel).unwrap_err();
        assert!(error.to_string().contains("clear it"), "{error}");
        assert!(cache.forget(&id) && !cache.forget(&id) && cache.recall(&id).is_none());
        assert_eq!(cache.forget_all(), MOST - 1);
        cache.remember(&nth(MOST), &cancel).unwrap();
        assert_eq!(cache.len(), 1);
    }
}
