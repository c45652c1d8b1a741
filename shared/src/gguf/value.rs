//! What kinds of value does metadata hold?

use super::error::GgufError;
use super::limits::{ARRAY_LEN_MAX, STRING_BYTES_MAX};
use super::reader::{Reader, Stop};

/// Strings one behind the other in one allocation: a vocabulary costs two allocations, not 262,144.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StringArray {
    text: String,
    /// Where string `i` ends in `text`.
    ends: Vec<u32>,
}

impl StringArray {
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)? as usize;
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        Some(&self.text[start..end])
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> + Clone {
        (0..self.len()).map(|i| self.get(i).unwrap_or_default())
    }

    /// Bytes of all strings together.
    pub fn text_bytes(&self) -> usize {
        self.text.len()
    }

    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len() as u32);
    }
}

impl<S: AsRef<str>> FromIterator<S> for StringArray {
    /// # Panics
    /// Where the strings have 4 GiB or more together.
    fn from_iter<I: IntoIterator<Item = S>>(strings: I) -> Self {
        let mut array = Self::default();
        for string in strings {
            array.push(string.as_ref());
        }
        assert!(u32::try_from(array.text.len()).is_ok(), "strings of 4 GiB or more");
        array
    }
}

macro_rules! value_kinds {
    ($($variant:ident($ty:ty) = $id:literal, $name:literal, $names:literal, $bytes:literal;)*) => {
        /// A metadata value.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Value {
            $($variant($ty),)*
            Bool(bool),
            String(String),
            Array(Array),
        }

        /// A metadata array: elements of one kind.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Array {
            $($variant(Vec<$ty>),)*
            Bool(Vec<bool>),
            Strings(StringArray),
        }

        impl Value {
            /// What it is, for a message.
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name,)*
                    Self::Bool(_) => "a truth value",
                    Self::String(_) => "a string",
                    Self::Array(array) => array.kind(),
                }
            }

            pub(super) fn type_id(&self) -> u32 {
                match self {
                    $(Self::$variant(_) => $id,)*
                    Self::Bool(_) => TYPE_BOOL,
                    Self::String(_) => TYPE_STRING,
                    Self::Array(_) => TYPE_ARRAY,
                }
            }

            /// Appends the value as the format writes it, without its type.
            pub(super) fn write(&self, out: &mut Vec<u8>) {
                match self {
                    $(Self::$variant(value) => out.extend_from_slice(&value.to_le_bytes()),)*
                    Self::Bool(value) => out.push(u8::from(*value)),
                    Self::String(text) => write_string(out, text),
                    Self::Array(array) => array.write(out),
                }
            }

            pub(super) fn read(reader: &mut Reader<'_>, key: &str, type_id: u32) -> Result<Self, Stop> {
                Ok(match type_id {
                    $($id => {
                        let mut bytes = [0; $bytes];
                        bytes.copy_from_slice(reader.bytes($bytes)?);
                        Self::$variant(<$ty>::from_le_bytes(bytes))
                    })*
                    TYPE_BOOL => Self::Bool(bool_from_byte(reader.u8()?, key)?),
                    TYPE_STRING => Self::String(read_string(reader, key)?.to_owned()),
                    TYPE_ARRAY => Self::Array(Array::read(reader, key)?),
                    _ => return Err(unknown(key, type_id)),
                })
            }
        }

        impl Array {
            pub fn len(&self) -> usize {
                match self {
                    $(Self::$variant(values) => values.len(),)*
                    Self::Bool(values) => values.len(),
                    Self::Strings(strings) => strings.len(),
                }
            }

            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// What it is, for a message.
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $names,)*
                    Self::Bool(_) => "an array of truth values",
                    Self::Strings(_) => "an array of strings",
                }
            }

            fn write(&self, out: &mut Vec<u8>) {
                let type_id: u32 = match self {
                    $(Self::$variant(_) => $id,)*
                    Self::Bool(_) => TYPE_BOOL,
                    Self::Strings(_) => TYPE_STRING,
                };
                out.extend_from_slice(&type_id.to_le_bytes());
                out.extend_from_slice(&(self.len() as u64).to_le_bytes());
                match self {
                    $(Self::$variant(values) => {
                        for value in values {
                            out.extend_from_slice(&value.to_le_bytes());
                        }
                    })*
                    Self::Bool(values) => out.extend(values.iter().map(|&value| u8::from(value))),
                    Self::Strings(strings) => {
                        for text in strings.iter() {
                            write_string(out, text);
                        }
                    }
                }
            }

            fn read(reader: &mut Reader<'_>, key: &str) -> Result<Self, Stop> {
                let type_id = reader.u32()?;
                // The least that an element takes, so that a claimed length is checked against the
                // file before anything is reserved for it.
                let element_bytes: u64 = match type_id {
                    $($id => $bytes,)*
                    TYPE_BOOL => 1,
                    TYPE_STRING => 8,
                    TYPE_ARRAY => return Err(GgufError::NestedArray { key: key.to_owned() }.into()),
                    _ => return Err(unknown(key, type_id)),
                };
                let len = reader.u64()?;
                if len > ARRAY_LEN_MAX || !reader.file_can_hold(len, element_bytes) {
                    return Err(GgufError::ArrayLength { key: key.to_owned(), len }.into());
                }
                if type_id == TYPE_STRING {
                    return Ok(Self::Strings(read_strings(reader, key, len)?));
                }
                let bytes = reader.bytes(len * element_bytes)?;
                Ok(match type_id {
                    $($id => {
                        let (chunks, _) = bytes.as_chunks::<$bytes>();
                        Self::$variant(chunks.iter().map(|&chunk| <$ty>::from_le_bytes(chunk)).collect())
                    })*
                    TYPE_BOOL => Self::Bool(
                        bytes.iter().map(|&byte| bool_from_byte(byte, key)).collect::<Result<_, _>>()?,
                    ),
                    _ => return Err(unknown(key, type_id)),
                })
            }
        }

        $(
            impl From<$ty> for Value {
                fn from(value: $ty) -> Self {
                    Self::$variant(value)
                }
            }

            impl From<Vec<$ty>> for Value {
                fn from(values: Vec<$ty>) -> Self {
                    Self::Array(Array::$variant(values))
                }
            }
        )*
    };
}

