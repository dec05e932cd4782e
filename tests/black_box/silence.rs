//! Nothing secret in anything the process writes, in any form.

use std::fmt::Write as _;

use sandbox::fault::Fault;
use serde_json::json;

use crate::world::{ROTATION_TOKEN, TOKEN, World};

#[tokio::test]
async fn no_secret_is_written_in_clear_base64_hex_or_url_form_even_when_everything_is_logged() {
    let world = World::start_with(|environment| environment.with("LOG_LEVEL", "trace").with("RUST_LOG", "trace")).await;
    world.local.bybit.lock().faults.plan("/v5/user/create-sub-api", Fault::ServerError);
    world.open_rotation(TOKEN);
    let mut said = vec![format!("{:?}", world.fail("createSecret").await)];
    said.extend(world.rotate().await);
    // Failures say the most: a wrong secret, and a value that is no JSON.
    world.edit_current(|document| document["api_secret"] = json!("a-wrong-secret/with+odd=characters"));
    world.open_rotation("70000000-0000-4000-8000-000000000002");
    let failed = world.function.invoke(&world.event("createSecret", "70000000-0000-4000-8000-000000000002")).await;
    said.push(format!("{failed:?}"));

    let mut secrets = vec![ROTATION_TOKEN.to_owned(), "a-wrong-secret/with+odd=characters".into()];
    let seeds = [&world.local.master, &world.local.hand_made];
    secrets.extend(seeds.iter().map(|credential| credential.secret.expose().to_owned()));
    let state = world.local.secrets_manager.lock();
    for version in state.model.secret(sandbox::local::SECRET).unwrap().versions().values() {
        let value: serde_json::Value =
            version.value().and_then(|value| serde_json::from_str(value.text()?).ok()).unwrap_or_default();
        secrets.extend(value["api_secret"].as_str().map(str::to_owned));
        // A key id is no secret, yet is shown as its fingerprint alone.
        secrets.extend(value["api_key"].as_str().map(str::to_owned));
    }
    drop(state);
    assert!(secrets.len() >= 8, "the search must have something to search for");
    let written = format!("{}\n{}", world.function.output().join("\n"), said.join("\n"));
    assert!(written.contains("createSecret"), "the search must have something to search in");
    for secret in &secrets {
        for form in forms(secret) {
            assert!(!written.contains(&form), "a secret is written as {form}");
        }
    }
}

/// The ways a secret could be written. Of base64 the inside, whatever stands around it in the same run.
fn forms(secret: &str) -> Vec<String> {
    let hex = secret.bytes().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    });
    let url = secret.bytes().fold(String::new(), |mut url, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            url.push(byte.into());
        } else {
            write!(url, "%{byte:02X}").unwrap();
        }
        url
    });
    let mut forms = vec![secret.to_owned(), hex.to_uppercase(), hex, url];
    for skipped in 0..3 {
        let inside = &secret.as_bytes()[skipped..];
        forms.push(base64(&inside[..inside.len() / 3 * 3]));
    }
    forms
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks_exact(3) {
        let bits = three.iter().fold(0_usize, |bits, byte| (bits << 8) | usize::from(*byte));
        text.extend([18, 12, 6, 0].map(|shift| char::from(DIGITS[bits >> shift & 63])));
    }
    text
}

#[test]
fn the_forms_searched_for_are_the_real_ones() {
    assert_eq!(base64(b"secret"), "c2VjcmV0");
    assert!(forms("a/b").contains(&"a%2Fb".to_owned()));
    assert!(forms("a/b").contains(&"612f62".to_owned()));
}
