//! What there is to do for one secret.

use jiff::SignedDuration;

use crate::bounds::{UNSETTLED, after};
use crate::error::Error;
use crate::label::{Label, StampKind, VersionId};
use crate::name::SecretId;
use crate::operations::answer::Code;
use crate::operations::commands::{rotate, take_off};
use crate::operations::emergency::unblock::clear_the_way;
use crate::operations::maintain::current::Current;
use crate::operations::maintain::visit::{SecretVisit, VisitReport};
use crate::operations::pass::holders::Held;
use crate::operations::pass::{Pass, is_transient, with_retries};
use crate::operations::retire::end_of_life::EndOfLife;
use crate::operations::retire::grace::Origin;
use crate::ports::{Description, Which};
use crate::session::{has_master, is_condemned, unstamped_previous};
use crate::task::Operation;
use crate::wrong::{self, Wrong};

/// Looks after one secret. Whatever goes wrong is a finding: one bad secret never stops the others.
pub(crate) async fn visit_secret(pass: &Pass<'_>, listed: Description) -> VisitReport {
    let Ok(id) = SecretId::parse(&listed.arn) else {
        return VisitReport::default();
    };
    let session = pass.session(&id);
    let mut visit = SecretVisit::new(pass, &session, &listed);
    if let Err(error) = visit.visit_secret(listed).await {
        visit.trouble(&error);
    }
    visit.over()
}

