//! The true totals of a workload, per exporter.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::net::Ipv4Addr;
use std::path::Path;

use serde::Serialize;

use super::exporter::Exporter;
use super::traffic::Flow;

/// What a collector must have, exporter by exporter.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Truth(BTreeMap<Ipv4Addr, Totals>);

/// One exporter's totals; scaled means times its sampling rate.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Totals {
    /// Flow records, or packet samples.
    pub flows: u64,
    /// Bytes as exported.
    pub bytes: u64,
    /// Packets as exported.
    pub packets: u64,
    /// Bytes times the sampling rate.
    pub bytes_scaled: u64,
    /// Packets times the sampling rate.
    pub packets_scaled: u64,
}

impl Truth {
    /// Adds flow records.
    pub fn flows(&mut self, exporter: &Exporter, flows: &[Flow]) {
        let bytes = flows.iter().map(|flow| u64::from(flow.bytes)).sum();
        let packets = flows.iter().map(|flow| u64::from(flow.packets)).sum();
        self.add(exporter, flows.len() as u64, bytes, packets);
    }

    /// Adds packet samples.
    pub fn samples(&mut self, exporter: &Exporter, samples: u64, bytes: u64) {
        self.add(exporter, samples, bytes, samples);
    }

    /// Adds records that sum up to so many bytes and packets.
    pub fn add(&mut self, exporter: &Exporter, flows: u64, bytes: u64, packets: u64) {
        let totals = self.0.entry(exporter.address()).or_default();
        let rate = u64::from(exporter.sampling_rate.max(1));
        totals.flows += flows;
        totals.bytes += bytes;
        totals.packets += packets;
        totals.bytes_scaled += bytes * rate;
        totals.packets_scaled += packets * rate;
    }

    /// Writes it as JSON.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        serde_json::to_writer_pretty(&mut file, self)?;
        file.write_all(b"\n")?;
        file.flush()
    }
}
