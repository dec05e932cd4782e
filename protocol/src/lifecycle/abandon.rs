//! Giving up a stuck rotation: AWSPENDING comes off, and the key that was issued for it is revoked by the rules.

use super::Operation;
use super::answer::{Answer, Row};
use super::pass::{Pass, half_done};
use crate::hand::is_condemned;
use crate::label::Label;
use crate::name::SecretId;

pub(super) async fn abandon(pass: &Pass<'_>, secret: &SecretId) -> Answer {
    let hand = pass.hand(secret);
    let description = match hand.describe().await {
        Ok(description) => description,
        Err(error) => {
            return pass.refusal(secret.name().as_str(), error.problem.clone(), pass.after(&error, secret.name().as_str()));
        }
    };
    let name = description.name.as_str();
    if !pass.manages(&description) {
        return pass.refusal(name, "another function rotates this secret, or none does", pass.command_that_lists());
    }
    let pending = description.holder(&Label::pending()).filter(|pending| description.holder(&Label::current()) != Some(*pending));
    let Some(pending) = pending else {
        let what_to_do = format!("aws secretsmanager describe-secret --secret-id {name}");
        return pass.refusal(name, "no rotation is open: no version is AWSPENDING but the current one", what_to_do);
    };
    match hand.give_up(pending, "a person abandoned the rotation").await {
        Ok(()) => {
            let row = Row {
                secret: name.to_owned(),
                arn: description.arn.clone(),
                did: vec![format!("gave up version {pending}: it is condemned and has lost AWSPENDING")],
                ..Row::default()
            };
            let mut tally = pass.tally();
            tally.count("abandoned", 1);
            tally.row(row);
            tally.answer(false)
        }
        Err(error) => {
            let again = pass.command(Operation::Abandon, name);
            let say = format!("version {pending} was not given up: {}: {}", error.error_type, error.problem);
            // Half of it may be done.
            let after = hand.describe().await;
            if after.as_ref().is_ok_and(|after| is_condemned(after, pending) == is_condemned(&description, pending)) {
                return pass.refusal(name, say, again);
            }
            let did = match after {
                Ok(_) => format!("condemned version {pending}; it still is AWSPENDING"),
                Err(_) => format!("perhaps condemned version {pending}: that could not be looked at"),
            };
            let row = Row { secret: name.to_owned(), arn: description.arn.clone(), did: vec![did], ..Row::default() };
            half_done(pass, row, say, again)
        }
    }
}
