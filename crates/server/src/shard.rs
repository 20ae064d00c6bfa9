//! A shard: one thread that owns its sockets, its journal, its decoder and its builders, and shares nothing.
//!
//! What comes is journaled, decoded into builders, and handed in batches to the shard's [`Writer`], a thread
//! of its own, so that receiving never waits for the disk. A cut hands over everything up to a journal position;
//! when the writer has made it count, the journal is released.
//!
//! When the disk fails, all rows since the last cut are gone from memory by design, and the journal has them:
//! the shard goes on journaling, and replays as soon as the disk works again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use finderscope_flow::Tables;
use finderscope_flow::builder::BATCH_ROWS;
use finderscope_intake::{Intake, Quiet};
use finderscope_journal::Journal;
use finderscope_transport::udp::{self, Batch, UdpSocket, Waker};
use finderscope_wire::delivery::{Delivery, Listener, Scheme};

use crate::board::{Health, Seat};
use crate::recover::{self, Recovered};
use crate::seldom::Seldom;
use crate::writer::{Outcome, Writer};

/// Datagrams of one system call.
const BATCH_DATAGRAMS: usize = 64;
/// System calls to one socket before the others have their turn.
const BATCHES_IN_A_ROW: usize = 16;
/// How long an idle shard sleeps: so fine are its timers.
const IDLE: Duration = Duration::from_millis(50);
/// How often the journal's buffer goes to the operating system, and the figures to the board.
const FLUSH_EVERY: Duration = Duration::from_millis(200);
const PUBLISH_EVERY: Duration = Duration::from_secs(1);
/// The decoder's state is saved at the first cut after so long.
const STATE_EVERY: Duration = Duration::from_secs(60);
/// How long after a failed write to try again.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// At the end the sockets are read until they are empty, but not for ever.
const DRAIN_AT_MOST: Duration = Duration::from_secs(5);

/// What a shard is made of.
pub(crate) struct Shard {
    pub(crate) sockets: Vec<UdpSocket>,
    pub(crate) waker: Waker,
    pub(crate) journal: Journal,
    pub(crate) intake: Intake,
    pub(crate) tables: Tables,
    pub(crate) writer: Writer,
    pub(crate) seat: Arc<Seat>,
    pub(crate) cut_every: Duration,
}

/// Whether rows are being made.
enum Mode {
    /// As it should be.
    Decoding,
    /// The disk failed; deliveries are journaled, and decoded later.
    Stalled { retry_at: Instant, reason: String },
}

struct Running {
    shard: Shard,
    tables: Tables,
    mode: Mode,
    last_cut: Instant,
    last_state: Instant,
    last_flush: Instant,
    last_publish: Instant,
    /// The position of the last cut that was handed over.
    handed: u64,
    /// What is said of a disk that does not take what it should.
    unwritten: Seldom,
    unstored: Seldom,
}

impl Shard {
    /// Works until the seat is told to stop; then reads what is left, and seals everything.
    pub(crate) fn run(mut self) {
        let now = Instant::now();
        let handed = self.writer.position();
        let tables = std::mem::take(&mut self.tables);
        let mut running = Running {
            shard: self,
            tables,
            mode: Mode::Decoding,
            last_cut: now,
            last_state: now,
            last_flush: now,
            last_publish: now,
            handed,
            unwritten: Seldom::default(),
            unstored: Seldom::default(),
        };
        let mut batch = Batch::new(BATCH_DATAGRAMS);
        running.publish();
        while !running.shard.seat.is_stopping() {
            running.wait();
            running.receive(&mut batch);
            running.tick(Instant::now());
        }
        running.finish(&mut batch);
    }
}

impl Running {
    fn wait(&mut self) {
        if let Err(error) = udp::wait(&mut self.shard.sockets, &self.shard.waker, IDLE) {
            tracing::error!(%error, "cannot wait for datagrams");
            std::thread::sleep(IDLE); // or a broken poll would spin
        }
    }

    /// Takes what is queued, each socket in its turn; true when there was anything.
    fn receive(&mut self, batch: &mut Batch) -> bool {
        let mut any = false;
        for at in 0..self.shard.sockets.len() {
            let listener = Listener { scheme: Scheme::Udp, address: self.shard.sockets[at].local_address() };
            for _ in 0..BATCHES_IN_A_ROW {
                let count = match self.shard.sockets[at].receive(batch) {
                    Ok(count) => count,
                    Err(error) => {
                        tracing::error!(%error, %listener, "cannot receive");
                        0
                    }
                };
                if count == 0 {
                    break;
                }
                any = true;
                self.take(batch, listener);
                if count < BATCH_DATAGRAMS {
                    break;
                }
            }
        }
        any
    }

    fn take(&mut self, batch: &Batch, listener: Listener) {
        self.shard.intake.foresee(batch.iter().map(|received| (received.source.ip(), received.bytes)));
        for received in batch.iter() {
            let delivery = Delivery {
                sequence: 0,
                received_ns: received.received_ns,
                source: received.source,
                listener,
                identity: None,
                bytes: received.bytes,
            };
            match self.shard.journal.append(&delivery) {
                Ok(sequence) => self.decode(&Delivery { sequence, ..delivery }),
                Err(error) => self.shard.intake.dropped(&delivery, error.reason()),
            }
        }
        self.hand_over(false);
    }

