//! What a secret's tags say to people and to cost reports.

use std::collections::BTreeMap;

use crate::bounds::LAST_MOMENT;
use crate::operations::maintain::current::Current;
use crate::operations::maintain::current::overwritten::LAST_ROTATED;
use crate::operations::maintain::visit::SecretVisit;
use crate::operations::retire::end_of_life::is_ours;
use crate::ports::Description;

const ROTATION_ENABLED: &str = "RotationEnabled";

impl SecretVisit<'_> {
    /// Tags say to people and to cost reports what the labels say to programs. Never a reason to fail.
    pub(crate) async fn tag(&mut self, description: &Description, current: &Current) {
        let ours = is_ours(&current.value, &current.version);
        let rotated = current.value.created_at.filter(|_| ours).map(|at| at.to_string());
        let named: Vec<&str> = description.name.as_str().split('/').collect();
        let (environment, service) = match named[..] {
            [environment @ ("prod" | "staging" | "dev"), service, _, ..] => {
                (Some(environment.to_owned()), Some(service.to_owned()))
            }
            ["trading-bot", _, "credentials"] => (None, Some("trading-bot".to_owned())),
            _ => (None, None),
        };
        let missing = |tag: &str| !description.tags.contains_key(tag);
        let enabled = description.rotation_enabled.to_string();
        let wanted = [
            (LAST_ROTATED, rotated),
            (
                ROTATION_ENABLED,
                Some(enabled).filter(|_| ours || !missing(ROTATION_ENABLED)),
            ),
            (
                "Environment",
                environment.filter(|_| ours && missing("Environment")),
            ),
            ("Service", service.filter(|_| ours && missing("Service"))),
        ];
        let tags: BTreeMap<String, String> = wanted
            .into_iter()
            .filter_map(|(tag, value)| Some((tag.to_owned(), value?)))
            .filter(|(tag, value)| description.tags.get(tag) != Some(value))
            .collect();
        if tags.is_empty() || self.pass.is_dry_run() || self.session.must_have_left(LAST_MOMENT).is_err() {
            return;
        }
        match self.pass.fleet.tag(self.session.secret, &tags).await {
            Ok(()) => self.count("tagged"),
            Err(error) => tracing::warn!(%error, "the secret could not be tagged"),
        }
    }
}
