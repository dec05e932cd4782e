//! The addresses a key is bound to.

use std::net::IpAddr;

use super::refusal::{Reason, Refusal};

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

    /// Reads the addresses of a request. None of them means unbound.
    pub(super) fn requested(addresses: &[String], max: usize) -> Result<Self, Refusal> {
        if addresses.is_empty() {
            return Ok(Self::Any);
        }
        let read = addresses
            .iter()
            .map(|text| address(text))
            .collect::<Result<Vec<_>, _>>()?;
        if read.len() > max {
            let why = format!("{} addresses are more than {max}", read.len());
            return Err(Refusal::new(Reason::TooManyAddresses, why));
        }
        Ok(Self::only(read))
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

    /// The addresses as text, `*` for an unbound key.
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

    fn requested(addresses: &[&str], max: usize) -> Result<Ips, Reason> {
        let owned: Vec<String> = addresses.iter().map(|text| (*text).to_owned()).collect();
        Ips::requested(&owned, max).map_err(|refusal| refusal.reason)
    }

    #[test]
    fn no_address_means_unbound() {
        let ips = requested(&[], 20).expect("unbound is allowed");
        assert_eq!(ips.shown(), ["*"]);
        assert!(ips.is_any());
    }

    #[test]
    fn addresses_are_shown_in_the_order_in_which_they_were_asked_for() {
        let ips = requested(&["203.0.113.7", " 2001:db8::1"], 20).expect("both are addresses");
        assert_eq!(ips.shown(), ["203.0.113.7", "2001:db8::1"]);
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["203.0.113", "203.0.113.0/24", "*", "", "host.example"] {
            assert_eq!(
                requested(&["203.0.113.7", text], 20),
                Err(Reason::Parameter),
                "{text}"
            );
        }
    }

    #[test]
    fn more_addresses_than_a_key_may_have_are_refused() {
        assert!(requested(&["10.0.0.1", "10.0.0.2"], 2).is_ok());
        let three = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];
        assert_eq!(requested(&three, 2), Err(Reason::TooManyAddresses));
    }

    #[test]
    fn a_mapped_caller_is_the_ipv4_caller() {
        let ips = requested(&["127.0.0.1"], 20).expect("it is an address");
        assert!(ips.admits("::ffff:127.0.0.1".parse().expect("mapped")));
        assert!(ips.admits("127.0.0.1".parse().expect("plain")));
        assert!(!ips.admits("::1".parse().expect("another address")));
    }
}
