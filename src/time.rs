//! The machine's clock, and how long an invocation may take.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use jiff::Timestamp;
use lambda_runtime::Context;
use protocol::ports::Time;

/// The machine's clock, and when the invocation ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InvocationTime {
    deadline: Timestamp,
}

#[async_trait]
impl Time for InvocationTime {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn deadline(&self) -> Timestamp {
        self.deadline
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    fn random(&self) -> u64 {
        fastrand::u64(..)
    }
}

impl InvocationTime {
    /// Lambda gives the deadline as a time. `cargo lambda watch` gives a duration in its place, 600000, which
    /// as a time would lie in 1970: before the process began at `started`.
    pub(crate) fn of(context: &Context, started: Timestamp) -> Self {
        let given = Timestamp::try_from(context.deadline()).unwrap_or(Timestamp::MAX);
        if given >= started {
            return Self { deadline: given };
        }
        let length = context
            .deadline()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            deadline: Timestamp::now().checked_add(length).unwrap_or(Timestamp::MAX),
        }
    }

    /// What is left of the invocation.
    pub(crate) fn left(&self) -> Duration {
        Duration::try_from(self.deadline.duration_since(Timestamp::now())).unwrap_or_default()
    }
}