const TYPE_BOOL: u32 = 7;
const TYPE_STRING: u32 = 8;
const TYPE_ARRAY: u32 = 9;

value_kinds! {
    U8(u8) = 0, "an 8-bit number", "an array of 8-bit numbers", 1;
    I8(i8) = 1, "a signed 8-bit number", "an array of signed 8-bit numbers", 1;
    U16(u16) = 2, "a 16-bit number", "an array of 16-bit numbers", 2;
    I16(i16) = 3, "a signed 16-bit number", "an array of signed 16-bit numbers", 2;
    U32(u32) = 4, "a 32-bit number", "an array of 32-bit numbers", 4;
    I32(i32) = 5, "a signed 32-bit number", "an array of signed 32-bit numbers", 4;
    F32(f32) = 6, "a float", "an array of floats", 4;
    U64(u64) = 10, "a 64-bit number", "an array of 64-bit numbers", 8;
    I64(i64) = 11, "a signed 64-bit number", "an array of signed 64-bit numbers", 8;
    F64(f64) = 12, "a double", "an array of doubles", 8;
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<StringArray> for Value {
    fn from(strings: StringArray) -> Self {
        Self::Array(Array::Strings(strings))
    }
}

fn unknown(key: &str, type_id: u32) -> Stop {
    GgufError::UnknownValueType { key: key.to_owned(), type_id }.into()
}

fn bool_from_byte(byte: u8, key: &str) -> Result<bool, GgufError> {
    match byte {
        0 => Ok(false),
        1 => Ok(true),
        value => Err(GgufError::NotABool { key: key.to_owned(), value }),
    }
}

fn read_string<'a>(reader: &mut Reader<'a>, key: &str) -> Result<&'a str, Stop> {
    let bytes = reader.u64()?;
    if bytes > STRING_BYTES_MAX || !reader.file_can_hold(bytes, 1) {
        return Err(GgufError::StringLength { key: key.to_owned(), bytes }.into());
    }
    str::from_utf8(reader.bytes(bytes)?)
        .map_err(|_| GgufError::NotUtf8 { key: key.to_owned() }.into())
}

fn read_strings(reader: &mut Reader<'_>, key: &str, len: u64) -> Result<StringArray, Stop> {
    // Grown as strings really come: a claimed length reserves nothing.
    let mut strings = StringArray::default();
    for _ in 0..len {
        strings.push(read_string(reader, key)?);
    }
    Ok(strings)
}

/// Appends a string as the format writes it: length, then bytes.
pub(super) fn write_string(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&(text.len() as u64).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}
