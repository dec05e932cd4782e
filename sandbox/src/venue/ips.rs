//! The addresses a key is bound to.

use std::fmt;
use std::net::IpAddr;

use super::profile::Segments;
use super::refusal::{Reason, Refusal};

/// From where a key may be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ips {
    /// From anywhere. Such a key expires.
    Any,
    /// From these places. Such a key does not expire.
    Only(Vec<Place>),
}

/// An address, or a segment of them at a venue that takes segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    address: IpAddr,
    /// How many bits a caller shares with it, if not all.
    prefix: Option<u32>,
}

impl Ips {
    /// Bound to these addresses.
    pub fn only(addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        Self::Only(
            addresses
                .into_iter()
                .map(|address| Place {
                    address: address.to_canonical(),
                    prefix: None,
                })
                .collect(),
        )
    }

    /// Reads the addresses of a request. None of them means unbound.
    pub(super) fn requested(addresses: &[String], max: usize, segments: Segments) -> Result<Self, Refusal> {
        if addresses.is_empty() {
            return Ok(Self::Any);
        }
        let read = addresses
            .iter()
            .map(|text| place(text, segments))
            .collect::<Result<Vec<_>, _>>()?;
        if read.len() > max {
            let why = format!("{} addresses are more than {max}", read.len());
            return Err(Refusal::new(Reason::TooManyAddresses, why));
        }
        Ok(Self::Only(read))
    }

    /// Whether a caller at this address may use the key. An IPv4 address mapped into IPv6 counts as the IPv4
    /// address.
    pub fn admits(&self, caller: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::Only(places) => places.iter().any(|place| place.has(caller.to_canonical())),
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
            Self::Only(places) => places.iter().map(Place::to_string).collect(),
        }
    }
}

impl Place {
    fn has(&self, caller: IpAddr) -> bool {
        let Some(prefix) = self.prefix else {
            return self.address == caller;
        };
        match (self.address, caller) {
            (IpAddr::V4(own), IpAddr::V4(caller)) => {
                let differs = u32::from(own) ^ u32::from(caller);
                differs.checked_shr(32 - prefix).is_none_or(|bits| bits == 0)
            }
            (IpAddr::V6(own), IpAddr::V6(caller)) => {
                let differs = u128::from(own) ^ u128::from(caller);
                differs.checked_shr(128 - prefix).is_none_or(|bits| bits == 0)
            }
            _ => false,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.prefix {
            None => self.address.fmt(f),
            Some(prefix) => write!(f, "{}/{prefix}", self.address),
        }
    }
}

fn place(text: &str, segments: Segments) -> Result<Place, Refusal> {
    let none = || Refusal::parameter(format!("{text:?} is no address"));
    let (address, prefix) = match text.trim().split_once('/') {
        Some((address, prefix)) if segments == Segments::Taken => (address, Some(prefix)),
        _ => (text.trim(), None),
    };
    let address = address.parse::<IpAddr>().map_err(|_| none())?.to_canonical();
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.map(str::parse).transpose().map_err(|_| none())?;
    if prefix.is_some_and(|prefix: u32| prefix > longest) {
        return Err(none());
    }
    Ok(Place { address, prefix })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requested(addresses: &[&str], max: usize) -> Result<Ips, Reason> {
        let owned: Vec<String> = addresses.iter().map(|text| (*text).to_owned()).collect();
        Ips::requested(&owned, max, Segments::Refused).map_err(|refusal| refusal.reason)
    }

    fn segment(text: &str) -> Result<Ips, Reason> {
        Ips::requested(&[text.to_owned()], 20, Segments::Taken).map_err(|refusal| refusal.reason)
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
    fn a_segment_admits_all_that_share_its_bits() {
        for (text, inside, outside) in [
            ("203.0.113.0/24", "203.0.113.255", "203.0.114.0"),
            ("203.0.113.7/32", "203.0.113.7", "203.0.113.6"),
            ("0.0.0.0/0", "198.51.100.1", "2001:db8::1"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"),
            ("::/0", "2001:db8::1", "198.51.100.1"),
        ] {
            let ips = segment(text).expect("it is a segment");
            assert_eq!(ips.shown(), [text]);
            assert!(ips.admits(inside.parse().expect("an address")), "{inside}");
            assert!(!ips.admits(outside.parse().expect("an address")), "{outside}");
        }
        for text in [
            "203.0.113.0/33",
            "2001:db8::/129",
            "203.0.113.0/",
            "203.0.113.0/-1",
            "/24",
        ] {
            assert_eq!(segment(text), Err(Reason::Parameter), "{text}");
        }
    }

    #[test]
    fn a_mapped_caller_is_the_ipv4_caller() {
        let ips = requested(&["127.0.0.1"], 20).expect("it is an address");
        assert!(ips.admits("::ffff:127.0.0.1".parse().expect("mapped")));
        assert!(ips.admits("127.0.0.1".parse().expect("plain")));
        assert!(!ips.admits("::1".parse().expect("another address")));
    }
}
