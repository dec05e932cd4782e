//! The operations over the sandbox's models, in one process: each test is named after the promise it keeps.

mod adoption;
mod adversity;
mod audit;
mod audit_in_parts;
mod audited_account;
mod authority;
mod by_fingerprint;
mod current;
mod demo;
mod doubt;
mod emergency;
mod envelope;
mod fleet;
mod grace;
mod histories;
mod holders;
mod leaked_copies;
mod leaked_master;
mod of_another_account;
mod offers_in_the_way;
mod orphans;
mod plan;
mod proof;
mod reported;
mod strain;
mod tags;
mod way_back;
mod ways;

#[path = "../harness/mod.rs"]
mod harness;
#[path = "../harness/watched.rs"]
mod watched;

use std::ops::Deref;

use harness::{MASTER, copied, created, hours, key_in, minutes, new_current_by_hand, seconds, unstored};
use jiff::SignedDuration;
use protocol::label::VersionId;
use protocol::name::SecretId;
use protocol::operations::{Answer, Code, Finding, Form, Mode, OperationRequest, Outcome};
use sandbox::in_process::{
    self, BOT_ADDRESS, FUNCTION_ADDRESS, OPTIONS, Operation, Power, SPOT, SUB, Setup, TRADES, TRANSFERS,
    World, break_glass, naming, without_a_successor,
};
use sandbox::report::fingerprint;
use sandbox::secrets_manager::{
    ReplicaStatus, RotateSecret, RotationRules, SecretValue, Seed, Tag, TagResource,
};
use sandbox::venue::{Credential, Ips, KeyId, Permissions, Settings, Uid};
use watched::{Watched, world, world_of, world_with, world_with_master};

/// A world where a rotation has just been done.
struct Rotated {
    world: Watched,
    /// The version that is current.
    token: VersionId,
    /// The key that was replaced.
    replaced_key: KeyId,
    /// The version that names it.
    replaced: VersionId,
}

impl Deref for Rotated {
    type Target = Watched;

    fn deref(&self) -> &Watched {
        &self.world
    }
}

/// One rotation: a person made the key that was replaced.
fn rotated() -> Rotated {
    let world = world();
    let (replaced_key, replaced) = (world.first_key().clone(), world.first_version());
    let token = world.rotate().expect("a rotation");
    Rotated {
        world,
        token,
        replaced_key,
        replaced,
    }
}

/// Two rotations: the key that was replaced is ours.
fn rotated_twice() -> Rotated {
    let Rotated { world, token, .. } = rotated();
    world.advance(hours(24 * 30));
    settle(&world);
    Rotated {
        replaced_key: key_in(&world, &token),
        replaced: token,
        token: world.rotate().expect("a rotation"),
        world,
    }
}

/// The usual value without its master: a person supplies the keys.
fn document_without_master() -> String {
    Setup::default()
        .document
        .replace(r#""masterarn":"<master>","#, "")
}

/// The usual value without its policy.
fn document_without_policy() -> String {
    let document = Setup::default().document;
    let (before, _) = document.split_once(r#","policy":"#).expect("a policy");
    format!("{before}}}")
}

/// Passes until there is nothing more to do.
fn settle(world: &World) {
    for _ in 0..5 {
        world.maintain();
        world.advance(hours(1));
    }
}

/// The hourly pass, and what Secrets Manager does until the next.
fn pass_beside_the_service(world: &World) {
    world.maintain();
    while world.run_due().is_some() {}
    world.advance(hours(1));
}

fn passes_beside_the_service(world: &World) {
    for _ in 0..5 {
        pass_beside_the_service(world);
    }
}

/// Makes keys until the sub-account has so many.
fn fill_account(world: &World, count: usize) {
    while world.live_keys().len() < count {
        world.key_by_hand(SUB);
    }
}

/// A secret that nothing rotates.
fn unrotated(world: &World, name: &str, value: Option<String>) -> SecretId {
    let seed = Seed {
        name: name.to_owned(),
        value: value.map(SecretValue::from_text),
        ..Seed::default()
    };
    let arn = world
        .secrets_manager(|model, now| model.seed(seed, now))
        .expect("the name is free");
    SecretId::parse(&arn).expect("an ARN")
}

/// Sets how often the secret is to be rotated, and rotates nothing.
fn schedule(world: &World, days: u32) {
    let rules = RotateSecret {
        secret_id: world.secret().as_str().to_owned(),
        rotation_rules: Some(RotationRules {
            automatically_after_days: Some(i64::from(days)),
            ..Default::default()
        }),
        rotate_immediately: Some(false),
        ..Default::default()
    };
    world
        .secrets_manager(|model, now| model.rotate_secret(&rules, now))
        .expect("a schedule");
    while world.run_due().is_some() {}
}

/// Tags the secret, as a person does.
fn tag(world: &World, key: &str, value: &str) {
    let tags = vec![Tag {
        key: key.to_owned(),
        value: value.to_owned(),
    }];
    let request = TagResource {
        secret_id: world.secret().as_str().to_owned(),
        tags,
    };
    world
        .secrets_manager(|model, now| model.tag_resource(&request, now))
        .expect("it is tagged");
}

/// Binds a key to other addresses, by hand.
fn bind(world: &World, key: &KeyId, ips: Ips) {
    world.edit_key(key, |settings| settings.ips = ips);
    world.advance(hours(1));
}

/// An order about the key of this version, or of the current one, whose successor comes first.
fn leaked(world: &World, version: Option<&VersionId>) -> OperationRequest {
    break_glass(world.secret(), version, Mode::ReplaceFirst)
}

/// The same, whose key dies first.
fn revoke_first(world: &World, version: Option<&VersionId>) -> OperationRequest {
    break_glass(world.secret(), version, Mode::RevokeFirst)
}

/// The codes of what was found, the worst first.
fn codes(answer: &Answer) -> Vec<Code> {
    answer.findings.iter().map(|finding| finding.code).collect()
}

fn found(answer: &Answer, code: Code) -> bool {
    codes(answer).contains(&code)
}

/// The worst finding with this code.
#[track_caller]
fn finding(answer: &Answer, code: Code) -> Finding {
    let found = answer.findings.iter().find(|finding| finding.code == code);
    found
        .cloned()
        .unwrap_or_else(|| panic!("no {code:?}: {answer:#?}"))
}

/// Whether a finding says this.
fn says(answer: &Answer, what: &str) -> bool {
    answer.findings.iter().any(|finding| finding.say.contains(what))
}

/// Whether a finding has this among what to do.
fn advises(answer: &Answer, what: &str) -> bool {
    answer.findings.iter().any(|finding| finding.r#do.contains(what))
}

#[track_caller]
fn ended(answer: &Answer, outcome: Outcome, found: &[Code]) {
    assert_eq!(
        (answer.outcome, &codes(answer)[..]),
        (outcome, found),
        "{answer:#?}"
    );
}

#[track_caller]
fn all_is_well(answer: &Answer) {
    ended(answer, Outcome::Ok, &[]);
}
