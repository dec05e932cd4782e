//! The JSON object that a secret's value is: fields in order, each kept as the very text it came with.

use std::borrow::Cow;
use std::fmt;

use secrecy::SecretString;
use serde::Serialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

use crate::shown;

/// A JSON object whose fields keep their order and their exact text (numbers, escapes and all), so that
/// consumers notice nothing but the values we mean to change. Wiped on drop, and never printed.
#[derive(Clone)]
pub struct Document {
    fields: Vec<(String, Zeroizing<String>)>,
}

/// Why a text is no document, or a field not what it should be. Says names and places only, never values.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DocumentError {
    /// Not JSON, or JSON that is no object.
    #[error("the value is not a JSON object (line {line}, column {column})")]
    NotAnObject {
        /// Where reading stopped, counted from 1.
        line: usize,
        /// Where reading stopped, counted from 1.
        column: usize,
    },
    /// No text at all. Secrets Manager stores none, so it is a value in SecretBinary.
    #[error(
        "the value is empty or binary (SecretBinary): store the JSON object as text, with --secret-string"
    )]
    NotText,
    /// Readers of JSON refuse such a mark, most of them.
    #[error("the value begins with a byte order mark: store it as UTF-8 without one")]
    ByteOrderMark,
    /// A JSON string whose text is a JSON object.
    #[error("the value is a JSON object inside a JSON string: it was encoded twice. Store the object itself")]
    EncodedTwice,
    /// One name stands twice: readers differ in which of the two they take.
    #[error("the field `{0}` stands twice")]
    Duplicate(String),
    /// A field has the wrong type or an impossible value.
    #[error("the field `{field}` {problem}")]
    Field {
        /// The field's name.
        field: &'static str,
        /// What is wrong with it, without its value.
        problem: String,
    },
    /// A field that must be there is not.
    #[error("the field `{0}` is missing")]
    Missing(&'static str),
}

impl Document {
    /// Reads a secret's value.
    ///
    /// # Errors
    /// Every [`DocumentError`] but those of one field.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        if text.is_empty() {
            return Err(DocumentError::NotText);
        }
        if text.starts_with('\u{feff}') {
            return Err(DocumentError::ByteOrderMark);
        }
        let mut json = serde_json::Deserializer::from_str(text);
        let read = json
            .deserialize_map(Fields)
            .and_then(|fields| json.end().map(|()| fields));
        let fields = read.map_err(|error| match encoded_twice(text) {
            Some(inner) if Self::parse(&inner).is_ok() => DocumentError::EncodedTwice,
            _ => DocumentError::NotAnObject {
                line: error.line(),
                column: error.column(),
            },
        })?;
        for (at, (name, _)) in fields.iter().enumerate() {
            if fields.iter().take(at).any(|(earlier, _)| earlier == name) {
                return Err(DocumentError::Duplicate(shown(name)));
            }
        }
        Ok(Self { fields })
    }

    /// The document as JSON text on one line.
    pub fn render(&self) -> SecretString {
        let mut text = Zeroizing::new(String::with_capacity(self.size() + 1));
        for (at, (name, raw)) in self.fields.iter().enumerate() {
            text.push(if at == 0 { '{' } else { ',' });
            text.push_str(&serde_json::Value::from(name.as_str()).to_string());
            text.push(':');
            text.push_str(raw);
        }
        if self.fields.is_empty() {
            text.push('{');
        }
        text.push('}');
        SecretString::from(text.as_str())
    }

    /// About how many bytes [`render`](Self::render) gives; never fewer than it does.
    pub fn size(&self) -> usize {
        // Quotes, colon and comma; a name's character takes six bytes at most when it is escaped.
        self.fields
            .iter()
            .map(|(name, raw)| 6 * name.len() + raw.len() + 4)
            .sum::<usize>()
            + 2
    }

    /// Whether a field of this name is there with anything but `null`.
    pub fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// Whether a field of this name is there and is a text.
    pub(super) fn has_text(&self, name: &str) -> bool {
        self.raw(name).is_some_and(|raw| raw.starts_with('"'))
    }

    /// The text in a field, or `None` when it is missing or `null`.
    ///
    /// # Errors
    /// As [`field`](Self::field).
    pub(super) fn text(
        &self,
        name: &'static str,
        wanted: &str,
    ) -> Result<Option<Cow<'_, str>>, DocumentError> {
        match self.plain(name) {
            Some(text) => Ok(Some(text.into())),
            None => Ok(self.field::<String>(name, wanted)?.map(Cow::Owned)),
        }
    }

    /// The same for a text that is secret.
    ///
    /// # Errors
    /// As [`field`](Self::field).
    pub(super) fn secret(
        &self,
        name: &'static str,
        wanted: &str,
    ) -> Result<Option<SecretString>, DocumentError> {
        match self.plain(name) {
            Some(text) => Ok(Some(text.into())),
            None => Ok(self.field(name, wanted)?.map(|SecretText(text)| text)),
        }
    }

    /// A text that stands between its quotes as it is, with nothing escaped: most do, and need no parser.
    fn plain(&self, name: &str) -> Option<&str> {
        let text = self.raw(name)?.strip_prefix('"')?.strip_suffix('"')?;
        (!text.contains('\\')).then_some(text)
    }

    /// The field's value, or `None` when it is missing or `null`.
    ///
    /// # Errors
    /// [`DocumentError::Field`] when the value is of another type.
    pub fn field<T: DeserializeOwned>(
        &self,
        name: &'static str,
        wanted: &str,
    ) -> Result<Option<T>, DocumentError> {
        let Some(raw) = self.raw(name) else {
            return Ok(None);
        };
        // The parser's own message may quote the value: only what was wanted is said.
        let wrong = |_| DocumentError::Field {
            field: name,
            problem: format!("is not {wanted}"),
        };
        serde_json::from_str(raw).map(Some).map_err(wrong)
    }

    /// Puts a text into a field: in its place where the field is there, at the end where it is not.
    pub fn set_text(&mut self, name: &str, text: &str) {
        // A JSON string has at most six bytes for each byte of the text: no reallocation leaves a copy
        // behind.
        let mut raw = Zeroizing::new(Vec::with_capacity(6 * text.len() + 2));
        let mut json = serde_json::Serializer::new(&mut *raw);
        if text.serialize(&mut json).is_ok() {
            self.set_raw(name, String::from_utf8_lossy(&raw).into_owned());
        }
    }

    /// Puts a JSON value into a field, as [`set_text`](Self::set_text) does.
    pub fn set(&mut self, name: &str, value: &impl Serialize) {
        // What is put here has no maps with odd keys, the only thing that JSON cannot say.
        if let Ok(raw) = serde_json::to_string(value) {
            self.set_raw(name, raw);
        }
    }

    fn set_raw(&mut self, name: &str, raw: String) {
        let raw = Zeroizing::new(raw);
        match self.fields.iter_mut().find(|(field, _)| field == name) {
            Some((_, old)) => *old = raw,
            None => self.fields.push((name.to_owned(), raw)),
        }
    }

    fn raw(&self, name: &str) -> Option<&str> {
        let (_, raw) = self.fields.iter().find(|(field, _)| field == name)?;
        (raw.as_str() != "null").then_some(raw.as_str())
    }
}