impl SecretVisit<'_> {
    async fn visit_secret(&mut self, listed: Description) -> Result<(), Error> {
        let description = if needs_a_look(&listed) {
            self.session.describe().await?
        } else {
            listed
        };
        if description.deleted || !self.pass.manages(&description) {
            return Ok(());
        }
        self.count("secrets");
        let stamped = self.set_stamps_right(&description).await;
        self.note(stamped);
        let finished = self.finish_giving_up(&description).await;
        self.note(finished);
        // One that was given up is finished, or tried again in the next pass.
        if description
            .pending()
            .is_some_and(|pending| !is_condemned(&description, pending))
        {
            self.tell_of_stuck_rotation(&description).await;
        }
        // Whatever stands in the way of the current key does not keep a replaced one alive.
        let current = self.current(&description).await.unwrap_or_else(|error| {
            self.trouble(&error);
            None
        });
        if let Some(current) = &current {
            self.verify(&description, current).await;
        }
        let cleared = self
            .clear_the_way_of_the_dying(description.clone(), current.as_ref())
            .await;
        let description = cleared.unwrap_or_else(|error| {
            self.trouble(&error);
            description
        });
        self.retire_what_is_due(&description, current.as_ref()).await;
        self.announce_adoptions(&description, current.as_ref()).await;
        if let Some(current) = &current {
            if let Some((access, list)) = current.access(&description) {
                self.reap(&description, &access, list, &current.value.credential.key_id)
                    .await;
            }
            self.tag(&description, current).await;
        }
        Ok(())
    }

    /// Goes on with an order that was cut off: nothing brings a leaked key back that is not current, and no
    /// label holds it. The secret as it then is.
    async fn clear_the_way_of_the_dying(
        &mut self,
        described: Description,
        current: Option<&Current>,
    ) -> Result<Description, Error> {
        let Some(version) = described.compromised() else {
            return Ok(described);
        };
        if self.pass.is_dry_run() || described.is_current(version) {
            return Ok(described);
        }
        let stored = with_retries(self.pass, || self.session.read(Which::Version(version))).await?;
        let Some(value) = stored.and_then(|stored| stored.value().ok()) else {
            return Ok(described);
        };
        let key = &value.credential.key_id;
        // What is current is looked after with its successor.
        if current.is_none_or(|current| current.value.names(key)) {
            return Ok(described);
        }
        let now = self.session.describe().await?;
        let before = self.session.changed();
        clear_the_way(self.pass, self.session, &now, key, false).await?;
        if self.session.changed() == before {
            return Ok(now);
        }
        self.pass.read_holders_anew().await;
        self.session.describe().await
    }

    pub(crate) async fn retire_what_is_due(&mut self, description: &Description, current: Option<&Current>) {
        let due: Vec<VersionId> = self.due(description).cloned().collect();
        for version in due {
            self.left_to_person = None;
            if let Err(error) = self.retire(description, &version, current).await {
                let what_to_do = self.trouble(&error);
                self.left_to_person = (!is_transient(&error)).then_some(what_to_do);
            }
            if let Some(what_to_do) = self.left_to_person.take()
                && EndOfLife::of(description, &version).compromised
            {
                let say =
                    format!("the leaked key of version {version} is not dead, and a pass cannot end it");
                self.find(Code::Exposed, say, what_to_do);
            }
        }
    }

    /// Says how long replaced keys stay alive that were made by hand, from the first pass on: who uses one
    /// elsewhere has to hear of it while there is time.
    async fn announce_adoptions(&mut self, description: &Description, current: Option<&Current>) {
        let due: Vec<&VersionId> = self.due(description).collect();
        let list = current
            .and_then(|current| current.master.as_ref().ok()?.1.as_ref())
            .map(|(_, list)| list);
        for version in description
            .versions
            .keys()
            .filter(|version| !due.contains(version))
        {
            let Some(replaced) = EndOfLife::of(description, version).replaced else {
                continue;
            };
            // What cannot be read is told where it matters.
            let Ok(Some(stored)) =
                with_retries(self.pass, || self.session.read(Which::Version(version))).await
            else {
                continue;
            };
            let Ok(value) = stored.value() else {
                continue;
            };
            let key = &value.credential.key_id;
            let is_current =
                current.is_some_and(|current| current.version == *version || current.value.names(key));
            // A list that does not show it shows that nobody uses it any more.
            let is_by_hand = match Origin::of(description, Some(version), key, list) {
                Origin::ByHand => true,
                Origin::IssuedForIt | Origin::Issued | Origin::Gone => false,
                Origin::Unknown => {
                    let names_one = value.master_arn.is_some();
                    let master =
                        current.map_or(names_one, |current| has_master(current.venue.as_ref(), &value));
                    value.rotation.is_none() || !master
                }
            };
            if !is_current && is_by_hand {
                self.in_grace(
                    version,
                    key,
                    after(replaced, self.pass.settings.longest_grace()),
                    true,
                );
            }
        }
    }

    async fn set_stamps_right(&mut self, description: &Description) -> Result<(), Error> {
        if let Some(previous) = unstamped_previous(description) {
            let what = format!("stamp version {previous}: it is not current any more");
            if !self.would(&what) {
                if !wrong::is(Wrong::StampClaimed) {
                    self.session.stamp_previous(description).await?;
                }
                self.count("stamped");
            }
        }
        let Some(current) = description.current() else {
            return Ok(());
        };
        // A condemnation counts for nothing either once the version is replaced, and so may wait until every
        // replica has what it is being given. A REPLACED stamp would count then.
        let can_wait = description.is_being_replicated();
        let void = |label: &Label| {
            label.stamp().is_some_and(|stamp| match stamp.kind {
                StampKind::Replaced => true,
                StampKind::Condemned => !can_wait,
                StampKind::Suspect => false,
            })
        };
        let what = format!("take void stamps off version {current}: it is current");
        if description.labels(current).any(void) && !self.would(&what) {
            self.session.remove_void_stamps(description, current).await?;
        }
        Ok(())
    }

    /// A run died between condemning a version and taking AWSPENDING off it, and no replay came.
    async fn finish_giving_up(&mut self, description: &Description) -> Result<(), Error> {
        let Some(pending) = description.pending() else {
            return Ok(());
        };
        let condemned = EndOfLife::of(description, pending).condemned;
        let unsettled = SignedDuration::try_from(UNSETTLED).unwrap_or(SignedDuration::MAX);
        let long_ago = condemned.is_some_and(|at| self.pass.now().duration_since(at) > unsettled);
        if !long_ago || description.is_current(pending) {
            return Ok(());
        }
        let what = format!("take AWSPENDING off version {pending}, which was given up");
        if !self.would(&what) {
            self.session.remove_label(Label::pending(), pending).await?;
        }
        Ok(())
    }

    /// The versions whose keys may have come to their end, as the labels tell.
    fn due<'d>(&self, description: &'d Description) -> impl Iterator<Item = &'d VersionId> {
        let (now, grace) = (self.pass.now(), self.pass.settings.grace);
        let due = move |version: &&VersionId| {
            let ending = EndOfLife::of(description, version);
            ending.at_once || (!description.is_current(version) && ending.may_be_due(now, grace))
        };
        description.versions.keys().filter(due)
    }

    /// What is to be done about a leaked key that a label holds.
    pub(crate) fn way_out(&self, description: &Description, held: &Held) -> String {
        let Held { secret, label } = held;
        if *label == Label::current().as_str() {
            // A mere rotation is refused where a secret had very many versions lately.
            let leaked = description.compromised().filter(|_| *secret == self.name);
            return leaked.map_or_else(|| rotate(secret), |leaked| self.order_to_replace(leaked));
        }
        if *label == Label::pending().as_str() {
            return self.pass.command(Operation::Abandon, secret);
        }
        let here = description
            .holder(&Label::new(label.as_str()))
            .filter(|_| *secret == self.name);
        let version = here.map_or("<version>", VersionId::as_str);
        take_off(secret, label, version)
    }
}

/// Whether the labels, which a list shows minutes late, say that there may be something to do.
fn needs_a_look(listed: &Description) -> bool {
    unstamped_previous(listed).is_some()
        || listed
            .versions
            .values()
            .flatten()
            .any(|label| label.stamp().is_some() || *label == Label::compromised())
        || listed.open_rotation().is_some()
}
