//! `values`: what is on wires, in and out of a guest.
//!
//! Lowering puts a value's handles into a store's table, charged to the plugin that
//! runs there; lifting takes them out again.

use std::sync::Arc;

use indexmap::IndexMap;
use wasmtime::component::Resource;

use super::bindings::berth::node::types::WideInteger;
use super::bindings::berth::node::values::{self, NamedValue, Value as Guest};
use super::{Error, Returned};
use crate::error::{GuestError, SandboxError};
use crate::state::{State, TooMuchOutput};
use crate::value::{FunctionValue, List, Object, Value};

/// The most fields of an object, or items of a list.
const MOST_FIELDS: usize = 100_000;

/// How deep values may lie inside of one another: the host walks and drops them by
/// recursion, on stacks that are large but end.
const DEEPEST: u32 = 64;

/// An integer as the contract has it.
pub(crate) fn wide(integer: i128) -> WideInteger {
    let magnitude = u64::try_from(integer.unsigned_abs()).unwrap_or(u64::MAX);
    WideInteger {
        negative: integer < 0,
        high: (magnitude >> 32) as u32,
        low: (magnitude & u64::from(u32::MAX)) as u32,
    }
}

/// An integer of the contract's.
pub(crate) fn narrow(integer: &WideInteger) -> i128 {
    let magnitude = i128::from(u64::from(integer.high) << 32 | u64::from(integer.low));
    if integer.negative { -magnitude } else { magnitude }
}

fn lower(state: &mut State, value: Value) -> wasmtime::Result<Guest> {
    let (value, copied) = value.for_account(state.plugin.account());
    state.give_bytes(copied)?;
    Ok(match value {
        Value::Boolean(value) => Guest::Boolean(value),
        Value::Integer(value) => Guest::Integer(wide(value)),
        Value::Number(value) => Guest::Number(value),
        Value::Text(text) => Guest::Text(text.as_ref().into()),
        Value::Bytes(bytes) => Guest::Bytes(bytes.to_vec()),
        Value::Tensor(tensor) => Guest::Tensor(state.table.push(tensor)?),
        Value::Model(model) => Guest::Model(state.table.push(model)?),
        Value::Function(function) => Guest::Function(state.table.push(function)?),
        Value::Object(object) => Guest::Object(state.table.push(object)?),
        Value::Items(list) => Guest::Items(state.table.push(list)?),
    })
}

fn lift(state: &mut State, value: Guest) -> wasmtime::Result<Value> {
    state.give_bytes(size_of::<Value>())?;
    Ok(match value {
        Guest::Boolean(value) => Value::Boolean(value),
        Guest::Integer(value) => Value::Integer(narrow(&value)),
        Guest::Number(value) => Value::Number(value),
        Guest::Text(text) => {
            state.give_bytes(text.len())?;
            Value::Text(text.into())
        }
        Guest::Bytes(bytes) => {
            state.give_bytes(bytes.len())?;
            Value::Bytes(bytes.into())
        }
        Guest::Tensor(handle) => Value::Tensor(state.table.delete(handle)?),
        Guest::Model(handle) => Value::Model(state.table.delete(handle)?),
        Guest::Function(handle) => Value::Function(state.table.delete(handle)?),
        Guest::Object(handle) => Value::Object(state.table.delete(handle)?),
        Guest::Items(handle) => Value::Items(state.table.delete(handle)?),
    })
}

/// Values into a guest, by name.
pub(crate) fn lower_named(
    state: &mut State,
    values: Vec<(String, Value)>,
) -> wasmtime::Result<Vec<NamedValue>> {
    let lower = |(name, value)| Ok(NamedValue { name, value: lower(state, value)? });
    values.into_iter().map(lower).collect()
}