    fn decode(&mut self, delivery: &Delivery<'_>) {
        if matches!(self.mode, Mode::Stalled { .. }) {
            return; // the replay will
        }
        self.shard.intake.handle(delivery, &mut self.tables, &mut Quiet);
        if self.tables.all().iter().any(|builder| builder.rows() >= BATCH_ROWS) {
            self.hand_over(false);
        }
    }

    /// Gives full builders to the writer; with `all`, also those that are not full.
    fn hand_over(&mut self, all: bool) {
        for builder in self.tables.all() {
            if builder.is_full() || (all && !builder.is_empty()) {
                self.shard.writer.write(builder.table(), builder.finish());
            }
        }
        for (table, batch) in self.shard.writer.written() {
            self.tables.of(table).recycle(batch);
        }
    }

    fn tick(&mut self, now: Instant) {
        if now - self.last_flush >= FLUSH_EVERY {
            self.last_flush = now;
            self.flush();
        }
        self.settle(now);
        if let Mode::Stalled { retry_at, .. } = self.mode
            && now >= retry_at
        {
            self.replay(now);
        }
        if now - self.last_cut >= self.shard.cut_every && self.cut_is_due() {
            self.cut(now, now - self.last_state >= STATE_EVERY);
        }
        if let Some(config) = self.shard.seat.new_config() {
            self.shard.intake.reconfigure(config);
        }
        if now - self.last_publish >= PUBLISH_EVERY {
            self.last_publish = now;
            self.publish();
        }
    }

    fn flush(&mut self) {
        if let Err(error) = self.shard.journal.flush()
            && let Some(times) = self.unwritten.say(Instant::now())
        {
            tracing::warn!(%error, shard = self.shard.writer.shard(), times, "the journal cannot be written");
        }
    }

    fn cut_is_due(&self) -> bool {
        let is_decoding = matches!(self.mode, Mode::Decoding);
        is_decoding && !self.shard.writer.is_cutting() && self.shard.journal.next_position() > self.handed
    }

    /// Hands everything over that was decoded so far, to be made to count.
    fn cut(&mut self, now: Instant, with_state: bool) {
        self.flush();
        self.hand_over(true);
        let position = self.shard.journal.next_position();
        let state = (with_state && self.shard.intake.state_changed()).then(|| (position, self.shard.intake.state()));
        if with_state {
            self.last_state = now;
        }
        self.shard.intake.cut();
        self.shard.writer.cut(position, state);
        self.handed = position;
        self.last_cut = now;
    }

    /// Looks what became of the last cut.
    fn settle(&mut self, now: Instant) {
        match self.shard.writer.outcome() {
            None => {}
            Some(Outcome::Committed { needed_from }) => {
                if let Err(error) = self.shard.journal.release(needed_from) {
                    tracing::warn!(%error, "the journal cannot be shortened");
                }
            }
            Some(Outcome::Failed(reason)) => {
                if let Some(times) = self.unstored.say(now) {
                    let shard = self.shard.writer.shard();
                    tracing::error!(%reason, shard, times, "rows cannot be stored; the journal keeps them");
                }
                self.mode = Mode::Stalled { retry_at: now + RETRY_AFTER, reason };
                self.tables = Tables::default();
            }
        }
    }

    /// Decodes again what the journal has since the last cut that counts.
    fn replay(&mut self, now: Instant) {
        self.flush();
        let Shard { journal, writer, seat, intake, .. } = &mut self.shard;
        match recover::replay(journal, writer, seat.config(), intake) {
            Ok(Recovered { intake, tables, .. }) => {
                self.shard.intake = intake;
                self.tables = tables;
                self.mode = Mode::Decoding;
                self.handed = self.shard.writer.position();
                self.cut(now, true);
            }
            Err(error) => self.mode = Mode::Stalled { retry_at: now + RETRY_AFTER, reason: error.to_string() },
        }
    }

    fn publish(&mut self) {
        let health = match &self.mode {
            Mode::Decoding => Health::Sound,
            Mode::Stalled { reason, .. } => Health::Stalled(reason.clone()),
        };
        let Shard { sockets, journal, intake, seat, .. } = &mut self.shard;
        seat.publish(sockets, journal, intake, health);
    }

    /// Reads the sockets until they are empty, closes them, and seals everything into parts.
    fn finish(mut self, batch: &mut Batch) {
        let started = Instant::now();
        loop {
            let any = self.receive(batch);
            self.tick(Instant::now());
            if !any || started.elapsed() > DRAIN_AT_MOST {
                break;
            }
        }
        self.publish(); // the sockets' last drops
        self.shard.sockets.clear();
        self.seal();
        self.publish();
    }

    /// The last cut, with the decoder's state. What a failing disk does not take stays in the journal.
    fn seal(&mut self) {
        self.shard.writer.settle();
        self.settle(Instant::now());
        if matches!(self.mode, Mode::Stalled { .. }) {
            self.replay(Instant::now());
        } else if self.shard.journal.next_position() > self.handed || self.shard.intake.state_changed() {
            self.cut(Instant::now(), true);
        }
        self.shard.writer.settle();
        self.settle(Instant::now());
        if let Mode::Stalled { reason, .. } = &self.mode {
            tracing::error!(%reason, "not everything could be sealed; the next start does it from the journal");
        }
    }
}
