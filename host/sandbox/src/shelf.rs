//! Values that nobody needs now, kept in case somebody asks again.
//!
//! A shelved value is the value with its tensors on memory's shelf. What has no tensor in it
//! stays as it is. So do functions and models: weights are read again from their file when
//! they are needed, and what a function captured must be there when it is called.
//!
//! Parts that lie in a value more than once are rebuilt once. A guest can make a
//! value of a hundred lists with more paths through it than anybody can walk.

use std::collections::HashMap;
use std::sync::Arc;

use berth_compute::ShelvedTensor;

use crate::value::{List, Object, Value};

/// A value whose tensors may be lost.
#[derive(Debug)]
pub struct ShelvedValue(Part);

#[derive(Debug, Clone)]
enum Part {
    /// Nothing of it can be lost.
    Kept(Value),
    Tensor(Arc<ShelvedTensor>),
    Object(Arc<ShelvedObject>),
    Items(Arc<ShelvedList>),
}

#[derive(Debug)]
struct ShelvedObject {
    type_name: String,
    fields: Vec<(String, Part)>,
    depth: u32,
}

#[derive(Debug)]
struct ShelvedList {
    items: Vec<Part>,
    depth: u32,
}

impl Value {
    /// Keeps the value beyond this one, as far as there is room for its tensors.
    #[must_use]
    pub fn shelve(&self) -> ShelvedValue {
        ShelvedValue(shelve(self, &mut HashMap::new()))
    }
}

impl ShelvedValue {
    /// The value; `None` if any tensor in it is lost.
    #[must_use]
    pub fn take(&self) -> Option<Value> {
        take(&self.0, &mut HashMap::new())
    }
}

/// `done` has what was shelved before, by address.
fn shelve(value: &Value, done: &mut HashMap<usize, Part>) -> Part {
    let (address, part) = match value {
        Value::Tensor(tensor) => return Part::Tensor(Arc::new(tensor.shelve())),
        Value::Object(object) => {
            let address = Arc::as_ptr(object).addr();
            if let Some(part) = done.get(&address) {
                return part.clone();
            }
            let fields = object.fields.iter();
            let fields: Vec<_> =
                fields.map(|(name, value)| (name.clone(), shelve(value, done))).collect();
            if fields.iter().all(|(_, part)| part.is_kept()) {
                (address, Part::Kept(value.clone()))
            } else {
                let (type_name, depth) = (object.type_name.clone(), object.depth);
                (address, Part::Object(Arc::new(ShelvedObject { type_name, fields, depth })))
            }
        }
        Value::Items(list) => {
            let address = Arc::as_ptr(list).addr();
            if let Some(part) = done.get(&address) {
                return part.clone();
            }
            let items: Vec<_> = list.items.iter().map(|item| shelve(item, done)).collect();
            if items.iter().all(Part::is_kept) {
                (address, Part::Kept(value.clone()))
            } else {
                (address, Part::Items(Arc::new(ShelvedList { items, depth: list.depth })))
            }
        }
        other => return Part::Kept(other.clone()),
    };
    done.insert(address, part.clone());
    part
}

/// `done` has what was taken before, by the address of its shelved form.
fn take(part: &Part, done: &mut HashMap<usize, Value>) -> Option<Value> {
    let (address, value) = match part {
        Part::Kept(value) => return Some(value.clone()),
        Part::Tensor(tensor) => return tensor.take().map(Value::Tensor),
        Part::Object(object) => {
            let address = Arc::as_ptr(object).addr();
            if let Some(value) = done.get(&address) {
                return Some(value.clone());
            }
            let ShelvedObject { type_name, fields, depth } = &**object;
            let fields = fields.iter().map(|(name, part)| Some((name.clone(), take(part, done)?)));
            let fields = fields.collect::<Option<_>>()?;
            let object = Object { type_name: type_name.clone(), fields, depth: *depth };
            (address, Value::Object(Arc::new(object)))
        }
        Part::Items(list) => {
            let address = Arc::as_ptr(list).addr();
            if let Some(value) = done.get(&address) {
                return Some(value.clone());
            }
            let items = list.items.iter().map(|part| take(part, done)).collect::<Option<_>>()?;
            (address, Value::Items(Arc::new(List { items, depth: list.depth })))
        }
    };
    done.insert(address, value.clone());
    Some(value)
}

impl Part {
    fn is_kept(&self) -> bool {
        matches!(self, Self::Kept(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::walk::testing::{memory_of, tensor};

    #[test]
    fn a_value_comes_back_as_it_was() {
        let compute = memory_of(1 << 20);
        let (whole, text) = (tensor(&compute, "a", &[1., 2., 3., 4.]), Value::Text("t".into()));
        let inner = Value::Items(Arc::new(List::new(vec![whole.clone(), text.clone()])));
        let fields = vec![("x".into(), inner), ("y".into(), text), ("z".into(), whole)];
        let object = Value::Object(Arc::new(Object::new("LATENT", fields)));
        let shelved = object.shelve();
        drop(object);
        let Some(Value::Object(object)) = shelved.take() else { panic!("nothing is lost") };
        assert_eq!((&*object.type_name, object.depth), ("LATENT", 2));
        let names: Vec<&str> = object.fields.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["x", "y", "z"]);
        let Some(Value::Items(list)) = object.get("x") else { panic!("a list") };
        for value in [&list.items[0], object.get("z").unwrap()] {
            let Value::Tensor(tensor) = value else { panic!("a tensor") };
            let mut bytes = [0; 16];
            tensor.read(0, &mut bytes).unwrap();
            assert_eq!(bytes[4..8], 2_f32.to_le_bytes());
            assert_eq!(tensor.shape(), [4]);
        }
    }

    #[test]
    fn what_cannot_be_lost_is_the_same_and_not_a_copy() {
        let list = Arc::new(List::new(vec![Value::Integer(1), Value::Boolean(true)]));
        let Some(Value::Items(taken)) = Value::Items(list.clone()).shelve().take() else {
            panic!("a list")
        };
        assert!(Arc::ptr_eq(&list, &taken));
    }

    #[test]
    fn parts_that_are_shared_stay_shared() {
        let compute = memory_of(1 << 20);
        let mut value = tensor(&compute, "a", &[1.]);
        for _ in 0..64 {
            value = Value::Items(Arc::new(List::new(vec![value.clone(), value])));
        }
        let taken = value.shelve().take().unwrap();
        let Value::Items(list) = &taken else { panic!("a list") };
        let [Value::Items(a), Value::Items(b)] = &list.items[..] else { panic!("two lists") };
        assert!(Arc::ptr_eq(a, b));
        assert_eq!(taken.bytes(), 4);
    }
}
