//! A call to make, before it is signed.

use serde::Serialize;
use zeroize::Zeroizing;

/// A call to make. Never printed: its body has whole key ids.
pub(in crate::exchange) struct Call {
    pub(super) path: &'static str,
    /// What a GET asks for.
    pub(super) query: Vec<(&'static str, String)>,
    /// What a POST sends. It may have a passphrase: wiped on drop.
    pub(super) body: Option<Zeroizing<String>>,
    /// Whether doing it twice is as good as doing it once.
    pub(super) repeatable: bool,
}

impl Call {
    pub(in crate::exchange) fn read(path: &'static str, query: Vec<(&'static str, String)>) -> Self {
        Self {
            path,
            query,
            body: None,
            repeatable: true,
        }
    }

    pub(in crate::exchange) fn repeatable(path: &'static str, body: &impl Serialize) -> Result<Self, String> {
        Self::post(path, body, true)
    }

    /// A call that is repeated only where it is certain that nothing was done.
    pub(in crate::exchange) fn once(path: &'static str, body: &impl Serialize) -> Result<Self, String> {
        Self::post(path, body, false)
    }

    fn post(path: &'static str, body: &impl Serialize, repeatable: bool) -> Result<Self, String> {
        let body =
            serde_json::to_string(body).map_err(|_| "the request could not be written as JSON".to_owned())?;
        Ok(Self {
            path,
            query: Vec::new(),
            body: Some(Zeroizing::new(body)),
            repeatable,
        })
    }
}
