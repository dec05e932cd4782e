//! No type that holds a secret shows it, however it is printed.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

use std::fmt::Debug;

use protocol::label::{Label, VersionId};
use protocol::name::{SecretId, SecretName};
use protocol::ports::{IssuedKey, Put, Signer, StoredValue, Whose};
use protocol::rotation::{Step, StepRequest};
use protocol::secret::{Credential, Document, KeyId, SecretValue};
use secrecy::SecretString;

const KEY_ID: &str = "k3yIdK3yIdK3yIdK3y";
const SECRET: &str = "s3cretS3cretS3cretS3cret";
const PASSPHRASE: &str = "passphr4sePassphr4se";
const NAME: &str = "prod/bybit/desk-seven";

fn text() -> String {
    format!(
        r#"{{"exchange":"bybit","api_key":"{KEY_ID}","api_secret":"{SECRET}","passphrase":"{PASSPHRASE}"}}"#
    )
}

fn credential() -> Credential {
    Credential {
        key_id: KeyId::parse(KEY_ID).unwrap(),
        secret: SECRET.into(),
        passphrase: Some(PASSPHRASE.into()),
    }
}

#[track_caller]
fn hides(value: &impl Debug) {
    for shown in [format!("{value:?}"), format!("{value:#?}")] {
        for hidden in [KEY_ID, SECRET, PASSPHRASE, "desk-seven"] {
            assert!(!shown.contains(hidden), "{hidden} stands in {shown}");
        }
    }
}

#[test]
fn a_credential_and_all_that_carries_one_is_redacted() {
    hides(&credential());
    hides(&credential().key_id);
    hides(&Signer {
        whose: Whose::Master,
        credential: credential(),
    });
    hides(&IssuedKey {
        credential: credential(),
    });
}

#[test]
fn a_value_in_every_form_is_redacted() {
    let (token, value) = (VersionId::new("t"), SecretString::from(text()));
    hides(&Document::parse(&text()).unwrap());
    hides(&SecretValue::parse(&value).unwrap());
    hides(&Put {
        token: &token,
        text: &value,
        labels: &[Label::pending()],
        rotation_token: Some(&value),
    });
    hides(&StoredValue {
        version: token,
        text: value,
    });
}

#[test]
fn an_events_rotation_token_is_redacted() {
    let request = StepRequest {
        step: Step::Create,
        secret: SecretId::parse(NAME).unwrap(),
        token: VersionId::new("t"),
        rotation_token: Some(SECRET.into()),
    };
    hides(&request);
}

#[test]
fn a_secrets_name_is_masked() {
    hides(&SecretName::new(NAME));
    assert_eq!(SecretName::new(NAME).to_string(), "prod/bybit/***");
}
