//! A call to make, before it is signed.

use serde::Serialize;
use zeroize::Zeroizing;

/// Room for a body with a passphrase: one that grew would leave copies of it behind.
const ROOM: usize = 2048;

/// A call to make. Never printed: its body has whole key ids.
pub(in crate::exchange) struct Call {
    pub(super) path: &'static str,
    /// What a GET asks for. What is empty is left out.
    pub(super) query: Vec<(&'static str, String)>,
    /// What a POST sends. It may have a passphrase: wiped on drop.
    pub(super) body: Option<Zeroizing<String>>,
    /// Whether doing it twice is as good as doing it once.
    pub(super) repeatable: bool,
}

/// A call, or why it cannot be made.
pub(in crate::exchange) type Draft = Result<Call, Unmade>;

/// Why a call cannot be made.
#[derive(Debug)]
pub(in crate::exchange) enum Unmade {
    /// The account is none of the exchange's: what it ought to be, after "is not".
    Account(&'static str),
    /// For a reason that the protocol should not have let come to this.
    Fault(String),
}

impl From<String> for Unmade {
    fn from(problem: String) -> Self {
        Self::Fault(problem)
    }
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

    pub(in crate::exchange) fn repeatable(path: &'static str) -> Self {
        Self::post(path, true)
    }

    /// A call that is repeated only where it is certain that nothing was done.
    pub(in crate::exchange) fn once(path: &'static str) -> Self {
        Self::post(path, false)
    }

    fn post(path: &'static str, repeatable: bool) -> Self {
        Self {
            path,
            query: Vec::new(),
            body: Some(Zeroizing::new(String::with_capacity(ROOM))),
            repeatable,
        }
    }

    /// Adds a field after those that a POST sends so far. One without a value is left out.
    pub(in crate::exchange) fn with(mut self, name: &'static str, value: impl Serialize) -> Draft {
        let value = serde_json::to_string(&value).map(Zeroizing::new);
        let value = value.map_err(|_| "the request could not be written as JSON".to_owned())?;
        if let Some(body) = self.body.as_mut().filter(|_| *value != "null") {
            let first = body.pop().is_none();
            for part in [if first { "{\"" } else { ",\"" }, name, "\":", &value, "}"] {
                body.push_str(part);
            }
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stand_in_their_order_and_those_without_a_value_do_not() {
        let text = |draft: Draft| draft.unwrap().body.unwrap().to_string();
        let one = Call::once("/").with("z", "a \"b\"").unwrap();
        let two = one.with("none", None::<String>).unwrap().with("a", 7);
        assert_eq!(text(two), r#"{"z":"a \"b\"","a":7}"#);
    }
}
