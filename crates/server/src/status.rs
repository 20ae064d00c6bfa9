//! The status as `/api/v1/status` gives it: exporters, balances, listeners, store, journals, and what is wrong.

mod keeping;
mod live;
mod problems;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use finderscope_flow::text::time_utc;
use finderscope_intake::{DomainStatus, ExporterStatus, Ledger, SamplerStatus};
use finderscope_store::Stats;
use serde::{Deserialize, Serialize};

pub use self::keeping::{KeepingView, RemovedView, TotalsView};
pub use self::live::{ConnectionsView, ForwardView, LiveView, SubscriberView};
use crate::board::{Board, Figures, Health, Rate};

/// Everything, at one moment. Times are RFC 3339 in UTC, sizes bytes, rates per second.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Status {
    /// The program's version.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// When it started.
    pub started: String,
    /// For how many seconds it has run.
    pub uptime_seconds: u64,
    /// The data folder.
    pub data: PathBuf,
    /// Where HTTP is.
    pub http: Option<SocketAddr>,
    /// How many shards there are.
    pub shards: usize,
    /// What is listened on.
    pub listeners: Vec<ListenerStatus>,
    /// Who sends.
    pub exporters: Vec<ExporterView>,
    /// What became of everything.
    pub totals: Ledger,
    /// What is kept.
    pub store: StoreView,
    /// What is on its way there.
    pub journals: Vec<JournalView>,
    /// Who is connected over HTTP.
    #[serde(default)]
    pub connections: ConnectionsView,
    /// Who looks on.
    #[serde(default)]
    pub live: LiveView,
    /// To whom sFlow datagrams are sent on.
    #[serde(default)]
    pub forwarding: Vec<ForwardView>,
    /// What is wrong, and what to do about it.
    pub problems: Vec<Problem>,
}

/// A listener, all its sockets together.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ListenerStatus {
    /// As an endpoint.
    pub url: String,
    /// How many sockets it has: one a shard.
    pub sockets: usize,
    /// Datagrams that the kernel dropped because nobody took them in time.
    pub kernel_drops: u64,
    /// Bytes that wait to be received.
    pub queued_bytes: u64,
    /// The receive buffer that was asked for, for each socket.
    pub buffer_asked_bytes: usize,
    /// The receive buffer that the system granted.
    pub buffer_granted_bytes: usize,
}

/// An exporter.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ExporterView {
    /// Its address.
    pub address: IpAddr,
    /// What the operator calls it.
    pub name: Option<String>,
    /// Whether the operator named it.
    pub listed: bool,
    /// What it speaks, in the words of the column `type`.
    pub protocols: Vec<String>,
    /// When its first datagram came.
    pub first_seen: String,
    /// When its last datagram came.
    pub last_seen: String,
    /// Datagrams a second, lately.
    pub datagrams_per_second: f64,
    /// Records a second, lately.
    pub records_per_second: f64,
    /// Templates that are known.
    pub templates: usize,
    /// Lost on the way, in the protocols' own units, as sequence numbers tell.
    pub lost: u64,
    /// Bytes of data that waits for templates.
    pub waiting_bytes: usize,
    /// Its observation domains, source ids, engines and sub-agents.
    pub domains: Vec<DomainView>,
    /// What became of everything that it sent.
    pub ledger: Ledger,
}

/// A part of an exporter with numbers and templates of its own.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct DomainView {
    /// What it speaks.
    pub protocol: String,
    /// Observation domain, source id, engine or sub-agent.
    pub id: u32,
    /// The sFlow agent.
    pub agent: Option<IpAddr>,
    /// Datagrams that were decoded.
    pub datagrams: u64,
    /// Records that were decoded.
    pub records: u64,
    /// Templates that are known.
    pub templates: usize,
    /// How often a template's id got another meaning.
    pub templates_redefined: u64,
    /// By how much our clock is ahead of the exporter's, in seconds.
    pub clock_offset_seconds: Option<f64>,
    /// Lost as its sequence tells: flows (v5), datagrams (v9, sFlow) or data records (IPFIX).
    pub lost: u64,
    /// Datagrams out of order.
    pub reordered: u64,
    /// How often the sequence began anew.
    pub restarts: u64,
    /// sFlow samples lost, as their sequences tell.
    pub samples_lost: u64,
    /// sFlow samples that the agent says it left out.
    pub samples_dropped: u64,
    /// Sampling rates and where they are known from.
    pub sampling: Vec<SamplingView>,
}

