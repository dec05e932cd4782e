//! What the stand-ins begin with.

use std::net::{IpAddr, Ipv4Addr};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{EVENTS_TOKEN, PARENT, StandIn};
use crate::function::LAMBDA_ARN;
use crate::secrets_manager::{Error, Model, RotateSecret, RotationRules, RotationSeed, SecretValue, Seed};
use crate::venue::{self, Bound, Credential, Environment as Site, Ips, NoSuch, Permissions, Settings};

/// Where the function and its clients are seen to come from.
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Where a trading desk's bot would come from.
const DESK: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));

/// The keys at the venue.
pub(super) struct Keys {
    pub(super) master: Credential,
    pub(super) unbound_master: Option<Credential>,
    pub(super) hand_made: Credential,
    for_events: Credential,
}

pub(super) fn venue(stand_in: &StandIn, venue: &mut venue::Model, now: Timestamp) -> Result<Keys, NoSuch> {
    venue.add_parent_account(PARENT, Site::Mainnet);
    let master = venue.add_master_key(PARENT, Ips::only([LOOPBACK]), now)?;
    let mut sub_account = |(uid, name), addresses: &[IpAddr]| {
        venue.add_sub_account(PARENT, uid)?;
        venue.name_account(uid, name)?;
        let settings = Settings {
            note: stand_in.note.into(),
            read_only: false,
            ips: Ips::only(addresses.iter().copied()),
            permissions: Permissions::of(stand_in.grants),
        };
        venue.create_key_by_hand(uid, settings, now)
    };
    let hand_made = sub_account(stand_in.accounts[0], &[LOOPBACK, DESK])?;
    let for_events = sub_account(stand_in.accounts[1], &[LOOPBACK])?;
    let has_to_be_bound = stand_in.profile.masters == Bound::Required;
    let unbound = || venue.add_master_key(PARENT, Ips::Any, now);
    Ok(Keys {
        master,
        unbound_master: has_to_be_bound.then(unbound).transpose()?,
        hand_made,
        for_events,
    })
}

/// The values of these keys, since `then`; and the rotation that `events/` is about, since now.
pub(super) fn secrets(
    stand_in: &StandIn,
    store: &mut Model,
    keys: &Keys,
    then: Timestamp,
    now: Timestamp,
) -> Result<(), Error> {
    let mut seed = |name: &str, value: &Value, rotation: Option<RotationSeed>| {
        let seed = Seed {
            name: name.into(),
            value: Some(SecretValue::from_text(value.to_string())),
            rotation,
            ..Seed::default()
        };
        store.seed(seed, then)
    };
    let [(_, account), (_, events_account)] = stand_in.accounts;
    let mut master = stand_in.value(&keys.master);
    master["serves"] = json!({
        format!("prod/{}/*", stand_in.profile.name): {
            "accounts": [account], "permissions": stand_in.words, "ip_allowlist": ["203.0.113.0/24"],
        },
        stand_in.events_secret: {"accounts": [events_account]},
    });
    let master_arn = seed(stand_in.master_secret, &master, None)?;
    let document = |credential: &Credential, account: &str| {
        let mut value = stand_in.value(credential);
        value["subaccount"] = account.into();
        value["masterarn"] = master_arn.as_str().into();
        value["rotation_schedule"] = "90_days".into();
        value["desk"] = json!({"name": "market making", "limits": [1.50, 2]});
        value
    };
    let rules = RotationRules {
        automatically_after_days: Some(90),
        ..RotationRules::default()
    };
    let ours = RotationSeed {
        lambda_arn: Some(LAMBDA_ARN.into()),
        rules: Some(rules),
    };
    seed(stand_in.secret, &document(&keys.hand_made, account), Some(ours))?;
    // cargo-lambda invokes by the ARN "function-arn": this secret names no function that it would have to be.
    let anyones = RotationSeed {
        lambda_arn: None,
        rules: None,
    };
    let for_events = document(&keys.for_events, events_account);
    seed(stand_in.events_secret, &for_events, Some(anyones))?;
    let open = RotateSecret {
        secret_id: stand_in.events_secret.into(),
        client_request_token: Some(EVENTS_TOKEN.into()),
        ..RotateSecret::default()
    };
    store.rotate_secret(&open, now).map(drop)
}