/// Values out of a guest.
pub(crate) fn lift_all(
    state: &mut State,
    result: Result<Vec<Guest>, Error>,
) -> wasmtime::Result<Result<Vec<Value>, GuestError>> {
    Ok(match result {
        Ok(values) => {
            Ok(values.into_iter().map(|v| lift(state, v)).collect::<wasmtime::Result<_>>()?)
        }
        Err(error) => Err(error.into()),
    })
}

/// Values out of a guest, by name.
pub(crate) fn lift_named(
    state: &mut State,
    result: Result<Vec<NamedValue>, Error>,
) -> wasmtime::Result<Result<Vec<(String, Value)>, GuestError>> {
    Ok(match result {
        Ok(values) => Ok(named(state, values)?),
        Err(error) => Err(error.into()),
    })
}

/// A value for the guest, unless it lies too deep.
fn nested<T>(value: T, depth: impl Fn(&T) -> u32) -> Result<Arc<T>, GuestError> {
    if depth(&value) > DEEPEST {
        return Err(GuestError::InvalidArgument(format!(
            "values lie inside of one another more than {DEEPEST} deep"
        )));
    }
    Ok(Arc::new(value))
}

fn named(state: &mut State, values: Vec<NamedValue>) -> wasmtime::Result<Vec<(String, Value)>> {
    let mut lift = |field: NamedValue| {
        state.give_bytes(field.name.len())?;
        Ok((field.name, lift(state, field.value)?))
    };
    values.into_iter().map(&mut lift).collect()
}

/// Fields that an object can have: not too many, and each name once.
fn checked(fields: Vec<(String, Value)>) -> Result<Vec<(String, Value)>, GuestError> {
    if fields.len() > MOST_FIELDS {
        return Err(GuestError::InvalidArgument(format!("object: more than {MOST_FIELDS} fields")));
    }
    let mut names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| matches!(pair, [a, b] if a == b)) {
        Some(twice) => Err(GuestError::InvalidArgument(format!(
            "object: two fields are called {:?}",
            twice.first()
        ))),
        None => Ok(fields),
    }
}

impl values::HostObject for State {
    fn create(
        &mut self,
        type_name: String,
        fields: Vec<NamedValue>,
    ) -> Returned<Resource<Arc<Object>>> {
        self.give_bytes(type_name.len())?;
        let fields = checked(named(self, fields)?);
        let object = fields.and_then(|f| nested(Object::new(type_name, f), |o| o.depth));
        self.give_result(object)
    }

    fn share(&mut self, object: Resource<Arc<Object>>) -> wasmtime::Result<Resource<Arc<Object>>> {
        let shared = self.table.get(&object)?.clone();
        Ok(self.table.push(shared)?)
    }

    fn type_name(&mut self, object: Resource<Arc<Object>>) -> wasmtime::Result<String> {
        Ok(self.table.get(&object)?.type_name.clone())
    }

    fn field_names(&mut self, object: Resource<Arc<Object>>) -> wasmtime::Result<Vec<String>> {
        Ok(self.table.get(&object)?.fields.iter().map(|(name, _)| name.clone()).collect())
    }

    fn get(
        &mut self,
        object: Resource<Arc<Object>>,
        name: String,
    ) -> wasmtime::Result<Option<Guest>> {
        let field = self.table.get(&object)?.get(&name).cloned();
        field.map(|value| lower(self, value)).transpose()
    }

    fn replace(
        &mut self,
        object: Resource<Arc<Object>>,
        fields: Vec<NamedValue>,
    ) -> Returned<Resource<Arc<Object>>> {
        let old = self.table.get(&object)?.clone();
        self.give_bytes(old.size())?;
        let replaced = checked(named(self, fields)?).and_then(|fields| {
            // A field that is set keeps its place; what is new comes last.
            let mut all: IndexMap<String, Value> = old.fields.iter().cloned().collect();
            all.extend(fields);
            nested(Object::new(&*old.type_name, checked(all.into_iter().collect())?), |o| o.depth)
        });
        self.give_result(replaced)
    }

    fn drop(&mut self, object: Resource<Arc<Object>>) -> wasmtime::Result<()> {
        self.table.delete(object)?;
        Ok(())
    }
}

