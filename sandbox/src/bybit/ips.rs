//! The addresses a key is bound to.

use std::net::IpAddr;

use super::refusal::Refusal;

/// From where a key may be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ips {
    /// From anywhere. Such a key expires.
    Any,
    /// From these addresses. Such a key does not expire.
    Only(Vec<IpAddr>),
}

impl Ips {
    /// Bound to these addresses.
    pub fn only(addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        Self::Only(
            addresses
                .into_iter()
                .map(|address| address.to_canonical())
                .collect(),
        )
    }

    /// Reads the `ips` of a request: a string with commas; absent or `*` means unbound. An empty string is
    /// read as absent: the reading that a careless caller would regret, since nothing says that it is
    /// refused.
    pub(super) fn requested(ips: Option<&str>, max: usize) -> Result<Self, Refusal> {
        let list = match ips.map(str::trim) {
            None | Some("" | "*") => return Ok(Self::Any),
            Some(list) => list,
        };
        let addresses = list.split(',').map(address).collect::<Result<Vec<_>, _>>()?;
        if addresses.len() > max {
            return Err(Refusal::parameter(format!(
                "{} addresses are more than {max}",
                addresses.len()
            )));
        }
        Ok(Self::only(addresses))
    }

    /// Whether a caller at this address may use the key. An IPv4 address mapped into IPv6 counts as the IPv4
    /// address.
    pub fn admits(&self, caller: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::Only(addresses) => addresses.contains(&caller.to_canonical()),
        }
    }

    /// Whether the key may be used from anywhere.
    pub fn is_any(&self) -> bool {
        *self == Self::Any
    }

    /// The addresses as replies show them: an array, `["*"]` for an unbound key.
    pub fn shown(&self) -> Vec<String> {
        match self {
            Self::Any => vec!["*".to_owned()],
            Self::Only(addresses) => addresses.iter().map(IpAddr::to_string).collect(),
        }
    }
}

fn address(text: &str) -> Result<IpAddr, Refusal> {
    text.trim()
        .parse()
        .map_err(|_| Refusal::parameter(format!("{text:?} is no address")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_and_starred_addresses_mean_unbound() {
        for ips in [None, Some("*"), Some("")] {
            let ips = Ips::requested(ips, 20).expect("unbound is allowed");
            assert_eq!(ips.shown(), ["*"]);
            assert!(ips.is_any());
        }
    }

    #[test]
    fn a_string_with_commas_in_the_request_is_an_array_in_the_reply() {
        let ips = Ips::requested(Some("203.0.113.7, 2001:db8::1"), 20).expect("both are addresses");
        assert_eq!(ips.shown(), ["203.0.113.7", "2001:db8::1"]);
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for ips in [
            "203.0.113",
            "203.0.113.0/24",
            "*,203.0.113.7",
            "203.0.113.7,",
            "host.example",
        ] {
            assert_eq!(Ips::requested(Some(ips), 20).expect_err(ips).ret_code, 10_001);
        }
    }

    #[test]
    fn more_addresses_than_the_knob_allows_are_refused() {
        assert!(Ips::requested(Some("10.0.0.1,10.0.0.2"), 2).is_ok());
        assert!(Ips::requested(Some("10.0.0.1,10.0.0.2,10.0.0.3"), 2).is_err());
    }

    #[test]
    fn a_mapped_caller_is_the_ipv4_caller() {
        let ips = Ips::requested(Some("127.0.0.1"), 20).expect("it is an address");
        assert!(ips.admits("::ffff:127.0.0.1".parse().expect("mapped")));
        assert!(ips.admits("127.0.0.1".parse().expect("plain")));
        assert!(!ips.admits("::1".parse().expect("another address")));
    }
}
