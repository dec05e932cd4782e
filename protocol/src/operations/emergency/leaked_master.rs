//! A master credential is leaked: what a person has to do, and which keys may be the thief's.
//! `mod.rs` has the order and hands it on where it is about a master. So each needs the other.

use crate::error::{Error, ErrorType};
use crate::name::SecretId;
use crate::operations::answer::{Answer, Code, Row};
use crate::operations::audit::secret::look;
use crate::operations::emergency::Emergency;
use crate::operations::maintain::add;
use crate::operations::pass::holders::ways_to_name;
use crate::operations::pass::secret_pages::SecretPages;
use crate::operations::pass::{Pass, finding, told, with_retries};
use crate::ports::{Description, Which};

/// A leaked master comes before its children: who has it can issue keys, and has perhaps. No function
/// replaces it: a person does.
pub(crate) async fn leaked_master(mut order: Emergency<'_>, description: &Description) -> Answer {
    let (pass, name) = (order.pass, description.name.as_str());
    let holders = match pass.holders().await {
        Ok(holders) => holders,
        Err(error) => return pass.refusal(name, told(&error), order.again(name, None, order.mode)),
    };
    if !holders.are_children_of(description) {
        return pass.refusal(
            name,
            "another function rotates this secret, or none does, and no secret names it as its master",
            pass.command_that_lists(),
        );
    }
    let row = Row {
        secret: name.to_owned(),
        arn: description.arn.clone(),
        ..Row::default()
    };
    let say = "a master credential is leaked: whoever has it can issue keys that trade on every sub-account \
               of the parent";
    let what_to_do = format!(
        "now, by hand: delete it at the venue, make another, bound to the function's addresses, and store \
         it: aws secretsmanager put-secret-value --secret-id {name} --secret-string file://master.json; \
         then delete the suspects below at the venue, and break the glass for each child"
    );
    order
        .builder
        .find(finding(Code::MasterLeaked, name, say, what_to_do));
    if let Err(error) = suspects(&mut order, description).await {
        let again = order.again(name, None, order.mode);
        let say = format!("not all children were looked at: {}", told(&error));
        order.builder.find(finding(Code::NotDone, name, say, again));
    }
    order.happened("the children were looked at");
    order.answer(row)
}

/// The children of a master, each with the foreign keys on its account: any of them may have been issued by
/// the thief.
async fn suspects(order: &mut Emergency<'_>, master: &Description) -> Result<(), Error> {
    let pass = order.pass;
    let mut walk = SecretPages::of_all();
    while let Some(page) = walk.next(pass).await? {
        for child in page {
            if !pass.has_time() {
                return Err(Error::new(
                    ErrorType::DeadlineNear,
                    "the time was up before all children were looked at",
                ));
            }
            match is_child(pass, &child, master).await {
                Ok(false) => {}
                Ok(true) => {
                    add(&mut order.builder, look(pass, &child).await);
                    order.builder.count("children", 1);
                }
                Err(error) => {
                    let say = format!("nobody knows whether this master is its own: {}", told(&error));
                    let what_to_do = "look at its account's keys at the venue";
                    order
                        .builder
                        .find(finding(Code::NotDone, child.name.as_str(), say, what_to_do));
                }
            }
        }
    }
    Ok(())
}

async fn is_child(pass: &Pass<'_>, child: &Description, master: &Description) -> Result<bool, Error> {
    let Ok(id) = SecretId::parse(&child.arn) else {
        return Ok(false);
    };
    if child.deleted {
        return Err(Error::new(
            ErrorType::SecretDeleted,
            "the secret is scheduled for deletion, so its value cannot be read",
        ));
    }
    let session = pass.session(&id);
    let Some(stored) = with_retries(pass, || session.read(Which::Current)).await? else {
        return Ok(false);
    };
    let Ok(value) = stored.value() else {
        return Ok(false);
    };
    Ok(value
        .master_arn
        .is_some_and(|named| ways_to_name(master).contains(&named.as_str())))
}
