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
use finderscope_intake::{Intake, Quiet, Watch};
use finderscope_journal::Journal;
use finderscope_transport::udp::{self, Batch, Gathering, UdpSocket, Waker};
use finderscope_wire::delivery::{Delivery, Listener, Scheme};

use crate::board::{Health, Seat};
use crate::recover::{self, Recovered};
use crate::seldom::Seldom;
use crate::tap::Spout;
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
/// How often the exporters' figures go there though nobody asks: their rates are over such times.
const EXPORTERS_EVERY: Duration = Duration::from_secs(10);
/// The decoder's state is saved at the first cut after so long, or after so much: the journal is kept from there on, and
/// a short one is replayed sooner and has its files in the system's cache when they are written over.
const STATE_EVERY: Duration = Duration::from_secs(60);
const STATE_EVERY_BYTES: u64 = 32 << 20;
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
    pub(crate) spout: Spout,
    pub(crate) cut_every: Duration,
}

/// Whether rows are being made.
enum Mode {
    /// As it should be.
    Decoding,
    /// The disk failed; deliveries are journaled, and decoded later.
    Stalled { retry_at: Instant, reason: String },
}

/// What a round over the sockets brought.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Round {
    /// Nothing was queued.
    Nothing,
    /// All that was queued.
    Emptied,
    /// As much as one round takes; there is more.
    More,
}

/// Which sockets a round looks at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Which {
    /// Those that the last wait found something at.
    Ready,
    /// Every one.
    All,
}

