//! Logs on standard output: JSON lines in Lambda, readable text on a terminal.

use std::io::{self, IsTerminal};
use std::panic;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging at this level.
pub(crate) fn init(level: LevelFilter) {
    // Libraries log requests and replies when asked to say more, with headers and bodies. They are never
    // asked.
    let libraries = level.min(LevelFilter::WARN);
    let filter = Targets::new()
        .with_default(libraries)
        // It logs each failed invocation's error a second time.
        .with_target("lambda_runtime", LevelFilter::OFF)
        .with_target("exchange_key_rotation", level)
        .with_target("protocol", level);
    let layer = if io::stdout().is_terminal() {
        tracing_subscriber::fmt::layer().with_target(false).boxed()
    } else {
        tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .boxed()
    };
    tracing_subscriber::registry()
        .with(layer.with_filter(filter))
        .init();
    // A panic's message is made of values, and any of them could be a secret: the place is enough to find the
    // fault.
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a fault of this function");
    }));
}
