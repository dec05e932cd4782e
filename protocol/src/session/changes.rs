//! What an invocation has changed, noted where every effect is recorded: an answer tells all of it, whatever
//! came after.

use std::sync::{Mutex, PoisonError};

use super::About;
use crate::audit::{Action, Outcome};
use crate::label::VersionId;
use crate::name::SecretId;
use crate::ports::ErrorClass;

/// The changes that the runs of one invocation made or may have made, in order.
#[derive(Debug, Default)]
pub(crate) struct Changes(Mutex<Vec<Change>>);

#[derive(Debug)]
struct Change {
    secret: String,
    /// In words: it is the same change where these are the same.
    what: String,
    /// Whether an answer or a look says that it was made.
    is_certain: bool,
}

impl Changes {
    /// Notes what came of one attempt. A refusal is no proof that nothing was done: a request that went out
    /// twice is refused the second time.
    pub(super) fn note(
        &self,
        secret: &SecretId,
        action: Action,
        version: &VersionId,
        about: &About<'_>,
        class: Option<ErrorClass>,
    ) {
        let may_be_made = match class {
            None => true,
            Some(ErrorClass::Refused | ErrorClass::Impossible | ErrorClass::NoteTaken | ErrorClass::Gone) => {
                !about.is_definite
            }
            Some(class) => Outcome::from(class) == Outcome::Unknown,
        };
        let Some(what) = in_words(action, version, about).filter(|_| may_be_made) else {
            return;
        };
        let mut changes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = changes
            .iter_mut()
            .rev()
            .find(|known| known.secret == secret.as_str() && known.what == what);
        match known {
            Some(known) => known.is_certain |= class.is_none(),
            None => changes.push(Change {
                secret: secret.as_str().to_owned(),
                what,
                is_certain: class.is_none(),
            }),
        }
    }

    /// What was changed of one secret.
    pub(super) fn of(&self, secret: &SecretId) -> Vec<String> {
        let changes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_it = changes.iter().filter(|change| change.secret == secret.as_str());
        of_it
            .map(|Change { what, is_certain, .. }| match is_certain {
                true => what.clone(),
                false => format!("perhaps {what}: no answer says so"),
            })
            .collect()
    }
}

/// What an action changes; nothing where it only looks.
fn in_words(action: Action, version: &VersionId, about: &About<'_>) -> Option<String> {
    let key = || about.key.map(ToString::to_string).unwrap_or_default();
    let label = || about.label.map(ToString::to_string).unwrap_or_default();
    Some(match action {
        Action::ProveDead => return None,
        Action::IssueKey => format!("issued a key for version {version}"),
        Action::EditKey => format!("edited {}", key()),
        Action::RevokeKey => format!("revoked {}", key()),
        Action::PutValue => format!("stored version {version}"),
        Action::MoveCurrent => format!("made version {version} current"),
        Action::AddLabel => {
            let from = about
                .from
                .map_or_else(String::new, |from| format!(", which was on version {from}"));
            format!("labelled version {version} {}{from}", label())
        }
        Action::RemoveLabel => format!("took {} off version {version}", label()),
        Action::StartRotation => format!("began a rotation, version {version}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::Label;

    fn noted(classes: &[Option<ErrorClass>]) -> Vec<String> {
        noted_as(classes, About::default())
    }

    fn noted_as(classes: &[Option<ErrorClass>], about: About<'_>) -> Vec<String> {
        let (changes, secret) = (Changes::default(), SecretId::parse("prod/bybit/main").unwrap());
        let (version, label) = (VersionId::new("v"), Label::compromised());
        let about = About {
            label: Some(&label),
            ..about
        };
        for class in classes {
            changes.note(&secret, Action::AddLabel, &version, &about, *class);
        }
        assert!(
            changes
                .of(&SecretId::parse("prod/bybit/other").unwrap())
                .is_empty()
        );
        changes.of(&secret)
    }

    #[test]
    fn a_change_is_told_once_and_as_surely_as_it_is_known() {
        assert_eq!(
            noted(&[Some(ErrorClass::UnknownOutcome), None]),
            ["labelled version v COMPROMISED"]
        );
        let perhaps = ["perhaps labelled version v COMPROMISED: no answer says so"];
        assert_eq!(
            noted(&[Some(ErrorClass::UnknownOutcome), Some(ErrorClass::Denied)]),
            perhaps
        );
        assert_eq!(
            noted(&[Some(ErrorClass::Refused)]),
            perhaps,
            "a front end may have tried twice"
        );
    }

    #[test]
    fn where_a_label_was_before_is_told() {
        let before = VersionId::new("before");
        let about = About {
            from: Some(&before),
            ..About::default()
        };
        assert_eq!(
            noted_as(&[None], about),
            ["labelled version v COMPROMISED, which was on version before"]
        );
    }

    #[test]
    fn what_was_certainly_not_done_is_not_told() {
        for class in [
            ErrorClass::Denied,
            ErrorClass::Busy,
            ErrorClass::Clock,
            ErrorClass::Fault,
        ] {
            assert!(noted(&[Some(class)]).is_empty(), "{class:?}");
        }
        let full = About {
            is_definite: true,
            ..About::default()
        };
        assert!(noted_as(&[Some(ErrorClass::Refused)], full).is_empty());
    }
}