/// A sampling rate.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SamplingView {
    /// The sampler's number, where there is one.
    pub sampler: Option<u64>,
    /// The interface, where the rate is for its flows alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<u64>,
    /// The template, where the rate is for its flows alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<u16>,
    /// One in how many packets.
    pub rate: u64,
    /// Where it is known from.
    pub source: String,
}

/// What is kept.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct StoreView {
    /// Parts of all tables.
    pub parts: u64,
    /// Rows of all tables.
    pub rows: u64,
    /// Their size on disk.
    pub bytes: u64,
    /// The earliest receive time.
    pub from: Option<String>,
    /// The latest.
    pub to: Option<String>,
    /// Parts that are not merged yet.
    #[serde(default)]
    pub unmerged_parts: u64,
    /// By table.
    pub tables: BTreeMap<String, TableView>,
    /// What flows add up to.
    #[serde(default)]
    pub totals: TotalsView,
    /// What a running server did about merging and retention.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keeping: Option<KeepingView>,
}

/// One table.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct TableView {
    /// Files.
    pub parts: u64,
    /// Parts that are not merged yet.
    #[serde(default)]
    pub unmerged_parts: u64,
    /// Rows in them.
    pub rows: u64,
    /// Their size on disk.
    pub bytes: u64,
    /// The size of the indexes beside them.
    #[serde(default)]
    pub index_bytes: u64,
}

/// One shard's journal.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct JournalView {
    /// Whose.
    pub shard: u32,
    /// Its size on disk.
    pub bytes: u64,
    /// The position that the next delivery gets.
    pub next: u64,
    /// The last position that is durable.
    pub synced: u64,
    /// Rows of all deliveries before this position are stored.
    pub stored: u64,
    /// When that came to be.
    pub last_cut: Option<String>,
    /// Deliveries that it had no room for.
    pub refused: u64,
}

/// Something that is wrong.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Problem {
    /// What.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

impl Status {
    pub(crate) fn of(board: &Board) -> Self {
        board.seats.iter().for_each(|seat| seat.ask());
        let figures: Vec<(u32, Figures)> = board.seats.iter().map(|seat| (seat.shard, seat.figures())).collect();
        let mut exporters: Vec<ExporterView> = figures.iter().flat_map(|(_, figures)| views(figures)).collect();
        exporters.sort_by_key(|exporter| exporter.address);
        let mut totals = Ledger::default();
        for (_, figures) in &figures {
            totals.merge(&figures.totals);
        }
        let stats = board.store.stats();
        let keeper = board.desk.figures();
        let keeping = Some(KeepingView::of(&keeper));
        let mut status = Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            started: time_of(board.started),
            uptime_seconds: board.clock.elapsed().as_secs(),
            data: board.data.clone(),
            http: board.http.get().copied(),
            shards: figures.len(),
            listeners: listeners(&figures),
            exporters,
            totals,
            journals: figures.iter().map(|(shard, figures)| journal(*shard, figures, &stats)).collect(),
            store: StoreView { keeping, ..StoreView::of(&stats) },
            connections: ConnectionsView::of(&board.connections.figures()),
            live: LiveView::of(&board.tap.figures()),
            forwarding: board.forwards.figures().into_iter().map(ForwardView::of).collect(),
            problems: Vec::new(),
        };
        status.problems = problems::find(&status, board, &figures, &keeper);
        status
    }
}

fn time_of(time: std::time::SystemTime) -> String {
    let since = time.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    time_utc(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)).to_string()
}

fn views(figures: &Figures) -> impl Iterator<Item = ExporterView> {
    figures.exporters.iter().map(|(exporter, rate)| ExporterView::of(exporter, *rate))
}