struct Running {
    shard: Shard,
    tables: Tables,
    mode: Mode,
    /// Datagrams of this round.
    taken: usize,
    last_cut: Instant,
    last_state: Instant,
    /// What came since then, and what the state took.
    bytes_since_state: u64,
    state_bytes: u64,
    last_flush: Instant,
    last_publish: Instant,
    last_exporters: Instant,
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
            taken: 0,
            last_cut: now,
            last_state: now,
            bytes_since_state: 0,
            state_bytes: 0,
            last_flush: now,
            last_publish: now,
            last_exporters: now,
            handed,
            unwritten: Seldom::default(),
            unstored: Seldom::default(),
        };
        let mut batch = Batch::new(BATCH_DATAGRAMS);
        running.publish();
        running.shard.seat.publish_exporters(&running.shard.intake);
        let mut gathering = Gathering::new(&running.shard.sockets);
        let mut round = Round::Nothing;
        while !running.shard.seat.is_stopping() {
            // A single socket need not be asked whether it has something: receiving says so.
            if round == Round::Nothing || running.shard.sockets.len() > 1 {
                running.wait();
            }
            running.taken = 0;
            round = running.receive(&mut batch, Which::Ready);
            running.tick(Instant::now());
            if round == Round::Emptied {
                std::thread::sleep(gathering.after(running.taken));
            }
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

    /// Takes what is queued, each socket in its turn.
    fn receive(&mut self, batch: &mut Batch, which: Which) -> Round {
        let mut round = Round::Nothing;
        for at in 0..self.shard.sockets.len() {
            if which == Which::All || self.shard.sockets[at].is_ready() {
                round = round.max(self.receive_from(at, batch));
            }
        }
        round
    }

    fn receive_from(&mut self, at: usize, batch: &mut Batch) -> Round {
        let listener = Listener { scheme: Scheme::Udp, address: self.shard.sockets[at].local_address() };
        let mut round = Round::Nothing;
        for _ in 0..BATCHES_IN_A_ROW {
            let count = match self.shard.sockets[at].receive(batch) {
                Ok(count) => count,
                Err(error) => {
                    tracing::error!(%error, %listener, "cannot receive");
                    0
                }
            };
            if count == 0 {
                return round;
            }
            self.take(batch, listener);
            round = Round::Emptied;
            if count < BATCH_DATAGRAMS {
                return round;
            }
        }
        Round::More
    }

    fn take(&mut self, batch: &Batch, listener: Listener) {
        self.taken += batch.len();
        let tapped = self.shard.spout.is_wanted();
        self.shard.intake.foresee(batch.iter().map(|received| (received.source.ip(), received.bytes)));
        for received in batch.iter() {
            self.bytes_since_state += received.bytes.len() as u64;
            let delivery = Delivery {
                sequence: 0,
                received_ns: received.received_ns,
                source: received.source,
                listener,
                identity: None,
                bytes: received.bytes,
            };
            match self.shard.journal.append(&delivery) {
                Ok(sequence) if tapped => {
                    let delivery = Delivery { sequence, ..delivery };
                    self.show(&delivery, !matches!(self.mode, Mode::Stalled { .. }));
                    self.decode(&delivery, true);
                }
                Ok(sequence) => self.decode(&Delivery { sequence, ..delivery }, false),
                Err(error) => {
                    if tapped {
                        self.show(&delivery, false);
                    }
                    self.shard.intake.dropped(&delivery, error.reason());
                }
            }
        }
        self.shard.intake.settle(&mut self.tables);
        if tapped {
            self.shard.spout.hand_over();
        }
        self.hand_over(false);
    }

    /// Gives a datagram to those who look on, whatever the disk does.
    fn show(&mut self, delivery: &Delivery<'_>, is_decoded: bool) {
        // Decoding also refuses; what is not decoded is refused here.
        if is_decoded || !self.shard.intake.config().refuses(delivery.source.ip()) {
            self.shard.spout.add(delivery);
        }
    }

    fn decode(&mut self, delivery: &Delivery<'_>, tapped: bool) {
        if matches!(self.mode, Mode::Stalled { .. }) {
            return; // the replay will
        }
        let watch: &mut dyn Watch = if tapped { &mut self.shard.spout } else { &mut Quiet };
        self.shard.intake.gather(delivery, &mut self.tables, watch);
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
            self.cut(now, self.state_is_due(now));
        }
        if let Some(config) = self.shard.seat.new_config() {
            self.shard.intake.reconfigure(config);
        }
        if now - self.last_publish >= PUBLISH_EVERY {
            self.last_publish = now;
            self.publish();
        }
        if now - self.last_exporters >= EXPORTERS_EVERY || self.shard.seat.are_exporters_wanted() {
            self.last_exporters = now;
            self.shard.seat.publish_exporters(&self.shard.intake);
        }
    }

    /// Lets what was appended be written, by the thread that writes journals.
    fn flush(&mut self) {
        if let Err(error) = self.shard.journal.hand_over()
            && let Some(times) = self.unwritten.say(Instant::now())
        {
            tracing::warn!(%error, shard = self.shard.writer.shard(), times, "the journal cannot be written");
        }
    }

    fn cut_is_due(&self) -> bool {
        let is_decoding = matches!(self.mode, Mode::Decoding);
        is_decoding && !self.shard.writer.is_cutting() && self.shard.journal.next_position() > self.handed
    }

    fn state_is_due(&self, now: Instant) -> bool {
        now - self.last_state >= STATE_EVERY || self.bytes_since_state >= STATE_EVERY_BYTES.max(16 * self.state_bytes)
    }

    /// Hands everything over that was decoded so far, to be made to count.
    fn cut(&mut self, now: Instant, with_state: bool) {
        self.flush();
        self.hand_over(true);
        let position = self.shard.journal.next_position();
        let state = (with_state && self.shard.intake.state_changed()).then(|| (position, self.shard.intake.state()));
        if with_state {
            self.last_state = now;
            self.bytes_since_state = 0;
        }
        if let Some((_, state)) = &state {
            self.state_bytes = state.len() as u64;
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
        if let Err(error) = self.shard.journal.flush()
            && let Some(times) = self.unwritten.say(now)
        {
            tracing::warn!(%error, shard = self.shard.writer.shard(), times, "the journal cannot be written");
        }
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
        self.shard.spout.is_wanted(); // an idle shard lets go of those who have left
        let Shard { sockets, journal, seat, .. } = &mut self.shard;
        seat.publish(sockets, journal, health);
    }

    /// Reads the sockets until they are empty, closes them, and seals everything into parts.
    fn finish(mut self, batch: &mut Batch) {
        let started = Instant::now();
        loop {
            let round = self.receive(batch, Which::All);
            self.tick(Instant::now());
            if round == Round::Nothing || started.elapsed() > DRAIN_AT_MOST {
                break;
            }
        }
        self.publish(); // the sockets' last drops
        self.shard.sockets.clear();
        self.seal();
        self.publish();
        self.shard.seat.publish_exporters(&self.shard.intake);
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
        if let Err(error) = self.shard.journal.finish() {
            tracing::warn!(%error, "the journal's last segment cannot be brought to its end");
        }
        if let Mode::Stalled { reason, .. } = &self.mode {
            tracing::error!(%reason, "not everything could be sealed; the next start does it from the journal");
        }
    }
}
