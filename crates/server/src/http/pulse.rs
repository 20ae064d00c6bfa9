//! A connection's pulse: how long it may do nothing.
//!
//! ```text
//! begin ─▶ Head ─▶ Answering ─▶ Idle ─▶ Head …
//! ```
//!
//! A head has to be there within its time, however slowly its bytes come; between two requests a connection may rest for a while; and
//! who takes nothing of an answer is not waited for. A live stream is another matter: its reader may pause as long as it
//! likes, and loses what has no room meanwhile.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::connections::Limits;

/// How exact all this is, as a share of the shortest time.
const TICKS: u32 = 8;
const TICK_MIN: Duration = Duration::from_millis(5);

/// What a connection is about.
#[derive(Clone, Debug)]
pub(super) struct Pulse(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    phase: Phase,
    /// Since when the other end takes nothing of what is there for it.
    stalled: Option<Instant>,
    may_pause: bool,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    /// A request's head is on its way.
    Head(Instant),
    /// It is being answered.
    Answering,
    /// Nothing is on its way.
    Idle(Instant),
}

impl Pulse {
    pub(super) fn begin() -> Self {
        let phase = Phase::Head(Instant::now());
        Self(Arc::new(Mutex::new(State { phase, stalled: None, may_pause: false })))
    }

    /// A head came; what is returned is dropped when the answer is over.
    pub(super) fn answering(&self) -> Answering {
        self.lock().phase = Phase::Answering;
        Answering(self.clone())
    }

    /// From here on the reader may take its time.
    pub(super) fn may_pause(&self) {
        self.lock().may_pause = true;
    }

    /// Waits until the connection has done nothing for too long.
    pub(super) async fn stopped(&self, limits: Limits) {
        let tick = (limits.request.min(limits.idle).min(limits.stall) / TICKS).max(TICK_MIN);
        while !self.is_overdue(Instant::now(), limits) {
            tokio::time::sleep(tick).await;
        }
    }

    fn is_overdue(&self, now: Instant, limits: Limits) -> bool {
        let state = self.lock();
        let is_past = |since: Instant, limit| now.saturating_duration_since(since) >= limit;
        if !state.may_pause && state.stalled.is_some_and(|since| is_past(since, limits.stall)) {
            return true;
        }
        match state.phase {
            Phase::Head(since) => is_past(since, limits.request),
            Phase::Idle(since) => is_past(since, limits.idle),
            Phase::Answering => false,
        }
    }

    fn came(&self) {
        let mut state = self.lock();
        if matches!(state.phase, Phase::Idle(_)) {
            state.phase = Phase::Head(Instant::now());
        }
    }

    fn written<T>(&self, result: &Poll<T>) {
        let mut state = self.lock();
        match result {
            Poll::Ready(_) => state.stalled = None,
            Poll::Pending => {
                state.stalled.get_or_insert_with(Instant::now);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer on its way.
#[derive(Debug)]
pub(super) struct Answering(Pulse);

impl Answering {
    /// The body of the answer, with which it ends.
    pub(super) fn until_the_end_of(self, body: Body) -> Body {
        Body::new(Answer { body, _answering: self })
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.lock().phase = Phase::Idle(Instant::now());
    }
}

struct Answer {
    body: Body,
    _answering: Answering,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A connection that tells what happens on it.
pub(super) struct Watched<S> {
    stream: S,
    pulse: Pulse,
}

impl<S> Watched<S> {
    pub(super) const fn new(stream: S, pulse: Pulse) -> Self {
        Self { stream, pulse }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            self.pulse.came();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.pulse.written(&result);
        result
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.pulse.written(&result);
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        connections: 1,
        per_address: 1,
        request: Duration::from_secs(10),
        idle: Duration::from_secs(60),
        stall: Duration::from_secs(30),
    };

    #[track_caller]
    fn ends_after(pulse: &Pulse, seconds: u64) {
        let now = Instant::now();
        assert!(!pulse.is_overdue(now + Duration::from_secs(seconds - 1), LIMITS), "a second before");
        assert!(pulse.is_overdue(now + Duration::from_secs(seconds + 1), LIMITS), "a second after");
    }

    #[test]
    fn a_head_has_its_time_however_often_bytes_come() {
        let pulse = Pulse::begin();
        ends_after(&pulse, 10);
        pulse.lock().phase = Phase::Head(Instant::now() - Duration::from_secs(8));
        pulse.came();
        ends_after(&pulse, 2);
    }

    #[test]
    fn an_answer_may_take_its_time_and_then_the_connection_may_rest() {
        let pulse = Pulse::begin();
        let answering = pulse.answering();
        pulse.came(); // a request's body
        assert!(!pulse.is_overdue(Instant::now() + Duration::from_secs(1_000), LIMITS));
        drop(answering);
        ends_after(&pulse, 60);
        pulse.came();
        ends_after(&pulse, 10);
    }

    #[test]
    fn who_takes_nothing_of_an_answer_is_given_up_unless_it_may_pause() {
        let pulse = Pulse::begin();
        let _answering = pulse.answering();
        pulse.written(&Poll::<()>::Pending);
        pulse.written(&Poll::<()>::Pending);
        ends_after(&pulse, 30);
        pulse.written(&Poll::Ready(()));
        assert!(!pulse.is_overdue(Instant::now() + Duration::from_secs(1_000), LIMITS));
        pulse.written(&Poll::<()>::Pending);
        pulse.may_pause();
        assert!(!pulse.is_overdue(Instant::now() + Duration::from_secs(1_000), LIMITS));
    }
}