impl ExporterView {
    fn of(exporter: &ExporterStatus, rate: Rate) -> Self {
        Self {
            address: exporter.address,
            name: exporter.name.clone(),
            listed: exporter.listed,
            protocols: exporter.protocols().map(|protocol| protocol.flow_type().word().to_owned()).collect(),
            first_seen: time_utc(exporter.first_ns).to_string(),
            last_seen: time_utc(exporter.last_ns).to_string(),
            datagrams_per_second: rate.datagrams,
            records_per_second: rate.records,
            templates: exporter.templates(),
            lost: exporter.lost(),
            waiting_bytes: exporter.waiting_bytes,
            domains: exporter.domains.iter().map(DomainView::of).collect(),
            ledger: exporter.ledger.clone(),
        }
    }
}

impl DomainView {
    fn of(domain: &DomainStatus) -> Self {
        Self {
            protocol: domain.protocol.flow_type().word().to_owned(),
            id: domain.id,
            agent: domain.agent,
            datagrams: domain.datagrams,
            records: domain.records,
            templates: domain.templates,
            templates_redefined: domain.templates_redefined,
            clock_offset_seconds: domain.clock_offset_ns.map(|offset| offset as f64 / 1e9),
            lost: domain.sequence.lost,
            reordered: domain.sequence.reordered,
            restarts: domain.sequence.restarts,
            samples_lost: domain.samples.lost,
            samples_dropped: domain.samples_dropped,
            sampling: domain.samplers.iter().map(SamplingView::of).collect(),
        }
    }
}

impl SamplingView {
    fn of(sampler: &SamplerStatus) -> Self {
        Self {
            sampler: sampler.id,
            interface: sampler.interface,
            template: sampler.template,
            rate: sampler.rate,
            source: sampler.source.word().to_owned(),
        }
    }
}

impl StoreView {
    /// The figures of a store.
    pub fn of(stats: &Stats) -> Self {
        let mut view = Self::default();
        let mut span: Option<(i64, i64)> = None;
        for (&name, table) in &stats.tables {
            view.parts += table.parts;
            view.rows += table.rows;
            view.bytes += table.file_bytes;
            let unmerged_parts = table.parts - table.merged_parts;
            view.unmerged_parts += unmerged_parts;
            let figures = TableView {
                parts: table.parts,
                unmerged_parts,
                rows: table.rows,
                bytes: table.file_bytes,
                index_bytes: table.index_bytes,
            };
            view.tables.insert(name.to_owned(), figures);
            if let Some((from, to)) = table.span_ns {
                let (first, last) = span.unwrap_or((from, to));
                span = Some((first.min(from), last.max(to)));
            }
        }
        view.from = span.map(|(from, _)| time_utc(from).to_string());
        view.to = span.map(|(_, to)| time_utc(to).to_string());
        view.totals = TotalsView::of(&stats.totals);
        view
    }
}

/// Sockets of one address are one listener.
fn listeners(figures: &[(u32, Figures)]) -> Vec<ListenerStatus> {
    let mut listeners: BTreeMap<SocketAddr, ListenerStatus> = BTreeMap::new();
    for socket in figures.iter().flat_map(|(_, figures)| &figures.sockets) {
        let listener = listeners.entry(socket.address).or_insert_with(|| ListenerStatus {
            url: format!("udp://{}", socket.address),
            sockets: 0,
            kernel_drops: 0,
            queued_bytes: 0,
            buffer_asked_bytes: socket.buffer_asked_bytes,
            buffer_granted_bytes: socket.buffer_granted_bytes,
        });
        listener.sockets += 1;
        listener.kernel_drops += socket.dropped;
        listener.queued_bytes += u64::from(socket.queued_bytes);
    }
    listeners.into_values().collect()
}

fn journal(shard: u32, figures: &Figures, stats: &Stats) -> JournalView {
    let stored = stats.shards.get(&shard).copied().unwrap_or_default();
    JournalView {
        shard,
        bytes: figures.journal.bytes,
        next: figures.journal.next,
        synced: figures.journal.synced,
        stored: stored.position,
        last_cut: stored.last_cut_ns.map(|at| time_utc(at).to_string()),
        refused: figures.journal.refused,
    }
}

/// Whether a shard is sound, for the list of problems.
pub(crate) const fn stalled(health: &Health) -> Option<&String> {
    match health {
        Health::Sound => None,
        Health::Stalled(reason) => Some(reason),
    }
}
