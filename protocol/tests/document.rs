//! What holds for any document: nothing of it is lost, moved or reworded, but the fields that are set.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

use jiff::Timestamp;
use proptest::prelude::*;
use protocol::label::VersionId;
use protocol::secret::{Addresses, Credential, Document, KeyId, Provenance, SecretValue, Source};
use secrecy::ExposeSecret;
use serde_json::value::RawValue;

/// Any JSON value as text, in spellings that a careless rewrite would change.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i64>().prop_map(|value| value.to_string()),
        "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?",
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        "\"(\\\\u00[2-7][0-9a-f]|[a-z]){0,8}\"",
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(" , "))),
            prop::collection::vec(("[a-z]{1,4}", inner), 0..4).prop_map(|fields| format!(
                "{{ {} }}",
                fields
                    .iter()
                    .map(|(n, v)| format!("\"{n}\": {v}"))
                    .collect::<Vec<_>>()
                    .join(",")
            )),
        ]
    })
}

/// The fields of a document, each name once, none of them one of ours.
fn fields() -> impl Strategy<Value = Vec<(String, String)>> {
    prop::collection::vec(
        (any::<String>().prop_map(|name| format!("x{name}")), json()),
        0..8,
    )
    .prop_map(|mut fields| {
        let mut seen = std::collections::BTreeSet::new();
        fields.retain(|(name, _)| seen.insert(name.clone()));
        fields
    })
}

fn written(fields: &[(String, String)]) -> String {
    let fields = fields
        .iter()
        .map(|(name, raw)| format!("{}:{raw}", serde_json::to_string(name).unwrap()));
    format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
}

/// Names and raw values in order, as another reader sees them.
fn read(text: &str) -> Vec<(String, String)> {
    struct Read;
    impl<'de> serde::de::Visitor<'de> for Read {
        type Value = Vec<(String, String)>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut fields = Vec::new();
            while let Some((name, raw)) = map.next_entry::<String, &RawValue>()? {
                fields.push((name, raw.get().to_owned()));
            }
            Ok(fields)
        }
    }
    serde::Deserializer::deserialize_map(&mut serde_json::Deserializer::from_str(text), Read).unwrap()
}

proptest! {
    #[test]
    fn a_document_reads_back_as_it_was_written(fields in fields()) {
        let document = Document::parse(&written(&fields)).unwrap();
        let text = document.render();
        prop_assert_eq!(read(text.expose_secret()), fields);
        prop_assert!(text.expose_secret().len() <= document.size());
    }

    #[test]
    fn a_successor_differs_in_our_fields_alone(
        before in fields(),
        after in fields(),
        key in "[!-~]{1,40}",
        secret in "[!-~]([ -~]{0,40}[!-~])?",
    ) {
        let mut after = after;
        after.retain(|(name, _)| before.iter().all(|(other, _)| other != name));
        let mut all = before.clone();
        all.push(("api_key".into(), "\"OLD\"".into()));
        all.extend(after.clone());
        all.push(("secret".into(), "\"old\"".into()));
        let value = SecretValue::parse(&written(&all).into()).unwrap();
        let credential = Credential {
            key_id: KeyId::parse(&key).unwrap(),
            secret: secret.as_str().into(),
            passphrase: None,
        };
        let provenance = Provenance {
            token: VersionId::new("t"),
            source: Source::Issued,
            copied_from: None,
            based_on: VersionId::new("b"),
            alias: None,
            account: "7".into(),
            permissions: ["spot".parse().unwrap()].into(),
            ip_allowlist: Addresses::Any,
        };
        let text = value.successor(&credential, Timestamp::UNIX_EPOCH, &provenance).render();
        let new = read(text.expose_secret());
        let foreign: Vec<_> = new.iter().filter(|(name, _)| name.starts_with('x')).cloned().collect();
        prop_assert_eq!(foreign, [before, after].concat());
        let names: Vec<&str> = new[all.len()..].iter().map(|(name, _)| name.as_str()).collect();
        prop_assert_eq!(names, ["created_at", "created_by", "rotation"]);
        let read = SecretValue::parse(&text).unwrap();
        prop_assert_eq!(read.credential.key_id.expose(), key);
        prop_assert_eq!(read.credential.secret.expose_secret(), secret);
        prop_assert_eq!(read.rotation, Some(provenance));
    }

    #[test]
    fn no_text_whatever_makes_the_parser_panic_or_repeat_it(text in any::<String>()) {
        if let Err(error) = SecretValue::parse(&text.as_str().into()) {
            prop_assert!(text.len() < 24 || !error.to_string().contains(&text));
        }
    }

    #[test]
    fn a_damaged_document_is_refused_or_read_and_never_repeated(
        fields in fields(),
        cut in any::<prop::sample::Index>(),
        secret in "[A-Za-z0-9]{36}",
    ) {
        let mut all = fields;
        all.push(("api_secret".into(), format!("\"{secret}\"")));
        all.push(("api_key".into(), "7".into()));
        let text = written(&all);
        let mut end = cut.index(text.len() + 1);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let error = SecretValue::parse(&text[..end].into()).map(|_| ()).unwrap_err();
        let debugged = format!("{error:?}");
        let said = format!("{error} {debugged}");
        prop_assert!(!said.contains(&secret), "{}", said);
    }
}
