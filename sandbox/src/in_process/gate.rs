//! Where an invocation's calls and sleeps wait to be let through.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use jiff::Timestamp;

use super::call::{Call, Fault, Operation};

/// Something that waits: a call before it is sent, or a sleep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Point {
    /// A call of a port.
    Call(Call),
    /// A sleep until then.
    Sleep(Timestamp),
}

/// Names something that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(u64);

/// One invocation's gate.
#[derive(Clone, Debug, Default)]
pub(super) struct Gate(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    /// Whether nothing waits here.
    open: bool,
    next_ticket: u64,
    round: usize,
    waiting: Vec<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    ticket: Ticket,
    point: Point,
    order: Order,
    waker: Waker,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Wait,
    /// On, with a fault or without.
    Go(Option<Fault>),
}

impl Point {
    fn as_call(&self) -> Option<&Call> {
        if let Self::Call(call) = self {
            Some(call)
        } else {
            None
        }
    }

    fn as_sleep(&self) -> Option<Timestamp> {
        if let Self::Sleep(until) = self {
            Some(*until)
        } else {
            None
        }
    }
}

impl Inner {
    /// What waits, and was not let through yet.
    fn held(&self) -> impl Iterator<Item = &Waiting> {
        self.waiting.iter().filter(|one| one.order == Order::Wait)
    }
}

impl Gate {
    /// A gate that lets everything through at once.
    pub(super) fn open() -> Self {
        let gate = Self::default();
        gate.lock().open = true;
        gate
    }

    /// Waits to be let through; gives the fault to suffer.
    pub(super) fn pass(&self, point: Point) -> Pass<'_> {
        Pass {
            gate: self,
            point: Some(point),
            ticket: None,
        }
    }

    /// What waits, in the order in which it came.
    pub(super) fn waiting(&self) -> Vec<(Ticket, Point)> {
        self.lock()
            .held()
            .map(|one| (one.ticket, one.point.clone()))
            .collect()
    }

    /// The calls that wait, in the order in which they came.
    pub(super) fn calls(&self) -> Vec<(Ticket, Operation)> {
        self.lock()
            .held()
            .filter_map(|one| Some((one.ticket, one.point.as_call()?.operation)))
            .collect()
    }

    /// The sleep that ends first.
    pub(super) fn first_sleep(&self) -> Option<(Timestamp, Ticket)> {
        self.lock()
            .held()
            .filter_map(|one| Some((one.point.as_sleep()?, one.ticket)))
            .min()
    }

    /// Until when that which waits with this ticket sleeps, if it does.
    pub(super) fn sleep_of(&self, ticket: Ticket) -> Option<Timestamp> {
        self.lock()
            .held()
            .find(|one| one.ticket == ticket)?
            .point
            .as_sleep()
    }

    pub(super) fn let_through(&self, ticket: Ticket, fault: Option<Fault>) {
        let mut inner = self.lock();
        if let Some(waiting) = inner.waiting.iter_mut().find(|waiting| waiting.ticket == ticket) {
            waiting.order = Order::Go(fault);
            waiting.waker.wake_by_ref();
        }
    }

    pub(super) fn next_round(&self) {
        self.lock().round += 1;
    }

    pub(super) fn round(&self) -> usize {
        self.lock().round
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The wait at a gate.
#[derive(Debug)]
pub(super) struct Pass<'a> {
    gate: &'a Gate,
    point: Option<Point>,
    ticket: Option<Ticket>,
}

impl Future for Pass<'_> {
    type Output = Option<Fault>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let gate = self.gate;
        let mut inner = gate.lock();
        if inner.open {
            return Poll::Ready(None);
        }
        if let Some(point) = self.point.take() {
            let ticket = Ticket(inner.next_ticket);
            inner.next_ticket += 1;
            self.ticket = Some(ticket);
            inner.waiting.push(Waiting {
                ticket,
                point,
                order: Order::Wait,
                waker: context.waker().clone(),
            });
            return Poll::Pending;
        }
        let Some(at) = inner
            .waiting
            .iter()
            .position(|waiting| Some(waiting.ticket) == self.ticket)
        else {
            return Poll::Pending;
        };
        if let Order::Go(fault) = inner.waiting[at].order {
            inner.waiting.remove(at);
            return Poll::Ready(fault);
        }
        inner.waiting[at].waker.clone_from(context.waker());
        Poll::Pending
    }
}
