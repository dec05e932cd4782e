//! Venues that tell less, grant less finely, or take longer than others.

use protocol::rotation::Step;
use protocol::wrong::Wrong;
use sandbox::in_process::kind::{PLAIN_COARSE, SLOW_TIGHT, TERSE, VenueKind};
use sandbox::in_process::{BOT_ADDRESS, ELSEWHERE, FUNCTION_ADDRESS, OTHER_SUB};
use sandbox::venue::Ips;

use super::*;

pub(super) const HISTORIES: &[(Wrong, Rule)] = &[
    (Wrong::UntoldAccountAgreed, another_account_gets_no_key),
    (Wrong::UntoldAgreed, other_addresses_are_not_promoted),
    (Wrong::CoarseGrantTrusted, a_part_of_trading_is_not_widened),
    (Wrong::EditAgeIgnored, an_edit_that_is_known_late_costs_no_version),
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
