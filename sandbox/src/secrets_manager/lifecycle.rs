//! `DeleteSecret` with its recovery window, and `RestoreSecret`.

use jiff::{SignedDuration, Timestamp};

use super::journal::{Operation, detail};
use super::reply::{Deletion, SecretRef};
use super::request::{DeleteSecret, RestoreSecret};
use super::values::reference;
use super::{Error, ErrorKind, Model};

impl Model {
    /// `DeleteSecret`: marks the secret, and takes it away once the window is over or at once where that is
    /// forced.
    pub fn delete_secret(&mut self, request: &DeleteSecret, now: Timestamp) -> Result<Deletion, Error> {
        let days = request.recovery_window_in_days.map(|days| days.to_string());
        let force = request.force_delete_without_recovery.to_string();
        let detail = detail(&[("RecoveryWindowInDays", days.as_deref()), ("Force", Some(&force))]);
        self.logged(
            Operation::DeleteSecret,
            &request.secret_id,
            || detail,
            now,
            |model| model.delete(request, now),
        )
    }

    /// `RestoreSecret`: takes the mark off again. On a secret without one it changes nothing (unverified).
    pub fn restore_secret(&mut self, request: &RestoreSecret, now: Timestamp) -> Result<SecretRef, Error> {
        self.logged(
            Operation::RestoreSecret,
            &request.secret_id,
            String::new,
            now,
            |model| {
                let secret = model.secrets.find_mut(&request.secret_id)?;
                if secret.deletion.take().is_some() {
                    secret.last_changed = now;
                }
                Ok(reference(secret, None))
            },
        )
    }

