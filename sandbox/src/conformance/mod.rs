//! What every implementation of [`protocol::ports::Venue`] promises, as one list of checks: for the adapter
//! of the simulation and for the function's own modules, so that the one is no kinder than the others.
//!
//! | question | file |
//! | --- | --- |
//! | what a check works with | `case` |
//! | what an issued key is, and what is not issued | `issuing` |
//! | what an edit and a revocation do, and to which key | `changing` |
//! | whose calls are refused, and how | `calling` |
//! | what lists, masters and facts tell | `telling` |

macro_rules! ensure {
    ($holds:expr, $($say:tt)+) => {
        if !$holds {
            return Err(format!($($say)+));
        }
    };
}

mod calling;
mod case;
mod changing;
mod issuing;
mod telling;

use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

use jiff::Timestamp;
use protocol::ports::Venues;

use self::case::Case;
use crate::in_process::kind::VenueKind;
use crate::venue::Model;

/// A promise that is kept; or how it is broken.
pub type Checked = Result<(), String>;

/// An implementation of the port, over a [`Model`] of its own.
pub trait Subject: Sync {
    /// The kind that it is, or that is played in its place.
    fn kind(&self) -> &'static VenueKind;
    /// What is checked, in its environments.
    fn venues(&self) -> &dyn Venues;
    /// Does something at the model, which has this time.
    fn by_hand(&self, act: &mut dyn FnMut(&mut Model, Timestamp));
    /// Where calls are seen to come from.
    fn address(&self) -> IpAddr;
}

/// One promise.
#[derive(Clone, Copy)]
pub struct Promise {
    /// What is promised.
    pub name: &'static str,
    check: for<'a> fn(&'a Case<'a>) -> Checking<'a>,
}

type Checking<'a> = Pin<Box<dyn Future<Output = Checked> + Send + 'a>>;

impl Promise {
    /// Checks it.
    ///
    /// # Errors
    /// How it is broken.
    pub async fn check(&self, subject: &dyn Subject) -> Checked {
        (self.check)(&Case::new(subject)?).await
    }
}

impl fmt::Debug for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

macro_rules! promises {
    ($($file:ident::$name:ident),+ $(,)?) => {
        &[$(Promise { name: stringify!($name), check: |case| Box::pin($file::$name(case)) }),+]
    };
}

/// What a kind of venue promises.
pub fn promises_of(kind: &VenueKind) -> &'static [Promise] {
    if kind.is_supplied() {
        WHERE_NOBODY_ISSUES
    } else {
        WHERE_KEYS_ARE_ISSUED
    }
}

const WHERE_NOBODY_ISSUES: &[Promise] = promises![
    telling::nobody_issues_lists_edits_or_deletes,
    telling::a_supplied_key_tells_what_it_is
];

const WHERE_KEYS_ARE_ISSUED: &[Promise] = promises![
    issuing::an_issued_key_is_what_was_asked_for,
    issuing::a_key_tells_its_account_as_its_kind_does,
    issuing::a_key_bound_to_nothing_says_so_and_ends_when_the_venue_ends_it,
    issuing::words_that_can_be_granted_are_held_exactly,
    issuing::words_that_cannot_be_granted_are_not_issued,
    issuing::a_full_account_is_refused_another_key,
    issuing::too_many_addresses_are_refused,
    issuing::a_segment_of_addresses_is_held_exactly_or_refused,
    issuing::a_marker_is_taken_where_notes_are_unique,
    issuing::a_key_is_issued_in_the_form_asked_for,
    issuing::a_key_that_was_never_stored_can_be_revoked,
    changing::an_edit_sets_exactly,
    changing::an_edit_takes_away_what_a_person_gave,
    changing::another_parents_key_is_not_touched,
    changing::a_key_of_another_account_is_not_touched_where_calls_name_accounts,
    changing::an_order_about_a_key_shows_its_passphrase,
    changing::a_revoked_key_is_rejected_and_unlisted,
    changing::a_key_that_is_gone_is_not_revoked_again,
    changing::a_key_that_is_gone_is_not_edited,
    calling::a_wrong_secret_is_mismatched,
    calling::a_wrong_passphrase_is_mismatched,
    calling::an_unknown_key_is_rejected,
    calling::a_key_that_is_not_known_yet_is_rejected,
    calling::an_expired_key_is_rejected,
    calling::an_address_that_is_not_on_the_list_is_denied,
    calling::a_sub_accounts_key_manages_none,
    calling::an_account_that_is_not_there_is_refused,
    calling::a_bad_credential_is_found_out_before_the_account,
    telling::a_list_is_whole_and_only_its_account_s,
    telling::a_list_tells_when_its_keys_were_made_and_its_own_time,
    telling::an_expired_key_is_listed_as_such,
    telling::what_a_person_gave_is_told,
    telling::a_master_issues_if_it_is_said_that_it_may,
    telling::masters_are_the_venue_s_own,
    telling::the_facts_are_the_stand_in_s_and_the_kind_s,
];
