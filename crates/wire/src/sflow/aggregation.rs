//! `extended_80211_aggregation`: records of the frames that were sent as one (sFlow 802.11 Structures).

use super::flow::FlowRecords;
use super::raw::RawRecords;
use crate::{Reader, WireError};

/// Frames that were aggregated, each with flow records of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Aggregation<'a> {
    bytes: &'a [u8],
    offset: usize,
}

const PDUS: &str = "extended_80211_aggregation.pdus";
const RECORDS: &str = "extended_80211_aggregation.flow_records";

impl<'a> Aggregation<'a> {
    /// Walks over the tags and lengths once, so that the frames can be told apart later. A frame takes at least four
    /// bytes, which bounds the walk, whatever the count says.
    pub(super) fn read(r: &mut Reader<'a>) -> Result<Self, WireError> {
        let start = *r;
        for _ in 0..r.u32(PDUS)? {
            frame(r)?.try_for_each(|record| record.map(drop))?;
        }
        let bytes = start.rest().get(..start.len() - r.len()).unwrap_or_default();
        Ok(Self { bytes, offset: start.offset() })
    }

    /// How many frames there are.
    pub fn pdu_count(&self) -> u32 {
        self.reader().u32(PDUS).unwrap_or_default()
    }

    /// The records of each frame. An aggregate inside is not read, but told as too deep.
    pub fn pdus(&self) -> impl Iterator<Item = FlowRecords<'a>> + use<'a> {
        let mut reader = self.reader();
        let count = reader.u32(PDUS).unwrap_or_default();
        (0..count).map_while(move |_| frame(&mut reader).ok().map(FlowRecords::nested))
    }

    /// All of it, as it lies on the wire.
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    const fn reader(&self) -> Reader<'a> {
        Reader::at(self.bytes, self.offset)
    }
}

/// The records of one frame. The reader stands behind them then.
fn frame<'a>(r: &mut Reader<'a>) -> Result<RawRecords<'a>, WireError> {
    let count = r.u32(RECORDS)?;
    let records = RawRecords::new(*r, count, None);
    let mut walk = records;
    // Damage stops the walk; who reads the records meets it again.
    walk.by_ref().for_each(drop);
    *r = walk.rest();
    Ok(records)
}