/// The text in a JSON string.
pub(super) fn encoded_twice(text: &str) -> Option<Zeroizing<String>> {
    serde_json::from_str(text).ok().map(Zeroizing::new)
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({} fields)", self.fields.len())
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Vec<(String, Zeroizing<String>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            let raw: &'de RawValue = map.next_value()?;
            fields.push((name, Zeroizing::new(raw.get().to_owned())));
        }
        Ok(fields)
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<Self::Value, E> {
        Err(E::custom("a JSON object is wanted"))
    }
}

/// A text field that is wiped when it goes; `String` would stay in memory.
struct SecretText(SecretString);

impl<'de> serde::Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut text = String::deserialize(deserializer).map_err(|_| D::Error::custom("not a string"))?;
        let secret = SecretString::from(text.as_str());
        text.zeroize();
        Ok(Self(secret))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn round_trip(text: &str) -> String {
        Document::parse(text).unwrap().render().expose_secret().to_owned()
    }

    #[test]
    fn fields_keep_their_order_and_their_exact_text() {
        let text =
            r#"{"z":1.0e5,"a":12345678901234567890123,"é\n":"é\u0041","n":null,"o":{"b":1,"a":[ 2 ]}}"#;
        assert_eq!(round_trip(text), text);
        assert_eq!(round_trip("{}"), "{}");
        assert_eq!(round_trip(" { \"a\" : 1 , \"b\" : 2 } "), r#"{"a":1,"b":2}"#);
    }

    #[test]
    fn setting_a_field_leaves_every_other_where_it_was() {
        let mut document = Document::parse(r#"{"a":1,"b":"old","c":3}"#).unwrap();
        document.set_text("b", "n\"ew");
        document.set_text("d", "last");
        assert_eq!(
            document.render().expose_secret(),
            r#"{"a":1,"b":"n\"ew","c":3,"d":"last"}"#
        );
    }

    #[test]
    fn what_is_no_object_is_refused_by_its_place() {
        for text in [
            " ",
            "null",
            "[]",
            "\"s\"",
            "1",
            "{\"a\":1",
            "{\"a\":1}x",
            "{\"a\" 1}",
        ] {
            assert!(
                matches!(Document::parse(text), Err(DocumentError::NotAnObject { .. })),
                "{text} was taken"
            );
        }
    }

    #[test]
    fn a_value_in_a_form_that_people_store_by_mistake_is_named() {
        assert_eq!(Document::parse("").unwrap_err(), DocumentError::NotText);
        assert_eq!(
            Document::parse("\u{feff}{}").unwrap_err(),
            DocumentError::ByteOrderMark
        );
        assert_eq!(
            Document::parse(r#""{\"a\":1}""#).unwrap_err(),
            DocumentError::EncodedTwice
        );
        assert_eq!(
            Document::parse(r#" "{}" "#).unwrap_err(),
            DocumentError::EncodedTwice
        );
    }

    #[test]
    fn a_field_that_stands_twice_is_refused_even_when_one_is_escaped() {
        let twice = Document::parse(r#"{"api_key":"a","api\u005fkey":"b"}"#);
        assert_eq!(twice.unwrap_err(), DocumentError::Duplicate("api_key".into()));
    }

    #[test]
    fn a_document_never_prints_its_values() {
        let document = Document::parse(r#"{"api_secret":"hidden"}"#).unwrap();
        assert!(!format!("{document:?}").contains("hidden"));
    }

    #[test]
    fn a_field_of_the_wrong_type_is_named_without_its_value() {
        let document = Document::parse(r#"{"exchange":["hidden"]}"#).unwrap();
        let error = document
            .field::<String>("exchange", "a string")
            .unwrap_err()
            .to_string();
        assert_eq!(error, "the field `exchange` is not a string");
    }
}
