//! What keys may do: the venue's groups and values, and who may ask for which.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::profile::{Catalogue, Profile, Role};
use super::refusal::Refusal;

/// Permissions as a request names them: group to values, not yet checked.
pub type Requested = BTreeMap<String, Vec<String>>;

/// What a key may do. Groups without a value are not kept. Shared by all clones: a key's settings are looked
/// at far more often than they change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions(Arc<BTreeMap<String, BTreeSet<String>>>);

impl Permissions {
    /// Permissions as given, known to the venue or not: for what is done by hand.
    pub fn of(grants: &[(&str, &[&str])]) -> Self {
        let mut permissions = Self::default();
        for (group, values) in grants {
            for value in *values {
                permissions.grant(group, value);
            }
        }
        permissions
    }

    /// Whether the value is granted.
    pub fn grants(&self, group: &str, value: &str) -> bool {
        self.0.get(group).is_some_and(|values| values.contains(value))
    }

    /// Whether anything of the group is granted.
    pub(super) fn has_group(&self, group: &str) -> bool {
        self.0.contains_key(group)
    }

    /// With the groups that another has, where they are to be kept.
    pub(super) fn with_groups_of(mut self, other: &Self, keep: impl Fn(&str) -> bool) -> Self {
        for (group, value) in other.granted().filter(|(group, _)| keep(group)) {
            self.grant(group, value);
        }
        self
    }

    /// Whether nothing is granted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each value that is granted, with its group, in alphabetical order.
    pub fn granted(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .flat_map(|(group, values)| values.iter().map(|value| (group.as_str(), value.as_str())))
    }

    /// The groups that anything is granted of, with their values, in alphabetical order.
    pub fn groups(&self) -> impl Iterator<Item = (&str, &BTreeSet<String>)> {
        self.0.iter().map(|(group, values)| (group.as_str(), values))
    }

    /// Whether one of these is granted.
    pub(super) fn grants_any(&self, catalogue: Catalogue) -> bool {
        let mut groups = catalogue.iter();
        groups.any(|(group, values)| values.iter().any(|value| self.grants(group, value)))
    }

    /// Checks what a caller asked for. The venue throws an error when nothing is ticked, and for what it
    /// doesn't know.
    pub(super) fn requested(requested: &Requested, profile: &Profile, role: Role) -> Result<Self, Refusal> {
        let allowed = profile.grantable(role);
        let mut permissions = Self::default();
        for (group, values) in requested {
            if !profile.groups.contains(&group.as_str()) {
                return Err(Refusal::parameter(format!(
                    "there is no permission group {group}"
                )));
            }
            for value in values {
                if lists(allowed, group, value) {
                    permissions.grant(group, value);
                } else if !lists(profile.without_effect, group, value) {
                    return Err(Refusal::parameter(format!("{group} does not take {value} here")));
                }
            }
        }
        if permissions.is_empty() {
            return Err(Refusal::parameter("no permission was asked for"));
        }
        Ok(permissions)
    }

    /// Takes over from `held` what the API can neither grant nor take away.
    pub(super) fn keeping_from(mut self, held: &Self, profile: &Profile) -> Self {
        for (group, values) in held.0.iter() {
            for value in values {
                let editable =
                    lists(profile.for_masters, group, value) || lists(profile.without_effect, group, value);
                if !editable && !profile.lost_by_edits.contains(&group.as_str()) {
                    self.grant(group, value);
                }
            }
        }
        self
    }

    pub(super) fn grant(&mut self, group: &str, value: &str) {
        Arc::make_mut(&mut self.0)
            .entry(group.to_owned())
            .or_default()
            .insert(value.to_owned());
    }
}

fn lists(catalogue: Catalogue, group: &str, value: &str) -> bool {
    catalogue
        .iter()
        .any(|(name, values)| *name == group && values.contains(&value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bybit::PROFILE;
    use crate::venue::Reason;

    fn requested(grants: &[(&str, &[&str])], role: Role) -> Result<Permissions, Refusal> {
        let requested = grants
            .iter()
            .map(|(group, values)| {
                (
                    (*group).to_owned(),
                    values.iter().map(|value| (*value).to_owned()).collect(),
                )
            })
            .collect();
        Permissions::requested(&requested, &PROFILE, role)
    }

    #[test]
    fn every_documented_permission_of_a_sub_account_is_accepted() {
        for (group, values) in PROFILE.for_subs {
            assert_eq!(
                requested(&[(group, values)], Role::Sub),
                Ok(Permissions::of(&[(group, values)]))
            );
        }
    }

    #[test]
    fn an_unknown_group_or_value_is_refused() {
        for grants in [
            ("Teleport", ["Beam"]),
            ("Spot", ["SpotMining"]),
            ("Wallet", ["Withdraw"]),
        ] {
            let refusal =
                requested(&[(grants.0, &grants.1)], Role::Sub).expect_err("nobody can be granted this");
            assert_eq!(refusal.reason, Reason::Parameter);
        }
    }

    #[test]
    fn a_sub_account_is_refused_what_only_masters_may_have() {
        assert!(requested(&[("Wallet", &["SubMemberTransfer"])], Role::Sub).is_err());
        assert!(requested(&[("Wallet", &["SubMemberTransfer"])], Role::Master).is_ok());
    }

    #[test]
    fn asking_for_nothing_is_refused_even_with_empty_groups() {
        assert!(requested(&[], Role::Sub).is_err());
        assert!(requested(&[("Spot", &[]), ("NFT", &[])], Role::Sub).is_err());
    }

    #[test]
    fn deprecated_values_are_taken_and_have_no_effect() {
        let asked: &[(&str, &[&str])] = &[
            ("Spot", &["SpotTrade"]),
            ("CopyTrading", &["CopyTrading"]),
            ("BlockTrade", &[]),
        ];
        assert_eq!(
            requested(asked, Role::Sub),
            Ok(Permissions::of(&[("Spot", &["SpotTrade"])]))
        );
    }
}
