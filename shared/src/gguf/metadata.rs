//! How is a model's metadata asked for by key and type?

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::error::MetadataError;
use super::value::{Array, StringArray, Value};

/// Key → value. Getters name the key in their error; `opt_` ones give `None` for a missing key, and
/// still an error for one of another type.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata {
    values: BTreeMap<String, Value>,
}

macro_rules! getters {
    ($($(#[$doc:meta])* $name:ident, $opt_name:ident -> $ty:ty = $expected:literal, $convert:expr;)*) => {
        $(
            $(#[$doc])*
            pub fn $name(&self, key: &str) -> Result<$ty, MetadataError> {
                self.$opt_name(key)?.ok_or_else(|| MetadataError::Missing { key: key.to_owned() })
            }

            $(#[$doc])*
            /// `None` where the key is missing.
            pub fn $opt_name(&self, key: &str) -> Result<Option<$ty>, MetadataError> {
                let Some(value) = self.values.get(key) else { return Ok(None) };
                let convert: fn(&Value) -> Option<Option<$ty>> = $convert;
                match convert(value) {
                    Some(Some(value)) => Ok(Some(value)),
                    Some(None) => Err(MetadataError::Range { key: key.to_owned(), expected: $expected }),
                    None => Err(MetadataError::Type {
                        key: key.to_owned(),
                        expected: $expected,
                        found: value.kind(),
                    }),
                }
            }
        )*
    };
}

/// Any whole number; writers differ in the width they choose.
fn integer(value: &Value) -> Option<i128> {
    Some(match *value {
        Value::U8(n) => n.into(),
        Value::I8(n) => n.into(),
        Value::U16(n) => n.into(),
        Value::I16(n) => n.into(),
        Value::U32(n) => n.into(),
        Value::I32(n) => n.into(),
        Value::U64(n) => n.into(),
        Value::I64(n) => n.into(),
        _ => return None,
    })
}

impl Metadata {
    getters! {
        /// A string.
        str, opt_str -> &str = "a string", |value| match value {
            Value::String(text) => Some(Some(text.as_str())),
            _ => None,
        };
        /// A whole number of any width that fits 32 bits.
        u32, opt_u32 -> u32 = "a number of 32 bits", |value| {
            integer(value).map(|n| u32::try_from(n).ok())
        };
        /// A whole number of any width that is not negative.
        u64, opt_u64 -> u64 = "a number of 64 bits", |value| {
            integer(value).map(|n| u64::try_from(n).ok())
        };
        /// A float of either width.
        f32, opt_f32 -> f32 = "a float", |value| match *value {
            Value::F32(x) => Some(Some(x)),
            Value::F64(x) => Some(Some(x as f32)),
            _ => None,
        };
        /// A truth value.
        bool, opt_bool -> bool = "a truth value", |value| match *value {
            Value::Bool(truth) => Some(Some(truth)),
            _ => None,
        };
        /// An array of strings.
        strings, opt_strings -> &StringArray = "an array of strings", |value| match value {
            Value::Array(Array::Strings(strings)) => Some(Some(strings)),
            _ => None,
        };
        /// An array of floats.
        f32s, opt_f32s -> &[f32] = "an array of floats", |value| match value {
            Value::Array(Array::F32(values)) => Some(Some(values.as_slice())),
            _ => None,
        };
        /// An array of signed 32-bit numbers, or of unsigned ones that fit.
        i32s, opt_i32s -> Cow<'_, [i32]> = "an array of signed 32-bit numbers", |value| match value {
            Value::Array(Array::I32(values)) => Some(Some(Cow::Borrowed(values.as_slice()))),
            Value::Array(Array::U32(values)) => {
                Some(values.iter().map(|&n| i32::try_from(n).ok()).collect::<Option<Vec<i32>>>().map(Cow::Owned))
            }
            _ => None,
        };
        /// An array of unsigned 32-bit numbers, or of signed ones that fit.
        u32s, opt_u32s -> Cow<'_, [u32]> = "an array of 32-bit numbers", |value| match value {
            Value::Array(Array::U32(values)) => Some(Some(Cow::Borrowed(values.as_slice()))),
            Value::Array(Array::I32(values)) => {
                Some(values.iter().map(|&n| u32::try_from(n).ok()).collect::<Option<Vec<u32>>>().map(Cow::Owned))
            }
            _ => None,
        };
        /// An array of bytes, signed or not.
        u8s, opt_u8s -> Cow<'_, [u8]> = "an array of bytes", |value| match value {
            Value::Array(Array::U8(values)) => Some(Some(Cow::Borrowed(values.as_slice()))),
            Value::Array(Array::I8(values)) => {
                Some(Some(Cow::Owned(values.iter().map(|&byte| byte as u8).collect())))
            }
            _ => None,
        };
        /// An array of truth values.
        bools, opt_bools -> &[bool] = "an array of truth values", |value| match value {
            Value::Array(Array::Bool(values)) => Some(Some(values.as_slice())),
            _ => None,
        };
    }

    pub fn get(&self, key: &str) -> Option<&Value> {
        self.values.get(key)
    }

    /// By key.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.values.iter().map(|(key, value)| (key.as_str(), value))
    }

    pub fn len(&self) -> usize {
        self.values.len()
    }

    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The former value, if there was one.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        self.values.insert(key.into(), value.into())
    }
}

impl<K: Into<String>, V: Into<Value>> FromIterator<(K, V)> for Metadata {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self { values: pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect() }
    }
}
