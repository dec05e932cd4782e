//! A list that comes in pages.

use std::collections::BTreeSet;

use jiff::Timestamp;
use protocol::ports::{ErrorClass, KeyList, Signer, VenueError};

use super::answer::{Answer, KeyPage};
use super::call::Draft;
use super::line::Line;
use super::wire::Wire;

/// More pages than an account's keys can fill; a cursor that never ends must not hold us.
const MOST_PAGES: usize = 50;

impl<W: Wire> Line<W> {
    /// The keys on all pages: `page` asks for the first, or for the one that begins at a cursor.
    pub(super) async fn pages(
        &self,
        signer: &Signer,
        page: impl Fn(&str) -> Draft + Send,
    ) -> Result<KeyList, VenueError>
    where
        KeyPage: Answer<W>,
    {
        let mut list = KeyList {
            keys: Vec::new(),
            as_of: Timestamp::now(),
        };
        let (mut cursor, mut seen) = (String::new(), BTreeSet::new());
        for _ in 0..MOST_PAGES {
            let page: KeyPage = self.call(signer, page(&cursor)).await?;
            list.as_of = page.list.as_of;
            list.keys.extend(page.list.keys);
            cursor = page.next;
            if cursor.is_empty() {
                return Ok(list);
            }
            // One that comes again would go on for ever.
            if !seen.insert(cursor.clone()) {
                break;
            }
        }
        Err(VenueError {
            class: ErrorClass::UnknownOutcome,
            whose: signer.whose,
            say: format!("{}: {}'s list of keys does not end", self.id(), W::NAME),
        })
    }
}
