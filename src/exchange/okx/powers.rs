//! Our vocabulary in OKX's permissions, which are three: `read_only`, `trade`, `withdraw`. Source: docs-v5,
//! "Create an API Key for a sub-account", "Get account configuration".

use protocol::ports::Powers;
use protocol::secret::{Permission, Permissions, Word};
use protocol::shown;

/// What a key with these permissions may do, as a list of words separated by commas. Some replies say `read`
/// for `read_only`.
pub(super) fn powers(perm: &str) -> Powers {
    let mut powers = Powers::default();
    for word in perm.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        match word {
            "read_only" | "read" => {
                powers.permissions.insert(Permission::whole(Word::Read));
            }
            "trade" => {
                let both = [Word::Read, Word::Trade].map(Permission::whole);
                powers.permissions.extend(both);
            }
            "withdraw" => powers.moves_funds.push(word.to_owned()),
            other => powers.unknown.push(shown(other)),
        }
    }
    powers
}

/// What to ask OKX for.
///
/// # Errors
/// What OKX does not grant, and what to write instead.
pub(super) fn request(permissions: &Permissions) -> Result<&'static str, String> {
    for permission in permissions {
        match (permission.word, &permission.part) {
            (Word::Read | Word::Trade, None) => {}
            (Word::Spot | Word::Derivatives | Word::Options | Word::Convert | Word::Earn, None) => {
                return Err(format!(
                    "OKX does not grant `{permission}` alone: write `trade` in its place, by which a key may \
                     trade whatever its account may"
                ));
            }
            _ => {
                return Err(format!(
                    "OKX has nothing like the permission `{}`: write `read` or `trade`",
                    shown(&permission.to_string())
                ));
            }
        }
    }
    let trades = permissions.contains(&Permission::whole(Word::Trade));
    Ok(if trades { "read_only,trade" } else { "read_only" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permissions(words: &[&str]) -> Permissions {
        words.iter().map(|word| word.parse().unwrap()).collect()
    }

    fn words(powers: &Powers) -> Vec<String> {
        powers.permissions.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_permission_asked_for_is_the_permission_held() {
        for asked in [&["read"][..], &["read", "trade"]] {
            assert_eq!(words(&powers(request(&permissions(asked)).unwrap())), asked);
        }
        assert_eq!(request(&permissions(&["trade"])), Ok("read_only,trade"));
        assert_eq!(words(&powers("trade, read")), ["read", "trade"]);
    }

    #[test]
    fn a_part_of_trading_is_never_widened_to_all_of_it() {
        for word in ["spot", "derivatives", "options", "earn", "convert"] {
            let refused = request(&permissions(&["read", word])).unwrap_err();
            assert!(refused.contains(word) && refused.contains("`trade`"), "{refused}");
        }
        for part in ["trade:x", "read:Spot.SpotTrade", "derivatives:Order"] {
            assert!(request(&permissions(&[part])).is_err(), "{part}");
        }
    }

    #[test]
    fn what_withdraws_or_is_unknown_is_forbidden() {
        let powers = powers("read_only,withdraw,trade,teleport");
        assert_eq!(powers.forbidden(), ["withdraw", "teleport"]);
        assert_eq!(words(&powers), ["read", "trade"]);
    }
}
