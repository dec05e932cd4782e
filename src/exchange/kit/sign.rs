//! What signatures are made of.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use protocol::secret::Credential;
use secrecy::ExposeSecret;
use sha2::Sha256;

/// HMAC-SHA256 by the key's secret over these parts, one after the other.
pub(in crate::exchange) fn hmac_sha256(credential: &Credential, parts: &[&str]) -> [u8; 32] {
    let secret = credential.secret.expose_secret().as_bytes();
    // HMAC takes keys of any length: the constructor's error does not occur.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else {
        return [0; 32];
    };
    for part in parts {
        mac.update(part.as_bytes());
    }
    mac.finalize().into_bytes().into()
}

/// In lower-case hexadecimal.
pub(in crate::exchange) fn hex(bytes: &[u8]) -> String {
    let digit = |digit: u8| char::from_digit(u32::from(digit), 16).unwrap_or('0');
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

/// In Base64, as RFC 4648 has it in section 4, with padding.
pub(in crate::exchange) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}
