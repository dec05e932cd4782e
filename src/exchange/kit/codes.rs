//! What errors mean, in tables.

use protocol::ports::ErrorClass;
use zeroize::Zeroizing;

use super::wire::Wire;

/// What an error code means: code, class, and what happened and what to do, after "… says that".
pub type Code = (&'static str, ErrorClass, &'static str);

/// A table of codes, one to a line: code, class, what to say. Or of statuses: status, what the body has to
/// contain, class, what to say.
macro_rules! codes {
    ($($code:literal $class:ident $say:literal;)+) => {
        &[$(($code, ::protocol::ports::ErrorClass::$class, $say),)+]
    };
    ($($status:literal $part:literal $class:ident $say:literal;)+) => {
        &[$(($status, $part, ::protocol::ports::ErrorClass::$class, $say),)+]
    };
}
pub(in crate::exchange) use codes;

/// What an HTTP status means: the status, what the body has to contain in small letters, class, and what
/// happened and what to do.
pub type Status = (u16, &'static str, ErrorClass, &'static str);

/// What an error means, and what to tell the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// Its class.
    pub class: ErrorClass,
    /// What happened and what to do.
    pub say: String,
}

/// What a code means; nothing but an error has one.
pub(in crate::exchange) fn of_code<W: Wire>(status: u16, code: &str, message: &str) -> Meaning {
    if let Some((_, class, say)) = W::CODES.iter().find(|(known, ..)| *known == code) {
        return Meaning {
            class: *class,
            say: format!("{} says that {say} ({} {code})", W::NAME, W::CODE),
        };
    }
    // A definite no of a kind that the table does not have: its own words are all there is to go by. A server
    // that failed may have done it all the same.
    let class = if status >= 500 {
        ErrorClass::UnknownOutcome
    } else {
        ErrorClass::Refused
    };
    Meaning {
        class,
        say: format!(
            "{} refused ({} {}: {})",
            W::NAME,
            W::CODE,
            // A number is no secret, however long.
            code.parse::<i64>()
                .map_or_else(|_| harmless(code), |code| code.to_string()),
            harmless(message)
        ),
    }
}

/// What a reply means whose body is none of the exchange's.
pub(in crate::exchange) fn of_status<W: Wire>(status: u16, body: &[u8]) -> Meaning {
    // A body that is none of the exchange's may hold a secret all the same.
    let contains = |part: &str| {
        let small = Zeroizing::new(body.to_ascii_lowercase());
        part.is_empty() || small.windows(part.len()).any(|here| here == part.as_bytes())
    };
    let own = W::STATUSES
        .iter()
        .find(|(known, part, ..)| *known == status && contains(part));
    let (class, say) = match (own, status) {
        (Some((_, _, class, say)), _) => (*class, (*say).to_owned()),
        (None, 429) => (ErrorClass::Busy, "too many calls were made".to_owned()),
        (None, 404 | 405) => (
            ErrorClass::Fault,
            format!("there is no such call at this host: look at {}", W::BASE_URL),
        ),
        (None, 300..=399) => (
            ErrorClass::Fault,
            format!(
                "the host redirects, which is not followed: look at {}",
                W::BASE_URL
            ),
        ),
        (None, _) => (
            ErrorClass::UnknownOutcome,
            format!("an answer came that is not {}'s", W::NAME),
        ),
    };
    Meaning {
        class,
        say: format!("{say} (HTTP {status})"),
    }
}

/// The venue's words, without anything that could be a key, a secret or a signature: those have no short
/// words.
fn harmless(message: &str) -> String {
    let word = |word: &str| {
        let plain = word.len() <= 14
            && word
                .bytes()
                .all(|b| b.is_ascii_alphabetic() || b".,:;'()-".contains(&b))
            || word.len() <= 6 && word.bytes().all(|b| b.is_ascii_digit());
        if plain { word.to_owned() } else { "…".into() }
    };
    message
        .split_whitespace()
        .take(20)
        .map(word)
        .collect::<Vec<_>>()
        .join(" ")
}
