//! Every secret of a world, and the search for each in all that was said.

use std::collections::BTreeSet;

use sandbox::leak::found;
use sandbox::venue::Passphrase;
use serde_json::Value;

use super::World;

/// Short words of a value that a test made up are no secrets to search for.
const SHORTEST_SECRET: usize = 8;

impl World {
    /// Everything that any process has written, answered or reported.
    pub(crate) fn said(&self) -> String {
        let processes = self.processes.lock().unwrap();
        let said: Vec<String> = processes
            .iter()
            .flat_map(|process| [process.output(), process.reports()].concat())
            .collect();
        said.join("\n")
    }

    /// Every secret that ever was here, and every key id: those are no secrets, yet are shown as their
    /// fingerprints alone.
    pub(crate) fn secrets(&self) -> BTreeSet<String> {
        let mut secrets = self.rotation_tokens.lock().unwrap().clone();
        let environment = self.local.environment();
        secrets.extend(
            environment
                .variables()
                .iter()
                .filter(|(name, _)| name == "AWS_SECRET_ACCESS_KEY")
                .map(|(_, key)| key.clone()),
        );
        {
            let venue = &self.local.venue.lock().model;
            let credentials = venue
                .keys()
                .into_iter()
                .filter_map(|key| venue.credential(&key.key));
            secrets.extend(credentials.flat_map(|credential| {
                let passphrase = credential.passphrase.as_ref().map(Passphrase::expose);
                [
                    Some(credential.key.as_str()),
                    Some(credential.secret.expose()),
                    passphrase,
                ]
                .into_iter()
                .flatten()
                .map(str::to_owned)
                .collect::<Vec<String>>()
            }));
        }
        let store = &self.local.secrets_manager.lock().model;
        for version in store.secrets().flat_map(|secret| secret.versions().values()) {
            let value: Value = version
                .value()
                .and_then(|value| serde_json::from_str(value.text()?).ok())
                .unwrap_or_default();
            let fields = ["api_key", "api_secret", "secret", "passphrase"]
                .map(|field| value[field].as_str().unwrap_or_default().to_owned());
            secrets.extend(fields.into_iter().filter(|field| field.len() >= SHORTEST_SECRET));
        }
        secrets
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let secrets = self.secrets();
            assert_eq!(
                found(secrets.iter().map(String::as_str), &self.said()),
                Vec::<String>::new(),
                "a secret was said"
            );
        }
    }
}