    fn delete(&mut self, request: &DeleteSecret, now: Timestamp) -> Result<Deletion, Error> {
        let force = request.force_delete_without_recovery;
        let days = match (request.recovery_window_in_days, force) {
            (Some(_), true) => {
                return Err(Error::parameter(
                    "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
                ));
            }
            (Some(days), false) if !(7..=30).contains(&days) => {
                return Err(Error::parameter(
                    "RecoveryWindowInDays value must be between 7 and 30 days (inclusive).",
                ));
            }
            (days, force) => days.unwrap_or(if force { 0 } else { 30 }),
        };
        let due = now + SignedDuration::from_hours(24 * days);
        let secret = match self.secrets.find_mut(&request.secret_id) {
            Ok(secret) => secret,
            // "If you forcibly delete an already deleted or nonexistent secret, the operation does not return
            // ResourceNotFoundException."
            Err(error) if force && error.kind == ErrorKind::ResourceNotFound => {
                let arn = self.new_arn(&request.secret_id, None);
                return Ok(Deletion {
                    arn,
                    name: request.secret_id.clone(),
                    deletion_date: due,
                });
            }
            Err(error) => return Err(error),
        };
        if !secret.replicas.is_empty() {
            // "You can't delete a primary secret that is replicated to other Regions."
            return Err(Error::request(format!(
                "You can't delete secret {} that still has replica regions.",
                secret.name
            )));
        }
        if secret.deletion.is_some() && !force {
            return Err(Error::deleted());
        }
        let reply = Deletion {
            arn: secret.arn.clone(),
            name: secret.name.clone(),
            deletion_date: due,
        };
        secret.deletion = Some((now, due));
        secret.rotation = None;
        secret.last_changed = now;
        self.secrets.purge(now);
        Ok(reply)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{FIRST, T0, hours, model_with, put, relabel};
    use super::super::{
        CancelRotateSecret, CreateSecret, DescribeSecret, GetSecretValue, ListSecrets, RotateSecret,
        TagResource, UpdateSecret,
    };
    use super::*;

    fn request() -> DeleteSecret {
        DeleteSecret {
            secret_id: "a".into(),
            ..DeleteSecret::default()
        }
    }

    fn id() -> String {
        "a".into()
    }

    #[test]
    fn calls_on_a_deleted_secret_are_refused_until_it_is_restored() {
        let (mut model, _) = model_with("a");
        let deletion = model.delete_secret(&request(), T0).unwrap();
        assert_eq!(deletion.deletion_date, T0 + hours(30 * 24));
        let read = GetSecretValue {
            secret_id: id(),
            ..GetSecretValue::default()
        };
        let refusals = [
            model.secret_value(&read, T0).unwrap_err(),
            model.put_secret_value(&put("a", 2, "v", &["X"]), T0).unwrap_err(),
            model
                .update_secret(
                    &UpdateSecret {
                        secret_id: id(),
                        ..UpdateSecret::default()
                    },
                    T0,
                )
                .unwrap_err(),
            model
                .update_secret_version_stage(&relabel("X", None, Some(FIRST)), T0)
                .unwrap_err(),
            model
                .tag_resource(
                    &TagResource {
                        secret_id: id(),
                        tags: Vec::new(),
                    },
                    T0,
                )
                .unwrap_err(),
            model
                .rotate_secret(
                    &RotateSecret {
                        secret_id: id(),
                        ..RotateSecret::default()
                    },
                    T0,
                )
                .unwrap_err(),
            model
                .cancel_rotate_secret(&CancelRotateSecret { secret_id: id() }, T0)
                .unwrap_err(),
            model.delete_secret(&request(), T0).unwrap_err(),
            model
                .create_secret(
                    &CreateSecret {
                        name: id(),
                        ..CreateSecret::default()
                    },
                    T0,
                )
                .unwrap_err(),
        ];
        for refusal in refusals {
            assert_eq!(refusal.kind, ErrorKind::InvalidRequest, "{refusal}");
        }
        let described = model
            .describe_secret(&DescribeSecret { secret_id: id() }, T0)
            .unwrap();
        assert_eq!(described.summary.deleted_date, Some(T0 + hours(30 * 24)));
        assert!(
            model
                .list_secrets(&ListSecrets::default(), T0)
                .unwrap()
                .secret_list
                .is_empty()
        );

        model
            .restore_secret(&RestoreSecret { secret_id: id() }, T0)
            .unwrap();
        assert!(model.secret_value(&read, T0).is_ok());
    }

    #[test]
    fn the_secret_is_gone_once_the_window_is_over() {
        let (mut model, _) = model_with("a");
        model
            .delete_secret(
                &DeleteSecret {
                    recovery_window_in_days: Some(7),
                    ..request()
                },
                T0,
            )
            .unwrap();
        let restore = RestoreSecret { secret_id: id() };
        let error = model.restore_secret(&restore, T0 + hours(7 * 24)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::ResourceNotFound);
    }

    #[test]
    fn a_forced_deletion_is_at_once_and_never_misses() {
        let (mut model, _) = model_with("a");
        let forced = DeleteSecret {
            force_delete_without_recovery: true,
            ..request()
        };
        model.delete_secret(&forced, T0).unwrap();
        assert!(model.secret("a").is_none());
        assert!(model.delete_secret(&forced, T0).is_ok());
        assert_eq!(
            model.delete_secret(&request(), T0).unwrap_err().kind,
            ErrorKind::ResourceNotFound
        );
    }

    #[test]
    fn the_window_is_seven_to_thirty_days() {
        let (mut model, _) = model_with("a");
        for days in [6, 31] {
            let request = DeleteSecret {
                recovery_window_in_days: Some(days),
                ..request()
            };
            assert_eq!(
                model.delete_secret(&request, T0).unwrap_err().kind,
                ErrorKind::InvalidParameter
            );
        }
        let both = DeleteSecret {
            recovery_window_in_days: Some(7),
            force_delete_without_recovery: true,
            ..request()
        };
        assert_eq!(
            model.delete_secret(&both, T0).unwrap_err().kind,
            ErrorKind::InvalidParameter
        );
    }
}
