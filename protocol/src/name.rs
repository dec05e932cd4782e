//! A secret's ARN and name: what they tell of the venue, and how they are shown.

use std::fmt;

use thiserror::Error;

use crate::shown;

/// Which secret: the ARN or the name that the event carried. Debug shows it masked.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretId(String);

impl SecretId {
    /// Takes the `SecretId` of an event.
    ///
    /// # Errors
    /// What is wrong, when it is neither an ARN of Secrets Manager nor a name it could have.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let name = if text.starts_with("arn:") {
            let parts: Vec<&str> = text.splitn(7, ':').collect();
            match parts[..] {
                [_, _, "secretsmanager", _, _, "secret", name] => name,
                _ => return Err("is an ARN, but not that of a secret"),
            }
        } else {
            text
        };
        let fits = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c);
        if name.is_empty() || text.len() > 2048 || !name.chars().all(fits) {
            return Err("is neither the ARN nor the name of a secret");
        }
        Ok(Self(text.to_owned()))
    }

    /// What the event carried, for a call to Secrets Manager.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The Region that an ARN names.
    pub fn region(&self) -> Option<&str> {
        self.0.strip_prefix("arn:")?.split(':').nth(2)
    }

    /// The name in it: without the ARN around it, and without the six characters that Secrets Manager ends an
    /// ARN with.
    pub fn name(&self) -> SecretName {
        let name = match self.0.splitn(7, ':').nth(6) {
            Some(ending) => ending
                .rsplit_once('-')
                .filter(|(_, six)| six.len() == 6)
                .map_or(ending, |(name, _)| name),
            None => &self.0,
        };
        SecretName(name.to_owned())
    }
}

impl fmt::Debug for SecretId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.name(), f)
    }
}

/// A secret's name. Displayed masked: `prod/<exchange>/***`.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretName(String);

impl SecretName {
    /// Takes a name as Secrets Manager gives it.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name itself: for answers to people, never for logs.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where the secret's key belongs: by the document where it says so, else by the name.
    ///
    /// # Errors
    /// What is not known, and what to add.
    pub fn venue(&self, exchange: Option<&str>, environment: Option<&str>) -> Result<VenueId, VenueIdError> {
        let (exchange, environment) = self.place(exchange, environment)?;
        Ok(VenueId {
            exchange: exchange.ok_or(VenueIdError::NoExchange)?,
            environment: environment.ok_or(VenueIdError::NoEnvironment)?,
        })
    }

    /// The same, as far as it is known.
    ///
    /// # Errors
    /// An environment that is none.
    pub fn place(
        &self,
        exchange: Option<&str>,
        environment: Option<&str>,
    ) -> Result<(Option<String>, Option<Environment>), VenueIdError> {
        let parts: Vec<&str> = self.0.split('/').collect();
        let (by_env, by_exchange) = match parts[..] {
            [env @ ("prod" | "staging" | "dev"), exchange, _, ..] => (Some(env), Some(exchange)),
            ["trading-bot", exchange, "credentials"] => (None, Some(exchange)),
            _ => (None, None),
        };
        let environment = environment.or(by_env).map(Environment::parse).transpose()?;
        Ok((exchange.or(by_exchange).map(str::to_lowercase), environment))
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<&str> = self.0.split('/').collect();
        for part in parts.iter().take(parts.len() - 1).take(2) {
            write!(f, "{part}/")?;
        }
        f.write_str("***")
    }
}

impl fmt::Debug for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An exchange in one environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VenueId {
    /// The exchange's name in lower case.
    pub exchange: String,
    /// The environment.
    pub environment: Environment,
}

impl fmt::Display for VenueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.exchange, self.environment)
    }
}

/// Which of an exchange's worlds a key lives in. Keys of one are unknown in every other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Environment {
    /// Real money.
    Mainnet,
    /// The exchange's test network.
    Testnet,
    /// Simulated trading against real prices.
    Demo,
    /// A regional site, by the short name the exchange's module knows it by (`nl`, `eea`, …), or its
    /// test network (`jp-testnet`), or its simulated trading (`eea-demo`).
    Site(String),
}

impl Environment {
    fn parse(word: &str) -> Result<Self, VenueIdError> {
        match word {
            "mainnet" | "prod" | "production" => Ok(Self::Mainnet),
            "testnet" | "staging" | "dev" => Ok(Self::Testnet),
            "demo" => Ok(Self::Demo),
            site if is_site(site) => Ok(Self::Site(site.into())),
            other => Err(VenueIdError::UnknownEnvironment(shown(other))),
        }
    }
}