impl values::HostValueList for State {
    fn create(&mut self, items: Vec<Guest>) -> Returned<Resource<Arc<List>>> {
        let items: Vec<Value> =
            items.into_iter().map(|item| lift(self, item)).collect::<wasmtime::Result<_>>()?;
        let list = if items.len() > MOST_FIELDS {
            Err(GuestError::InvalidArgument(format!("list: more than {MOST_FIELDS} items")))
        } else {
            nested(List::new(items), |list| list.depth)
        };
        self.give_result(list)
    }

    fn share(&mut self, list: Resource<Arc<List>>) -> wasmtime::Result<Resource<Arc<List>>> {
        let shared = self.table.get(&list)?.clone();
        Ok(self.table.push(shared)?)
    }

    fn length(&mut self, list: Resource<Arc<List>>) -> wasmtime::Result<u32> {
        Ok(u32::try_from(self.table.get(&list)?.items.len()).unwrap_or(u32::MAX))
    }

    fn get(&mut self, list: Resource<Arc<List>>, index: u32) -> Returned<Guest> {
        let list = self.table.get(&list)?;
        let length = list.items.len();
        match list.items.get(index as usize).cloned() {
            Some(item) => Ok(Ok(lower(self, item)?)),
            None => Ok(Err(Error::NotFound(format!("item {index} of a list of {length}")))),
        }
    }

    fn drop(&mut self, list: Resource<Arc<List>>) -> wasmtime::Result<()> {
        self.table.delete(list)?;
        Ok(())
    }
}

impl values::HostFunction for State {
    fn create(
        &mut self,
        name: String,
        captures: Vec<NamedValue>,
    ) -> Returned<Resource<Arc<FunctionValue>>> {
        self.give_bytes(name.len())?;
        let captures = checked(named(self, captures)?);
        let plugin = self.plugin.clone();
        let function =
            captures.and_then(|c| nested(FunctionValue::new(plugin, name, c), |f| f.depth));
        self.give_result(function)
    }

    fn share(
        &mut self,
        function: Resource<Arc<FunctionValue>>,
    ) -> wasmtime::Result<Resource<Arc<FunctionValue>>> {
        let shared = self.table.get(&function)?.clone();
        Ok(self.table.push(shared)?)
    }

    fn call(
        &mut self,
        function: Resource<Arc<FunctionValue>>,
        arguments: Vec<NamedValue>,
    ) -> Returned<Vec<NamedValue>> {
        let function = self.table.get(&function)?.clone();
        let arguments = named(self, arguments)?;
        let result = match self.context.deeper() {
            Ok(context) => function.call(arguments, &context),
            Err(error) => return Ok(Err(error.into())),
        };
        Ok(match result {
            Ok(values) => Ok(lower_named(self, values)?),
            Err(SandboxError::Guest { plugin, error }) => {
                self.blame = Some((plugin, error.clone()));
                Err(error.into())
            }
            // It is the caller's own run that gave too much.
            Err(SandboxError::TooMuchOutput { plugin, .. }) if plugin == self.plugin.name() => {
                return Err(wasmtime::Error::from(TooMuchOutput));
            }
            Err(error) if error.is_cancelled() => Err(Error::Cancelled),
            Err(error) => Err(Error::Other(match error.hint() {
                Some(hint) => format!("{error} ({hint})"),
                None => error.to_string(),
            })),
        })
    }

    fn drop(&mut self, function: Resource<Arc<FunctionValue>>) -> wasmtime::Result<()> {
        self.table.delete(function)?;
        Ok(())
    }
}

impl values::Host for State {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_64_bit_integer_travels() {
        for integer in
            [0, 1, -1, i128::from(i64::MIN), i128::from(u64::MAX), -i128::from(u64::MAX), 1 << 32]
        {
            assert_eq!(narrow(&wide(integer)), integer);
        }
    }
}
