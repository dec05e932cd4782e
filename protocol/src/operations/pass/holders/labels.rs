//! Which labels hold what their version names.

use crate::label::{Label, StampKind, VersionId};
use crate::ports::Description;
use crate::session::has_stamp;
use crate::wrong::{self, Wrong};

/// The labels that hold what their version names.
pub(crate) fn holding() -> [Label; 4] {
    [
        Label::current(),
        Label::pending(),
        Label::candidate(),
        Label::rollback(),
    ]
}

/// The labels on a version that hold what it names. One that was given up loses AWSPENDING next: that holds
/// nothing any more.
pub(crate) fn holding_labels<'a>(
    description: &'a Description,
    version: &'a VersionId,
) -> impl Iterator<Item = &'a Label> {
    let given_up = has_stamp(description, version, StampKind::Condemned);
    let alone = wrong::is(Wrong::CurrentHoldsAlone);
    description.labels(version).filter(move |label| {
        let holds = holding().contains(label) && (**label == Label::current() || !alone);
        holds && (**label != Label::pending() || !given_up)
    })
}

/// Where a label stands among those that hold.
pub(super) fn place(label: &Label) -> Option<usize> {
    holding().iter().position(|holding| holding == label)
}
