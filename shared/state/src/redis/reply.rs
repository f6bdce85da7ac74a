//! Decides how the answers of scripts are read.

use std::collections::HashMap;

use redis::Value;
use sampan_core::OperationId;

use crate::error::Error;

/// Returns a text; numbers count as texts.
pub(super) fn text_of(value: &Value) -> Option<String> {
    into_text(value.clone())
}

fn into_text(value: Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).ok(),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Some(text),
        Value::Int(number) => Some(number.to_string()),
        Value::Okay => Some("OK".to_owned()),
        _ => None,
    }
}

/// An answer that is read from front to back.
#[derive(Debug)]
pub(super) struct Reply {
    script: &'static str,
    items: std::vec::IntoIter<Value>,
}

/// An operation as a script returns it.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) id: OperationId,
    pub(super) entry: HashMap<String, String>,
    /// Empty when the caller knows it.
    pub(super) record: Vec<u8>,
    pub(super) quota: String,
}

impl Reply {
    pub(super) fn new(script: &'static str, value: Value) -> Self {
        let items = match value {
            Value::Array(items) => items,
            Value::Nil => Vec::new(),
            one => vec![one],
        };
        Self { script, items: items.into_iter() }
    }

    /// Returns the error of an answer that is not as the script gives it.
    pub(super) fn odd(&self) -> Error {
        Error::Unavailable(format!("Redis answered the script {} in another form than it has", self.script))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.len() == 0
    }

    fn next(&mut self) -> Result<Value, Error> {
        self.items.next().ok_or_else(|| self.odd())
    }

    pub(super) fn text(&mut self) -> Result<String, Error> {
        let value = self.next()?;
        into_text(value).ok_or_else(|| self.odd())
    }

    pub(super) fn number(&mut self) -> Result<i64, Error> {
        self.text()?.parse().map_err(|_| self.odd())
    }

    pub(super) fn count(&mut self) -> Result<u32, Error> {
        Ok(u32::try_from(self.number()?).unwrap_or(u32::MAX))
    }

    pub(super) fn id(&mut self) -> Result<OperationId, Error> {
        self.text()?.parse().map_err(|_| self.odd())
    }

    /// Returns the next item, which has items of its own.
    pub(super) fn list(&mut self) -> Result<Self, Error> {
        Ok(Self::new(self.script, self.next()?))
    }

    pub(super) fn found(&mut self) -> Result<Found, Error> {
        let mut parts = self.list()?;
        let id = parts.id()?;
        let mut fields = parts.list()?;
        let mut entry = HashMap::with_capacity(fields.items.len() / 2);
        while !fields.is_empty() {
            entry.insert(fields.text()?, fields.text()?);
        }
        let record = match parts.next()? {
            Value::BulkString(bytes) => bytes,
            _ => return Err(parts.odd()),
        };
        Ok(Found { id, entry, record, quota: parts.text()? })
    }

    /// Reads everything that is left as operations.
    pub(super) fn all_found(&mut self) -> Result<Vec<Found>, Error> {
        let mut all = Vec::with_capacity(self.items.len());
        while !self.is_empty() {
            all.push(self.found()?);
        }
        Ok(all)
    }

    /// Reads everything that is left as pairs of texts.
    pub(super) fn pairs(&mut self) -> Result<Vec<(String, String)>, Error> {
        let mut pairs = Vec::with_capacity(self.items.len() / 2);
        while !self.is_empty() {
            pairs.push((self.text()?, self.text()?));
        }
        Ok(pairs)
    }
}
