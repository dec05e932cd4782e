//! How a world begins.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use protocol::operations;
use protocol::secret::Address;

use super::kind::{PLAIN, Power, VenueKind};
use crate::function::LAMBDA_ARN;
use crate::secrets_manager;
use crate::venue::{self, Ips, Passphrase, Permissions, Settings, Uid};

/// The parent account.
pub const PARENT: Uid = 24_617_703;
/// The name of the secret that holds the master credential.
pub const MASTER: &str = "masters/bybit/parent";
/// The sub-account that the secret's key belongs to.
pub const SUB: Uid = 53_888_000;
/// Another sub-account of the same parent.
pub const OTHER_SUB: Uid = 53_888_001;
/// Where the function's calls come from.
pub const FUNCTION_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(52, 1, 2, 3));
/// Where the consumers' calls come from.
pub const BOT_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));
/// Where nobody's calls come from that are meant to come.
pub const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 9));
/// A little more than the time after which a key that was not stored will never be.
pub const SETTLED: SignedDuration = SignedDuration::from_secs(17 * 60 + 1);
/// The function.
pub const FUNCTION_ARN: &str = LAMBDA_ARN;

/// A world's beginning: a key made by hand on a sub-account, a master key of the parent, a secret for each,
/// rotation switched on for the first. The documents may name what only the world knows: `<key>`, `<secret>`,
/// `<account>`, `<master>` (the ARN of the master's secret); and what the kind of venue decides:
/// `<credential>` (the fields of a credential), `<words>` (what the usual policy asks for), `<all-words>`.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Decides everything that would be chance.
    pub seed: u64,
    /// When it begins.
    pub now: Timestamp,
    /// The secret's name.
    pub name: String,
    /// The secret's value.
    pub document: String,
    /// The key in it.
    pub key: Settings,
    /// The value of the master's secret; `None` for no such secret.
    pub master_document: Option<String>,
    /// The key in it.
    pub master_key: Settings,
    /// The function's `EGRESS_IPS`.
    pub egress: BTreeSet<Address>,
    /// The function's `GRACE_HOURS`.
    pub grace: Duration,
    /// The function's `KMS_KEY_ARN`.
    pub kms_key: Option<String>,
    /// Whether the secret's account is a demo account.
    pub demo: bool,
    /// What kind of venue it is.
    pub kind: &'static VenueKind,
    /// What is not known about it. Rate limits are off, since time stands still between calls.
    pub venue: venue::Knobs,
    /// What is not known about Secrets Manager.
    pub secrets_manager: secrets_manager::Knobs,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            seed: 7,
            // 2026-03-01T12:00:00Z
            now: Timestamp::constant(1_772_366_400, 0),
            name: "prod/bybit/main".to_owned(),
            document: concat!(
                r#"{"exchange":"bybit","environment":"mainnet","desk":"seven","#,
                r#"<credential>,"#,
                r#""subaccount":"<account>","masterarn":"<master>","created_by":"ops","leverage":1.50,"#,
                r#""policy":{"permissions":[<words>],"ip_allowlist":["203.0.113.7"]}}"#
            )
            .to_owned(),
            key: Settings {
                note: "made by hand".to_owned(),
                read_only: false,
                ips: Ips::only([BOT_ADDRESS, FUNCTION_ADDRESS]),
                permissions: Permissions::of(&[
                    ("ContractTrade", &["Order", "Position"]),
                    ("Spot", &["SpotTrade"]),
                    ("Derivatives", &["DerivativesTrade"]),
                ]),
            },
            master_document: Some(
                concat!(
                    r#"{"exchange":"bybit","environment":"mainnet","#,
                    r#"<credential>,"#,
                    r#""serves":{"*":{"accounts":"*","ip_allowlist":"any","#,
                    r#""permissions":[<all-words>]}}}"#
                )
                .to_owned(),
            ),
            master_key: Settings {
                note: "master".to_owned(),
                read_only: false,
                ips: Ips::only([FUNCTION_ADDRESS]),
                permissions: Permissions::of(&[("Wallet", &["AccountTransfer", "SubMemberTransfer"])]),
            },
            egress: FUNCTION_ADDRESS.to_string().parse().into_iter().collect(),
            grace: operations::OperationSettings::GRACE,
            kms_key: None,
            demo: false,
            kind: &PLAIN,
            venue: venue::Knobs {
                rate_limits: false,
                ..venue::Knobs::default()
            },
            secrets_manager: secrets_manager::Knobs::default(),
        }
    }
}

impl Setup {
    /// The usual beginning at a kind of venue.
    pub fn at(kind: &'static VenueKind) -> Self {
        let usual = Self::default();
        let master = kind.profile.master_grants;
        Self {
            key: if kind.name == PLAIN.name {
                usual.key
            } else {
                Settings {
                    permissions: Permissions::of(kind.usual),
                    ..usual.key
                }
            },
            master_key: Settings {
                permissions: Permissions::of(master),
                ..usual.master_key
            },
            kind,
            ..usual
        }
    }
}

/// A key as a person makes one: with these powers, for the consumers' and the function's address.
pub fn settings_by_hand(powers: &[Power<'_>]) -> Settings {
    Settings {
        note: "by hand".to_owned(),
        read_only: false,
        ips: Ips::only([BOT_ADDRESS, FUNCTION_ADDRESS]),
        permissions: Permissions::of(powers),
    }
}

/// Puts what only the world knows into a document, and what the kind of venue decides.
pub(super) fn filled_in(
    document: &str,
    kind: &VenueKind,
    credential: &venue::Credential,
    account: Uid,
    master_arn: &str,
) -> String {
    let list = |words: &[&str]| {
        let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
        quoted.join(",")
    };
    let passphrase = credential
        .passphrase
        .as_ref()
        .map_or_else(String::new, |passphrase| {
            format!(r#","passphrase":"{}""#, passphrase.expose())
        });
    let fields = format!(r#""api_key":"<key>","api_secret":"<secret>"{passphrase}"#);
    document
        .replace("<credential>", &fields)
        .replace("<words>", &list(kind.words))
        .replace("<all-words>", &list(kind.all_words))
        .replace("<key>", credential.key.as_str())
        .replace("<secret>", credential.secret.expose())
        .replace(
            "<passphrase>",
            credential.passphrase.as_ref().map_or("", Passphrase::expose),
        )
        .replace("<account>", &kind.account(account))
        .replace("<master>", master_arn)
}
