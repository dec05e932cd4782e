//! The clock that moves when somebody moves it.

use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use protocol::ports::Time;

use super::gate::Point;
use super::port::Port;

/// The world's time as one invocation sees it. A sleep waits at the gate until whoever drives lets the clock
/// run.
#[derive(Clone, Debug)]
pub struct ManualTime {
    port: Port,
    /// How far its clock is ahead of everybody else's.
    ahead: SignedDuration,
    deadline: Timestamp,
}

impl ManualTime {
    pub(super) fn new(port: Port, ahead: SignedDuration, ends: Timestamp) -> Self {
        Self {
            port,
            ahead,
            deadline: ends + ahead,
        }
    }
}

#[async_trait]
impl Time for ManualTime {
    fn now(&self) -> Timestamp {
        self.port.state.lock().now + self.ahead
    }

    fn deadline(&self) -> Timestamp {
        self.deadline
    }

    async fn sleep(&self, time: Duration) {
        let until =
            self.port.state.lock().now + SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
        self.port.gate.pass(Point::Sleep(until)).await;
    }

    fn random(&self) -> u64 {
        self.port.state.lock().random.next()
    }
}
