//! JSON as another reader than the function's own sees it.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The names of an object and the exact text of their values, in order; `None` for what is no object.
pub(crate) fn fields(text: &str) -> Option<Vec<(String, &str)>> {
    struct Fields;
    impl<'de> Visitor<'de> for Fields {
        type Value = Vec<(String, &'de str)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut fields = Vec::new();
            while let Some((name, raw)) = map.next_entry::<String, &'de RawValue>()? {
                fields.push((name, raw.get()));
            }
            Ok(fields)
        }
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let fields = json.deserialize_map(Fields).ok()?;
    json.end().ok().map(|()| fields)
}

/// The exact text of the one field of this name.
pub(crate) fn field<'a>(fields: &[(String, &'a str)], name: &str) -> Option<&'a str> {
    let mut found = fields
        .iter()
        .filter(|(known, _)| known == name)
        .map(|(_, raw)| *raw);
    found.next().filter(|_| found.next().is_none())
}

/// A JSON string's text.
pub(crate) fn string(raw: &str) -> Option<String> {
    serde_json::from_str(raw).ok()
}
