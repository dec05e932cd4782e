//! What a person sees of a rotation: each step with its calls, then which version, label and key is where.
//! Secrets are masked.

use std::fmt::{self, Write as _};

use protocol::name::SecretName;
use protocol::secret::KeyId;
use serde_json::Value;

use crate::local::Local;
use crate::scheduler::StepReport;
use crate::secrets_manager::{Outcome, Secret};
use crate::venue::{KeyTruth, Uid};

/// A secret's name as it is shown.
pub fn masked(name: &str) -> String {
    SecretName::new(name).to_string()
}

/// A key id as it is shown.
pub fn fingerprint(key: &str) -> String {
    KeyId::parse(key).map_or_else(
        |problem| format!("a key id that {problem}"),
        |key| key.fingerprint(),
    )
}

impl fmt::Display for StepReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = match &self.outcome {
            Ok(answer) => answer["outcome"].as_str().unwrap_or("done").replace('_', " "),
            Err(failed) => format!("FAILED {failed}"),
        };
        writeln!(
            f,
            "{:<13} {:>7.1} ms   {outcome}",
            self.invocation.step.as_str(),
            self.took.as_secs_f64() * 1000.0
        )?;
        for call in &self.store_calls {
            let whose = if call.secret == self.stand_in.master_secret {
                " of the master credential"
            } else {
                ""
            };
            let refused = match call.outcome {
                Outcome::Done => String::new(),
                Outcome::Refused(kind) => format!("  ({})", kind.as_str()),
            };
            writeln!(f, "    Secrets Manager  {}{whose}{refused}", call.operation)?;
        }
        for call in &self.venue_calls {
            let refused = call
                .code
                .filter(|code| *code != 0)
                .map_or_else(String::new, |code| format!("  ({} {code})", self.stand_in.code));
            let (venue, method, path) = (self.stand_in.title, &call.method, &call.path);
            writeln!(f, "    {venue:<15}  {method} {path}{refused}")?;
        }
        Ok(())
    }
}

/// The versions of a secret with their labels, and the keys they name.
pub fn versions(local: &Local, name: &str) -> String {
    let now = local.clock.now();
    let (store, venue) = (local.secrets_manager.lock(), local.venue.lock());
    let Some(secret) = store.model.secret(name) else {
        return format!("no secret {}\n", masked(name));
    };
    let mut rows = vec![["VERSION", "LABELS", "KEY", "AT THE VENUE"].map(str::to_owned)];
    let mut versions: Vec<_> = secret.versions().iter().collect();
    versions.sort_by_key(|(_, version)| version.created());
    for (id, _) in versions {
        let key = key_of(secret, id);
        let alive = match &key {
            Some(key) => state(
                venue.model.keys().iter().find(|truth| truth.key.as_str() == key),
                now,
            ),
            None => "no value".into(),
        };
        rows.push([
            id.chars().take(8).collect(),
            secret.stages_of(id).join(" "),
            key.map_or_else(String::new, |key| fingerprint(&key)),
            alive,
        ]);
    }
    table(&rows)
}

/// The keys of an account at the venue.
pub fn keys(local: &Local, uid: Uid) -> String {
    let now = local.clock.now();
    let venue = local.venue.lock();
    let mut rows = vec![["KEY", "NOTE", "PERMISSIONS", "ADDRESSES", "STATE"].map(str::to_owned)];
    for truth in venue.model.keys().iter().filter(|truth| truth.uid == uid) {
        rows.push([
            fingerprint(truth.key.as_str()),
            truth.settings.note.clone(),
            groups(truth),
            truth.settings.ips.shown().join(","),
            state(Some(truth), now),
        ]);
    }
    table(&rows)
}

fn groups(truth: &KeyTruth) -> String {
    let granted = truth.settings.permissions.groups();
    granted
        .map(|(group, values)| {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            format!("{group}:{}", values.join("+"))
        })
        .collect::<Vec<_>>()
        .join(" ")
}

fn state(truth: Option<&KeyTruth>, now: jiff::Timestamp) -> String {
    match truth {
        Some(truth) if truth.alive(now) => "alive".into(),
        Some(KeyTruth { deleted: Some(_), .. }) => "deleted".into(),
        Some(_) => "expired".into(),
        None => "unknown".into(),
    }
}

fn key_of(secret: &Secret, version: &str) -> Option<String> {
    let text = secret.versions().get(version)?.value()?.text()?;
    let value: Value = serde_json::from_str(text).ok()?;
    value["api_key"].as_str().map(str::to_owned)
}

fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let mut text = String::new();
    for row in rows {
        let cells = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("   ");
        // A String takes all that is written to it.
        let _ = writeln!(text, "  {}", line.trim_end());
    }
    text
}
