//! Venues that tell less, grant less finely, or take longer than others.

use protocol::rotation::Step;
use protocol::wrong::Wrong;
use sandbox::in_process::kind::{
    MUDDLED_SUPPLIED, PASSWORD, PLAIN_COARSE, SHY, SLOW_TIGHT, TERSE, VenueKind,
};
use sandbox::in_process::{BOT_ADDRESS, ELSEWHERE, FUNCTION_ADDRESS, OTHER_SUB};
use sandbox::venue::Ips;

use super::other_venues::{another_master, times_asked};
use super::*;

pub(super) const HISTORIES: &[(Wrong, Rule)] = &[
    (Wrong::UntoldAccountAgreed, another_account_gets_no_key),
    (Wrong::UntoldAgreed, other_addresses_are_not_promoted),
    (Wrong::CoarseGrantTrusted, a_part_of_trading_is_not_widened),
    (Wrong::EditAgeIgnored, an_edit_that_is_known_late_costs_no_version),
    (Wrong::UnexplainedIsDeath, a_refusal_without_a_reason_is_no_death),
    (Wrong::FormChanged, a_pair_follows_a_pair),
    (Wrong::ConsumerDisturbed, a_key_in_use_is_not_asked),
    (Wrong::AskedIntoLockout, few_attempts_are_made),
    (Wrong::StalePassphrase, a_new_key_has_its_own_passphrase),
    (Wrong::RandomPassphrase, a_lost_key_can_be_deleted),
    (Wrong::UndeletableForgotten, a_key_that_cannot_be_deleted_is_told),
];

const NAMED: &str = concat!(
    r#"{"exchange":"bybit","environment":"mainnet",<credential>,"subaccount":"<account>","#,
    r#""masterarn":"<master>","#,
    r#""policy":{"permissions":[<words>],"ip_allowlist":["203.0.113.7"]}}"#
);

fn world_at(kind: &'static VenueKind) -> World {
    World::with(Setup::at(kind))
}

/// The current key is not of the account that its value names.
fn another_account_gets_no_key() -> bool {
    let world = world_at(&PLAIN_COARSE);
    let key = world.key_by_hand_with(OTHER_SUB, settings_by_hand(PLAIN_COARSE.usual));
    world.put_by_hand(NAMED, &key, SUB, "AWSCURRENT");
    let token = begun(&world);
    world.live_keys_for(&token).is_empty()
}

/// A hand has bound the pending key to more addresses, which its own answer does not name.
fn other_addresses_are_not_promoted() -> bool {
    let world = world_at(&TERSE);
    let token = created(&world);
    world.edit_key(&key_in(&world, &token), |settings| {
        settings.ips = Ips::only([BOT_ADDRESS, FUNCTION_ADDRESS, ELSEWHERE]);
    });
    drop(world.run(Step::Finish, &token));
    !world.is_current(&token)
}

fn a_part_of_trading_is_not_widened() -> bool {
    let world = world_at(&PLAIN_COARSE);
    let key = world.key_by_hand_with(SUB, settings_by_hand(PLAIN_COARSE.usual));
    world.put_by_hand(&NAMED.replace("<words>", r#""spot""#), &key, SUB, "AWSCURRENT");
    let token = begun(&world);
    world.live_keys_for(&token).is_empty()
}

/// The key is old, the edit is not.
fn an_edit_that_is_known_late_costs_no_version() -> bool {
    let world = world_at(&SLOW_TIGHT);
    let token = created(&world);
    world.advance(hours(1));
    world.grant(&key_in(&world, &token), &[SPOT, TRADES, SLOW_TIGHT.funds]);
    world.advance(hours(1));
    world.venue(|model, _| {
        model.knobs.edit_delay = seconds(299);
        model.knobs.listings_lag = true;
    });
    drop(world.run(Step::Set, &token));
    world.holder("AWSPENDING") == Some(token)
}

/// A value whose key a person has made.
const BY_HAND: &str = concat!(
    r#"{"exchange":"bybit","environment":"mainnet",<credential>,"subaccount":"<account>","#,
    r#""policy":{"permissions":[<words>],"ip_allowlist":"any"}}"#
);

fn supplied(kind: &'static VenueKind) -> World {
    let world = World::with(Setup {
        document: BY_HAND.to_owned(),
        ..Setup::at(kind)
    });
    let key = world.key_by_hand_with(SUB, settings_by_hand(kind.usual));
    world.put_by_hand(BY_HAND, &key, SUB, "CANDIDATE");
    world
}

/// It is bound to other addresses.
fn a_refusal_without_a_reason_is_no_death() -> bool {
    let world = supplied(&MUDDLED_SUPPLIED);
    let token = copied(&world);
    world.edit_key(&key_in(&world, &token), |settings| {
        settings.ips = Ips::only([BOT_ADDRESS]);
    });
    world.advance(hours(1));
    drop(world.run(Step::Set, &token));
    world.holder("AWSPENDING") == Some(token)
}

fn a_pair_follows_a_pair() -> bool {
    let world = World::with(Setup {
        venue: Knobs {
            pairs_by_hand: true,
            rate_limits: false,
            ..Knobs::default()
        },
        ..Setup::at(&TERSE)
    });
    let token = created(&world);
    let secret = world.document(&token)["api_secret"].to_string();
    secret.contains("PRIVATE KEY")
}

fn a_key_in_use_is_not_asked() -> bool {
    let world = supplied(&SHY);
    copied(&world);
    times_asked(&world, "current") == 0
}

fn few_attempts_are_made() -> bool {
    let world = supplied(&SHY);
    let token = copied(&world);
    world.venue(|model, _| model.knobs.new_key_delay = hours(1));
    world.take_calls();
    drop(world.run(Step::Test, &token));
    times_asked(&world, "pending") <= 3
}

fn a_new_key_has_its_own_passphrase() -> bool {
    let world = world_at(&PASSWORD);
    let token = created(&world);
    world.pass(&token).is_ok()
}

fn a_lost_key_can_be_deleted() -> bool {
    let world = world_at(&PASSWORD);
    let (token, lost) = unstored(&world);
    world.advance(SETTLED);
    drop(world.pass(&token));
    !world.alive(&lost)
}

/// Its passphrase follows from a master key that is gone.
fn a_key_that_cannot_be_deleted_is_told() -> bool {
    let world = world_at(&PASSWORD);
    unstored(&world);
    another_master(&world);
    world.advance(SETTLED);
    let answer = world.maintain();
    answer
        .findings
        .iter()
        .any(|finding| finding.code == protocol::operations::Code::OrphanUndecided)
}