fn is_site(word: &str) -> bool {
    let site = word.split_once('-').map_or(word, |(site, world)| {
        if ["demo", "testnet"].contains(&world) {
            site
        } else {
            ""
        }
    });
    matches!(site.len(), 2 | 3) && site.bytes().all(|b| b.is_ascii_lowercase())
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mainnet => "mainnet",
            Self::Testnet => "testnet",
            Self::Demo => "demo",
            Self::Site(site) => site,
        })
    }
}

/// Why it is not known where a key belongs.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum VenueIdError {
    /// Neither document nor name says.
    #[error(
        "neither the field `exchange` nor the secret's name (prod/<exchange>/…) says which exchange the \
         key belongs to: add `exchange`"
    )]
    NoExchange,
    /// Neither document nor name says; mainnet is never guessed.
    #[error(
        "neither the field `environment` nor the secret's name (prod/…, staging/…, dev/…) says which \
         environment the key belongs to: add `environment`"
    )]
    NoEnvironment,
    /// Not a word we know.
    #[error(
        "the environment `{0}` is not known: write mainnet, testnet, demo, or a regional site's two or \
         three letters, as in nl, eea-demo or jp-testnet"
    )]
    UnknownEnvironment(String),
}

/// A function's ARN without the version or alias that rotation may be attached to:
/// `arn:aws:lambda:<region>:<account>:function:<name>[:<qualifier>]`.
pub fn unqualified(arn: &str) -> &str {
    arn.match_indices(':').nth(6).map_or(arn, |(end, _)| &arn[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn venue(name: &str, exchange: Option<&str>, environment: Option<&str>) -> Result<String, VenueIdError> {
        SecretName::new(name)
            .venue(exchange, environment)
            .map(|venue| venue.to_string())
    }

    #[test]
    fn a_name_tells_the_venue_where_the_document_does_not() {
        assert_eq!(venue("prod/bybit/main", None, None).unwrap(), "bybit mainnet");
        assert_eq!(venue("staging/bybit/main", None, None).unwrap(), "bybit testnet");
        assert_eq!(venue("dev/bybit/desk/7", None, None).unwrap(), "bybit testnet");
        assert_eq!(
            venue("prod/bybit/main", Some("okx"), Some("demo")).unwrap(),
            "okx demo"
        );
        assert_eq!(
            venue("trading-bot/bybit/credentials", None, Some("testnet")).unwrap(),
            "bybit testnet"
        );
        assert_eq!(venue("anything", Some("bybit"), Some("nl")).unwrap(), "bybit nl");
        assert_eq!(
            venue("anything", Some("bybit"), Some("jp-testnet")).unwrap(),
            "bybit jp-testnet"
        );
    }

    #[test]
    fn mainnet_is_never_guessed() {
        assert_eq!(
            venue("trading-bot/bybit/credentials", None, None),
            Err(VenueIdError::NoEnvironment)
        );
        assert_eq!(
            venue("bybit", Some("bybit"), None),
            Err(VenueIdError::NoEnvironment)
        );
        assert_eq!(
            venue("my-secret", None, Some("mainnet")),
            Err(VenueIdError::NoExchange)
        );
        assert!(matches!(
            venue("prod/bybit/x", None, Some("main")),
            Err(VenueIdError::UnknownEnvironment(_))
        ));
    }

    #[test]
    fn a_name_is_shown_masked() {
        for (name, shown) in [
            ("prod/bybit/main", "prod/bybit/***"),
            ("prod/bybit/desk/seven", "prod/bybit/***"),
            ("team/key", "team/***"),
            ("key", "***"),
        ] {
            assert_eq!(SecretName::new(name).to_string(), shown);
            assert_eq!(format!("{:?}", SecretName::new(name)), shown);
        }
    }

    #[test]
    fn an_arn_gives_its_name_without_the_six_characters() {
        let id =
            SecretId::parse("arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/bybit/main-AbCdEf")
                .unwrap();
        assert_eq!(id.name(), SecretName::new("prod/bybit/main"));
        assert_eq!(
            SecretId::parse("prod/bybit/main").unwrap().name(),
            SecretName::new("prod/bybit/main")
        );
    }

    #[test]
    fn what_could_be_no_secret_is_refused() {
        for bad in [
            "",
            "arn:aws:s3:::bucket",
            "arn:aws:secretsmanager:r:1:secret:",
            "a b",
            "arn:",
            "näme",
        ] {
            assert!(SecretId::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_alias_is_the_same_function() {
        let bare = "arn:aws:lambda:eu-west-1:123456789012:function:rotate";
        assert_eq!(unqualified(&format!("{bare}:live")), bare);
        assert_eq!(unqualified(bare), bare);
        assert_ne!(unqualified(&format!("{bare}-2")), bare);
        assert_eq!(unqualified("function-arn"), "function-arn");
    }
}
