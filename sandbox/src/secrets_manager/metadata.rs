//! `DescribeSecret`, `TagResource`, `UntagResource`.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::journal::{Operation, detail};
use super::reply::{Description, SecretSummary};
use super::request::{DescribeSecret, Tag, TagResource, UntagResource};
use super::secret::Secret;
use super::{Error, Model};

/// The quota: "Tags attached to a secret: 50".
pub(super) const MOST_TAGS: usize = 50;

impl Model {
    /// `DescribeSecret`. It answers for a secret that is marked for deletion too, with its `DeletedDate`.
    pub fn describe_secret(
        &mut self,
        request: &DescribeSecret,
        now: Timestamp,
    ) -> Result<Description, Error> {
        self.logged(
            Operation::DescribeSecret,
            &request.secret_id,
            String::new,
            now,
            |model| {
                let secret = model.secrets.must_be(&request.secret_id)?;
                let mut summary = summary(secret, &model.place.region);
                // Here "the date the secret is scheduled for deletion", in ListSecrets when it was asked for.
                summary.deleted_date = secret.deletion.map(|(_, due)| due);
                // "If the secret isn't configured for rotation or rotation has been disabled, Secrets Manager
                // returns null."
                summary.last_rotated_date = summary
                    .last_rotated_date
                    .filter(|_| secret.rotation_enabled == Some(true));
                Ok(Description {
                    summary,
                    version_ids_to_stages: secret.versions_to_stages(),
                    replication_status: secret.replicas.clone(),
                })
            },
        )
    }

    /// `TagResource`: adds tags, or gives those that are there a new value.
    pub fn tag_resource(&mut self, request: &TagResource, now: Timestamp) -> Result<(), Error> {
        self.logged(
            Operation::TagResource,
            &request.secret_id,
            String::new,
            now,
            |model| {
                let added = check_tags(&request.tags)?;
                let secret = model.secrets.live_mut(&request.secret_id)?;
                let mut tags = secret.tags.clone();
                tags.extend(added);
                if tags.len() > MOST_TAGS {
                    return Err(Error::parameter(format!(
                        "A secret can't have more than {MOST_TAGS} tags."
                    )));
                }
                secret.tags = tags;
                secret.last_changed = now;
                Ok(())
            },
        )
    }

    /// `UntagResource`: "If a requested tag is not attached to the secret, no error is returned and the
    /// secret metadata is unchanged."
    pub fn untag_resource(&mut self, request: &UntagResource, now: Timestamp) -> Result<(), Error> {
        let keys = request.tag_keys.join(",");
        let detail = detail(&[("TagKeys", Some(&keys))]);
        self.logged(
            Operation::UntagResource,
            &request.secret_id,
            || detail,
            now,
            |model| {
                let secret = model.secrets.live_mut(&request.secret_id)?;
                for key in &request.tag_keys {
                    if secret.tags.remove(key).is_some() {
                        secret.last_changed = now;
                    }
                }
                Ok(())
            },
        )
    }
}

/// A secret as `ListSecrets` shows it, without its versions and their labels.
pub(super) fn summary(secret: &Secret, region: &str) -> SecretSummary {
    let rotates = secret.rotation_enabled == Some(true);
    SecretSummary {
        arn: secret.arn.clone(),
        name: secret.name.clone(),
        description: secret.description.clone(),
        kms_key_id: secret.kms_key_id.clone(),
        rotation_enabled: secret.rotation_enabled,
        rotation_lambda_arn: secret.rotation_lambda_arn.clone(),
        rotation_rules: secret.rotation_rules.clone(),
        last_rotated_date: secret.last_rotated,
        last_changed_date: secret.last_changed,
        last_accessed_date: secret.last_accessed,
        deleted_date: secret.deletion.map(|(asked, _)| asked),
        next_rotation_date: secret
            .rotation_rules
            .as_ref()
            .filter(|_| rotates)
            .and_then(|rules| rules.window_closes(secret.scheduled_from)),
        tags: secret
            .tags
            .iter()
            .map(|(key, value)| Tag {
                key: key.clone(),
                value: value.clone(),
            })
            .collect(),
        secret_versions_to_stages: BTreeMap::new(),
        created_date: secret.created,
        primary_region: (!secret.replicas.is_empty()).then(|| region.to_owned()),
    }
}

