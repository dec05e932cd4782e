//! What the tests of the model share.

use jiff::{SignedDuration, Timestamp};

use super::{
    GetSecretValue, Knobs, Model, PutSecretValue, RotationSeed, SecretValue, Seed, Sensitive, StagedRef,
    UpdateSecretVersionStage,
};

/// When every test begins; a midnight.
pub(super) const T0: Timestamp = Timestamp::constant(1_767_225_600, 0);
/// The version that [`model_with`] makes current.
pub(super) const FIRST: &str = "00000000-0000-4000-8000-000000000001";

/// A model with one secret of this name, "first-value" as its current value in version [`FIRST`], rotation
/// on.
pub(super) fn model_with(name: &str) -> (Model, String) {
    model_with_knobs(name, Knobs::default())
}

pub(super) fn model_with_knobs(name: &str, knobs: Knobs) -> (Model, String) {
    let mut model = Model::new(1, knobs);
    let seed = Seed {
        name: name.to_owned(),
        value: Some(SecretValue::Text("first-value".into())),
        version_id: Some(FIRST.to_owned()),
        rotation: Some(RotationSeed::default()),
        ..Seed::default()
    };
    let arn = model.seed(seed, T0).unwrap();
    (model, arn)
}

pub(super) fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count)
}

/// A version id.
pub(super) fn token(number: u32) -> String {
    format!("10000000-0000-4000-8000-{number:012}")
}

pub(super) fn put(secret_id: &str, number: u32, value: &str, stages: &[&str]) -> PutSecretValue {
    PutSecretValue {
        secret_id: secret_id.to_owned(),
        client_request_token: Some(token(number)),
        secret_string: Some(Sensitive::new(value)),
        version_stages: (!stages.is_empty()).then(|| stages.iter().map(|&stage| stage.to_owned()).collect()),
        ..PutSecretValue::default()
    }
}

impl Model {
    pub(super) fn put(&mut self, number: u32, value: &str, stages: &[&str]) -> StagedRef {
        self.put_secret_value(&put("a", number, value, stages), T0)
            .unwrap()
    }

    /// What consumers read under this label of secret `a`.
    pub(super) fn read(&mut self, stage: &str) -> Option<String> {
        let request = GetSecretValue {
            secret_id: "a".to_owned(),
            version_stage: Some(stage.to_owned()),
            ..GetSecretValue::default()
        };
        let value = self.secret_value(&request, T0).ok()?;
        value.secret_string.map(|text| text.expose().to_owned())
    }
}

/// Moves a label of secret `a`.
pub(super) fn relabel(stage: &str, from: Option<&str>, to: Option<&str>) -> UpdateSecretVersionStage {
    UpdateSecretVersionStage {
        secret_id: "a".to_owned(),
        version_stage: stage.to_owned(),
        remove_from_version_id: from.map(str::to_owned),
        move_to_version_id: to.map(str::to_owned),
    }
}
