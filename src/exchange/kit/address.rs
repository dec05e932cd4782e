//! Addresses that keys are bound to, as requests and replies spell them.

use protocol::secret::{Address, Addresses};

/// An IPv6 address with its range takes this many characters at most.
const LONGEST: usize = 43;

/// Addresses separated by commas, and another word for anywhere.
pub(in crate::exchange) fn joined(addresses: &Addresses, anywhere: &str) -> String {
    match addresses {
        Addresses::Any => anywhere.to_owned(),
        Addresses::Only(addresses) => addresses
            .iter()
            .map(Address::as_str)
            .collect::<Vec<_>>()
            .join(","),
    }
}

/// Addresses as replies list them, with `*` in it or nothing at all for anywhere.
///
/// # Errors
/// What no address looks like: it would be shown as it is.
pub(in crate::exchange) fn read(ips: &[String]) -> Result<Addresses, &'static str> {
    let fits = |b: u8| b.is_ascii_hexdigit() || b".:/*- ".contains(&b);
    if !ips
        .iter()
        .all(|ip| ip.len() <= LONGEST && ip.contains(['.', ':', '*']) && ip.bytes().all(fits))
    {
        return Err("binds a key to what is no address");
    }
    let everywhere = |ip: &String| ip == "*" || ip.ends_with("/0") || ip == "0.0.0.0" || ip == "::";
    if ips.is_empty() || ips.iter().any(everywhere) {
        return Ok(Addresses::Any);
    }
    Ok(Addresses::Only(
        ips.iter().map(|ip| Address::as_shown(ip.trim())).collect(),
    ))
}

/// Addresses as [`joined`] writes them, with nothing at all for anywhere.
///
/// # Errors
/// As [`read`].
pub(in crate::exchange) fn split(ips: &str) -> Result<Addresses, &'static str> {
    let ips: Vec<String> = ips
        .split(',')
        .map(|ip| ip.trim().to_owned())
        .filter(|ip| !ip.is_empty())
        .collect();
    read(&ips)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_bound_to_nothing_is_usable_from_anywhere() {
        for unbound in [
            &[][..],
            &["*".to_owned()],
            &["203.0.113.7".to_owned(), "0.0.0.0/0".into()],
        ] {
            assert_eq!(read(unbound), Ok(Addresses::Any));
        }
        let two = read(&["203.0.113.7".into(), "10.0.0.1".into()]).unwrap();
        assert_eq!(joined(&two, "*"), "10.0.0.1,203.0.113.7");
        assert_eq!(joined(&Addresses::Any, "*"), "*");
    }

    #[test]
    fn an_address_of_an_unknown_form_is_kept_and_what_is_none_is_not() {
        assert_eq!(joined(&read(&["10.0.*.*".into()]).unwrap(), ""), "10.0.*.*");
        for none in [
            "",
            "zqLxk9x1HNEzfPWEAEOuhikbC6vl5pQjBjMO",
            "0123456789abcdef",
            "bot.example",
        ] {
            assert!(read(&[none.to_owned()]).is_err(), "{none}");
        }
    }
}
