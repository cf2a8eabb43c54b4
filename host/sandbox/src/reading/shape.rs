//! Tables and lists as they are meant, where serde would take more than that.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::words::mistake;
use crate::rights::{check_label, check_variable};

/// Most entries of a list or table: more than anybody writes by hand.
pub const MOST: usize = 64;

/// A structure that is written as a table. Serde takes a list of its fields' values as well, in
/// their order in the source.
///
/// # Errors
/// What is no table, and what the structure says.
pub fn table<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct Table<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Table<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a table")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map))
        }
    }

    deserializer.deserialize_map(Table(PhantomData))
}

/// A list that is not endless.
///
/// # Errors
/// What is no list or too long, and what an entry says.
pub fn few<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct Few<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Few<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Vec<T>, A::Error> {
            let mut list = Vec::new();
            while let Some(entry) = entries.next_element()? {
                if list.len() == MOST {
                    return Err(too_many());
                }
                list.push(entry);
            }
            Ok(list)
        }
    }

    deserializer.deserialize_seq(Few(PhantomData))
}

/// Names of variables of an environment, not endless.
///
/// # Errors
/// What is no list or too long, and what is no name.
pub fn variables<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct Variable(String);

    impl<'de> Deserialize<'de> for Variable {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            checked(deserializer, check_variable).map(Self)
        }
    }

    Ok(few(deserializer)?.into_iter().map(|Variable(name)| name).collect())
}

/// A table by label that is not endless.
///
/// # Errors
/// What is no table or too long, what is no label, and what a value says.
pub fn labelled<'de, D, T>(deserializer: D) -> Result<BTreeMap<String, T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct Label(String);

    impl<'de> Deserialize<'de> for Label {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            checked(deserializer, check_label).map(Self)
        }
    }

    struct Labelled<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Labelled<T> {
        type Value = BTreeMap<String, T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a table")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
            let mut table = BTreeMap::new();
            while let Some((Label(label), value)) = entries.next_entry()? {
                if table.len() == MOST {
                    return Err(too_many());
                }
                table.insert(label, value);
            }
            Ok(table)
        }
    }

    deserializer.deserialize_map(Labelled(PhantomData))
}

/// A text that a check lets pass. It is made while the deserializer still knows the place.
fn checked<'de, D, E>(deserializer: D, check: fn(&str) -> Result<(), E>) -> Result<String, D::Error>
where
    D: Deserializer<'de>,
    E: fmt::Display,
{
    struct Checked<E>(fn(&str) -> Result<(), E>);

    impl<E: fmt::Display> Visitor<'_> for Checked<E> {
        type Value = String;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text")
        }

        fn visit_str<Wrong: Error>(self, text: &str) -> Result<String, Wrong> {
            (self.0)(text).map_err(Wrong::custom)?;
            Ok(text.to_owned())
        }
    }

    deserializer.deserialize_str(Checked(check))
}

fn too_many<E: Error>() -> E {
    mistake(format_args!("there are more than {MOST} entries"), "leave out what is not needed")
}
