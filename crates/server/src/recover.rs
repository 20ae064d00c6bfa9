//! Going on where the last life ended: state, then the journal, before any socket opens.
//!
//! The decoder's state was saved at some position S, and rows are stored up to P (semantics of keeping). The journal is
//! replayed from S: up to P for the state alone, from P on for rows too. The same is done while running,
//! after the disk failed in the middle of a cut.

use std::path::{Path, PathBuf};

use finderscope_flow::Tables;
use finderscope_flow::builder::BATCH_ROWS;
use finderscope_intake::{Config, Intake, Quiet};
use finderscope_journal::{Journal, JournalError, Options};
use finderscope_store::{ShardRecovery, Store, StoreError};
use finderscope_transport::udp::shard_of;

use crate::writer::{Outcome, ShardWriterState, Writer};

/// Why a shard could not be brought back.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// The journal.
    #[error("journal of shard {shard}: {error}")]
    Journal {
        /// Whose.
        shard: u32,
        /// What went wrong.
        error: JournalError,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A cut did not count.
    #[error("shard {shard} could not be sealed: {reason}")]
    Cut {
        /// Which shard.
        shard: u32,
        /// Why.
        reason: String,
    },
    /// A thread could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// A shard that knows again what it knew.
pub(crate) struct Recovered {
    /// The decoder.
    pub(crate) intake: Intake,
    /// Rows that are not handed over yet.
    pub(crate) tables: Tables,
}

/// The journal's folder of a shard.
pub(crate) fn journal_folder(data: &Path, shard: u32) -> PathBuf {
    data.join("journal").join(shard.to_string())
}

/// Opens a shard's journal, to go on no earlier than where its rows are stored.
pub(crate) fn open_journal(data: &Path, recovery: &ShardRecovery, options: Options) -> Result<Journal, RecoverError> {
    let shard = recovery.shard;
    let failed = |error| RecoverError::Journal { shard, error };
    let mut journal = Journal::open(&journal_folder(data, shard), options).map_err(failed)?;
    let opened = journal.opened();
    if opened.torn_bytes > 0 {
        tracing::info!(shard, bytes = opened.torn_bytes, "the journal's torn end was cut off");
    }
    if opened.lost() > 0 {
        tracing::warn!(shard, deliveries = opened.lost(), damaged = ?opened.damaged, "the journal is damaged");
    }
    journal.skip_to(recovery.position.max(1)).map_err(failed)?;
    Ok(journal)
}

/// Brings the decoder back from `from`, and hands its rows to the writer. Nothing is cut.
pub(crate) fn replay_from(
    journal: &Journal,
    writer: &Writer,
    config: Config,
    from: ShardWriterState,
) -> Result<Recovered, RecoverError> {
    let shard = writer.shard();
    let ShardWriterState { state, position } = from;
    let (mut intake, first) = restore(config, state, shard);
    // Without state, and without the beginning of the journal, what waits may have been decoded and stored before.
    let mut is_unsure = false;
    let settle = |intake: &mut Intake, is_unsure: bool| {
        if is_unsure {
            intake.give_up_waiting("state_unusable");
        }
        intake.discard_rows(false);
    };
    let mut tables = Tables::default();
    let mut is_new = false;
    intake.discard_rows(true); // what comes before `position` is stored already
    let mut replay = journal.replay(first.unwrap_or(1));
    let (mut known, mut rows) = (0_u64, 0_u64);
    while let Some(delivery) = replay.next() {
        let delivery = delivery.map_err(|error| RecoverError::Journal { shard, error })?;
        is_unsure |= first.is_none() && known + rows == 0 && delivery.sequence > 1;
        if !is_new && delivery.sequence >= position {
            is_new = true;
            settle(&mut intake, is_unsure);
            tables = Tables::default();
        }
        intake.handle(&delivery, &mut tables, &mut Quiet);
        *(if is_new { &mut rows } else { &mut known }) += 1;
        if tables.all().iter().any(|builder| builder.rows() >= BATCH_ROWS) {
            hand_over(&mut tables, is_new.then_some(writer));
        }
    }
    if !is_new {
        settle(&mut intake, is_unsure);
        tables = Tables::default();
    }
    if known + rows > 0 {
        tracing::info!(shard, state_only = known, with_rows = rows, "replayed the journal");
    }
    Ok(Recovered { intake, tables })
}

/// The decoder, and from where on it has to be told what came; none for all that there is.
///
/// A state that cannot be read, or that another version wrote, costs templates and sampling rates, never datagrams: the
/// journal is still there, and what needs a template waits for it.
fn restore(config: Config, state: Option<(u64, Vec<u8>)>, shard: u32) -> (Intake, Option<u64>) {
    if let Some((position, bytes)) = state {
        match Intake::restore(config.clone(), &bytes) {
            Ok(intake) => return (intake, Some(position.max(1))),
            Err(error) => tracing::error!(
                %error,
                shard,
                "the decoder's state cannot be used: templates, sampling rates and balances begin anew; \
                 data waits until exporters repeat their templates"
            ),
        }
    }
    (Intake::new(config), None)
}

/// Rows go to the writer; without one they are stored already.
fn hand_over(tables: &mut Tables, writer: Option<&Writer>) {
    for builder in tables.all() {
        if builder.is_empty() {
            continue;
        }
        let batch = builder.finish();
        if let Some(writer) = writer {
            writer.write(builder.table(), batch);
        }
    }
}

/// Replays after a failure of the disk.
pub(crate) fn replay(
    journal: &Journal,
    writer: &Writer,
    config: Config,
    before: &Intake,
) -> Result<Recovered, RecoverError> {
    let from = writer.resume()?;
    let mut recovered = replay_from(journal, writer, config, from)?;
    recovered.intake.adopt_drops(before);
    Ok(recovered)
}

/// Seals the shards that the folder has, and begins it anew with `wanted` ones. Exporters go where their
/// addresses belong.
pub(crate) fn reshard(
    store: &Store,
    old: Vec<ShardRecovery>,
    wanted: usize,
    config: &Config,
    options: Options,
) -> Result<(), RecoverError> {
    let mut intakes: Vec<Intake> = (0..wanted).map(|_| Intake::new(config.clone())).collect();
    for recovery in old {
        let intake = seal(store, recovery, config, options)?;
        intake.distribute(&mut intakes, |address| shard_of(address, wanted));
    }
    let states: Vec<_> = intakes.iter().map(|intake| Some(intake.state())).collect();
    store.reshard(&states)?;
    tracing::info!(shards = wanted, "the folder has another number of shards now");
    Ok(())
}

/// Replays one old shard and cuts it, so that its journal is no longer needed.
fn seal(store: &Store, recovery: ShardRecovery, config: &Config, options: Options) -> Result<Intake, RecoverError> {
    let shard = recovery.shard;
    let mut journal = open_journal(store.dir(), &recovery, options)?;
    let writer = Writer::start(store.writer(shard)?, journal.sync_handle())?;
    let from = ShardWriterState { state: recovery.state, position: recovery.position };
    let Recovered { mut intake, mut tables } = replay_from(&journal, &writer, config.clone(), from)?;
    hand_over(&mut tables, Some(&writer));
    intake.cut();
    let position = journal.next_position();
    journal.flush().map_err(|error| RecoverError::Journal { shard, error })?;
    writer.cut(position, Some((position, intake.state())));
    writer.settle();
    match writer.outcome() {
        Some(Outcome::Failed(reason)) => Err(RecoverError::Cut { shard, reason }),
        _ => {
            journal.release(position).map_err(|error| RecoverError::Journal { shard, error })?;
            Ok(intake)
        }
    }
}
