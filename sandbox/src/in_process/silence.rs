//! Everything that the code logs in a world.

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Metadata, Subscriber};

/// What was logged. It has a lock of its own, since logging may happen under the world's.
#[derive(Clone, Debug, Default)]
pub(super) struct Log(Arc<Mutex<String>>);

impl Log {
    /// A listener that writes every event into the log.
    pub(super) fn listener(&self) -> Dispatch {
        Dispatch::new(Listener(self.clone()))
    }

    pub(super) fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn say(&self, words: &str) {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.push_str(words);
        log.push('\n');
    }
}

/// What an act gives, and what was logged meanwhile.
pub fn heard<T>(act: impl FnOnce() -> T) -> (T, String) {
    let log = Log::default();
    let done = tracing::dispatcher::with_default(&log.listener(), act);
    (done, log.text())
}

#[derive(Debug)]
struct Listener(Log);

impl Subscriber for Listener {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut words = Words(span.metadata().name().to_owned());
        span.record(&mut words);
        self.0.say(&words.0);
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut words = Words(String::new());
        values.record(&mut words);
        self.0.say(&words.0);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut words = Words(event.metadata().level().to_string());
        event.record(&mut words);
        self.0.say(&words.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Words(String);

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // A String takes all that is written to it.
        let _ = write!(self.0, " {field}={value:?}");
    }
}
