//! How do the house's values (SQLite's five kinds) go over to PostgreSQL's types, and back?

use std::error::Error as StdError;

use bytes::BytesMut;
use postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use rusqlite::types::{ToSqlOutput, Value, ValueRef};

use super::{Error, Result};

type Fault = Box<dyn StdError + Sync + Send>;

/// A value that goes into a statement, as whatever type stands there.
#[derive(Debug)]
pub struct Given(Value);

impl Given {
    pub fn new(value: &dyn rusqlite::types::ToSql) -> Result<Self> {
        match value.to_sql()? {
            ToSqlOutput::Borrowed(value) => Value::try_from(value)
                .map(Self)
                .map_err(|error| Error::ToSqlConversionFailure(Box::new(error))),
            ToSqlOutput::Owned(value) => Ok(Self(value)),
            other => {
                let reason = format!("{other:?} is SQLite's alone");
                Err(Error::ToSqlConversionFailure(reason.into()))
            }
        }
    }
}

impl ToSql for Given {
    fn to_sql(&self, to: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        match (&self.0, to) {
            (Value::Null, _) => return Ok(IsNull::Yes),
            (Value::Integer(n), &Type::INT8) => out.extend_from_slice(&n.to_be_bytes()),
            (Value::Integer(n), &Type::INT4) => {
                out.extend_from_slice(&i32::try_from(*n)?.to_be_bytes());
            }
            (Value::Integer(n), &Type::BOOL) => out.extend_from_slice(&[u8::from(*n != 0)]),
            (Value::Integer(n), &Type::FLOAT8) => {
                out.extend_from_slice(&(*n as f64).to_be_bytes());
            }
            (Value::Real(x), &Type::FLOAT8) => out.extend_from_slice(&x.to_be_bytes()),
            // It holds every text but for this one character.
            (Value::Text(text), &(Type::TEXT | Type::VARCHAR)) if text.contains('\0') => {
                out.extend_from_slice(text.replace('\0', "\u{fffd}").as_bytes());
            }
            (Value::Text(text), &(Type::TEXT | Type::VARCHAR | Type::JSON)) => {
                out.extend_from_slice(text.as_bytes());
            }
            (Value::Blob(bytes), &Type::BYTEA) => out.extend_from_slice(bytes),
            (value, to) => return Err(format!("{} where {to} stands", value.data_type()).into()),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A value that a query found, where it lies.
pub struct Got<'a>(pub ValueRef<'a>);

impl<'a> FromSql<'a> for Got<'a> {
    fn from_sql(from: &Type, raw: &'a [u8]) -> Result<Self, Fault> {
        let value = match *from {
            Type::INT8 => ValueRef::Integer(i64::from_sql(from, raw)?),
            Type::INT4 => ValueRef::Integer(i32::from_sql(from, raw)?.into()),
            Type::INT2 => ValueRef::Integer(i16::from_sql(from, raw)?.into()),
            Type::BOOL => ValueRef::Integer(bool::from_sql(from, raw)?.into()),
            Type::FLOAT8 => ValueRef::Real(f64::from_sql(from, raw)?),
            Type::FLOAT4 => ValueRef::Real(f32::from_sql(from, raw)?.into()),
            Type::NUMERIC => numeric(raw)?,
            Type::BYTEA => ValueRef::Blob(raw),
            Type::TEXT | Type::VARCHAR | Type::NAME | Type::JSON => ValueRef::Text(raw),
            ref other => return Err(format!("{other} is no type of the house").into()),
        };
        Ok(Self(value))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Fault> {
        Ok(Self(ValueRef::Null))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A sum of integers: PostgreSQL's grow beyond 64 bits. Digits of base 10,000, the first one's weight,
/// a sign.
fn numeric(raw: &[u8]) -> Result<ValueRef<'static>, Fault> {
    const NEGATIVE: u16 = 0x4000;
    let words: Vec<u16> =
        raw.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
    let [n_digits, weight, sign, _scale, digits @ ..] = words.as_slice() else {
        return Err("a cut number".into());
    };
    if digits.len() != usize::from(*n_digits) || (*sign != 0 && *sign != NEGATIVE) {
        return Err("no number".into());
    }
    let weight = i32::from(*weight as i16);
    let n_whole = usize::try_from(weight + 1).unwrap_or(0);
    let whole = (0..n_whole).try_fold(0_i64, |sum, i| {
        let digit = digits.get(i).copied().unwrap_or(0);
        sum.checked_mul(10_000)?.checked_add(digit.into())
    });
    let is_negative = *sign == NEGATIVE;
    if let Some(whole) = whole.filter(|_| digits.len() <= n_whole) {
        return Ok(ValueRef::Integer(if is_negative { -whole } else { whole }));
    }
    let terms = digits.iter().zip(0_i32..);
    let size: f64 = terms.map(|(&digit, i)| f64::from(digit) * 10_000_f64.powi(weight - i)).sum();
    Ok(ValueRef::Real(if is_negative { -size } else { size }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_integers_again() {
        let read = |words: &[u16]| {
            let raw: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
            numeric(&raw).map(Value::try_from).ok().and_then(Result::ok)
        };
        assert_eq!(read(&[0, 0, 0, 0]), Some(Value::Integer(0)));
        assert_eq!(read(&[2, 1, 0, 0, 12, 3456]), Some(Value::Integer(123_456)));
        // 10,000 has one digit of weight 1.
        assert_eq!(read(&[1, 1, 0x4000, 0, 1]), Some(Value::Integer(-10_000)));
        assert_eq!(read(&[2, 0, 0, 1, 2, 5000]), Some(Value::Real(2.5)));
        assert_eq!(read(&[1, u16::MAX, 0, 1, 5000]), Some(Value::Real(0.5)));
        assert_eq!(read(&[1, 4, 0, 0, 9999]), None.or(Some(Value::Real(9999e16))));
        assert_eq!(read(&[0, 0, 0xC000, 0]), None, "not a number");
        assert_eq!(read(&[3, 0, 0, 0, 1]), None);
    }
}