/// "Maximum key length: 128, maximum value length: 256", and AWS's own prefix is reserved.
pub(super) fn check_tags(tags: &[Tag]) -> Result<BTreeMap<String, String>, Error> {
    for Tag { key, value } in tags {
        let key_length = key.chars().count();
        if !(1..=128).contains(&key_length)
            || value.chars().count() > 256
            || key.to_lowercase().starts_with("aws:")
        {
            return Err(Error::parameter("A tag's key or value isn't valid."));
        }
    }
    Ok(tags
        .iter()
        .map(|tag| (tag.key.clone(), tag.value.clone()))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{FIRST, T0, hours, model_with, relabel, token};
    use super::super::{Replica, ReplicaStatus};
    use super::*;

    fn describe(model: &mut Model) -> Description {
        model
            .describe_secret(
                &DescribeSecret {
                    secret_id: "a".into(),
                },
                T0,
            )
            .unwrap()
    }

    fn tag(key: &str, value: &str) -> Tag {
        Tag {
            key: key.into(),
            value: value.into(),
        }
    }

    #[test]
    fn only_labelled_versions_are_described() {
        let (mut model, _) = model_with("a");
        model.put(2, "second", &["X"]);
        model
            .update_secret_version_stage(&relabel("X", Some(&token(2)), None), T0)
            .unwrap();
        let stages = describe(&mut model).version_ids_to_stages;
        assert_eq!(
            stages,
            BTreeMap::from([(FIRST.to_owned(), vec!["AWSCURRENT".to_owned()])])
        );
    }

    #[test]
    fn dates_are_sent_as_epoch_seconds_and_absent_members_are_left_out() {
        let (mut model, arn) = model_with("a");
        let json = serde_json::to_value(describe(&mut model)).unwrap();
        assert_eq!(json["CreatedDate"], serde_json::json!(1_767_225_600.0));
        assert_eq!(json["ARN"], serde_json::json!(arn));
        assert_eq!(json["RotationEnabled"], serde_json::json!(true));
        let members: Vec<&String> = json.as_object().unwrap().keys().collect();
        assert!(
            !members
                .iter()
                .any(|name| ["RotationLambdaARN", "LastRotatedDate", "Tags"].contains(&name.as_str()))
        );
    }

    #[test]
    fn a_secret_that_never_had_rotation_says_nothing_about_it() {
        let (mut model, _) = model_with("a");
        model
            .seed(
                super::super::Seed {
                    name: "b".into(),
                    ..Default::default()
                },
                T0,
            )
            .unwrap();
        let described = model
            .describe_secret(
                &DescribeSecret {
                    secret_id: "b".into(),
                },
                T0,
            )
            .unwrap();
        assert_eq!(described.summary.rotation_enabled, None);
    }

    #[test]
    fn the_state_of_replicas_is_shown() {
        let (mut model, _) = model_with("a");
        let replica = Replica {
            region: "eu-west-1".into(),
            status: ReplicaStatus::InProgress,
            status_message: None,
        };
        model.set_replicas("a", vec![replica.clone()]).unwrap();
        let described = describe(&mut model);
        assert_eq!(described.replication_status, [replica]);
        assert_eq!(described.summary.primary_region.as_deref(), Some("us-east-1"));
    }

    #[test]
    fn tags_are_set_replaced_and_removed() {
        let (mut model, _) = model_with("a");
        let later = T0 + hours(1);
        let request = |tags| TagResource {
            secret_id: "a".into(),
            tags,
        };
        model
            .tag_resource(&request(vec![tag("team", "x"), tag("env", "prod")]), T0)
            .unwrap();
        model
            .tag_resource(&request(vec![tag("team", "y")]), later)
            .unwrap();
        assert_eq!(
            describe(&mut model).summary.tags,
            [tag("env", "prod"), tag("team", "y")]
        );
        assert_eq!(describe(&mut model).summary.last_changed_date, later);
        let untag = UntagResource {
            secret_id: "a".into(),
            tag_keys: vec!["team".into(), "none".into()],
        };
        model.untag_resource(&untag, later).unwrap();
        assert_eq!(describe(&mut model).summary.tags, [tag("env", "prod")]);
        assert!(model.tag_resource(&request(vec![tag("aws:x", "y")]), T0).is_err());
    }
}
