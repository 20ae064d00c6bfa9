//! The names of counter records.

use finderscope_wire::sflow::{Block, CounterRecord, Value as Field};

use super::name::Suffix;
use super::names::{self, COUNTERS};
use super::teller::Teller;
use super::value::Value;
use super::{Names, Part};

/// Tells the names of a record, and before them its tag, where the datagram has tags.
pub(super) fn record<N: Names>(record: &CounterRecord<'_>, tagged: bool, teller: &mut Teller<'_, N>) {
    let tag = record.tag();
    teller.open(Part::Record(tag));
    if tagged {
        teller.tell("counterBlock_tag", Value::Tag(tag));
    }
    if let CounterRecord::Known(block) = record {
        match (names::find(COUNTERS, tag), (tag.enterprise, tag.format)) {
            (Some(row), _) => teller.row(row, block),
            (None, (0, 7)) => lag_port(block, teller),
            (None, (0, 10)) => optics(block, teller),
            (None, (0, 2001)) => adapters(block, teller),
            _ => {}
        }
    }
    teller.close(Part::Record(tag));
}

/// The states of both ends, by administrator and in fact, are the bytes of one word.
fn lag_port<N: Names>(block: &Block<'_>, teller: &mut Teller<'_, N>) {
    let names = [
        "actorSystemID",
        "partnerSystemID",
        "attachedAggID",
        "",
        "LACPDUsRx",
        "markerPDUsRx",
        "markerResponsePDUsRx",
        "unknownRx",
        "illegalRx",
        "LACPDUsTx",
        "markerPDUsTx",
        "markerResponsePDUsTx",
    ];
    let states = ["actorAdminPortState", "actorOperPortState", "partnerAdminPortState", "partnerOperPortState"];
    for (name, (_, value)) in names.into_iter().zip(block.fields()) {
        match value {
            Field::Fixed(bytes) => {
                for (state, byte) in states.into_iter().zip(bytes) {
                    teller.number(state, (*byte).into());
                }
            }
            value => teller.field(name, value),
        }
    }
}

/// A module's lanes: `sfp_lane_tx_power_uW.0`, or objects in a list.
fn optics<N: Names>(block: &Block<'_>, teller: &mut Teller<'_, N>) {
    const MODULE: [&str; 5] = [
        "sfp_module_id",
        "sfp_module_total_lanes",
        "sfp_module_supply_voltage",
        "sfp_module_temperature",
        "sfp_module_active_lanes",
    ];
    const LANE: [&str; 10] = [
        "index",
        "tx_bias_current_uA",
        "tx_power_uW",
        "tx_power_min_uW",
        "tx_power_max_uW",
        "tx_wavelength_nM",
        "rx_power_uW",
        "rx_power_min_uW",
        "rx_power_max_uW",
        "rx_wavelength_nM",
    ];
    let mut fields = block.fields().map(|(_, value)| value);
    for name in MODULE {
        if let Some(value) = fields.next() {
            teller.field(name, value);
        }
    }
    teller.open(Part::List("sfp_lanes"));
    let mut lane = 0;
    let mut next = fields.next();
    while next.is_some() {
        teller.open(Part::Item);
        for name in LANE {
            let Some(Field::U32(number)) = next else { break };
            if N::NESTED {
                teller.number(name, number);
            } else {
                teller.prefix = "sfp_lane_";
                teller.tell_with(name, Suffix::Index(lane), Value::Number(number.into()));
                teller.prefix = "";
            }
            next = fields.next();
        }
        teller.close(Part::Item);
        lane += 1;
    }
    teller.close(Part::List("sfp_lanes"));
}

/// A host's adapters: `adaptor_0_MAC_1`, or objects in a list.
fn adapters<N: Names>(block: &Block<'_>, teller: &mut Teller<'_, N>) {
    teller.open(Part::List("adaptor_list"));
    let mut adapter = None;
    let mut macs = 0;
    for (name, value) in block.fields() {
        match (name, value) {
            ("if_index", Field::U32(index)) => {
                if adapter.is_some() {
                    teller.close(Part::List("mac_list"));
                    teller.close(Part::Item);
                }
                let number = adapter.map_or(0, |number: u32| number + 1);
                adapter = Some(number);
                macs = 0;
                teller.open(Part::Item);
                within(number, ("ifIndex", "_ifIndex"), None, Value::Number(index.into()), teller);
            }
            ("macs", Field::Count(count)) => {
                let number = adapter.unwrap_or(0);
                within(number, ("MACs", "_MACs"), None, Value::Number(count.into()), teller);
                teller.open(Part::List("mac_list"));
            }
            (_, Field::Mac(mac)) => {
                within(adapter.unwrap_or(0), ("", "_MAC_"), Some(macs), Value::Mac(mac), teller);
                macs += 1;
            }
            _ => {}
        }
    }
    if adapter.is_some() {
        teller.close(Part::List("mac_list"));
        teller.close(Part::Item);
    }
    teller.close(Part::List("adaptor_list"));
}

/// Tells what belongs to one adapter, by its name in an object, or by its name in a line.
fn within<N: Names>(
    adapter: u32,
    (nested, flat): (&'static str, &'static str),
    item: Option<u32>,
    value: Value<'_>,
    teller: &mut Teller<'_, N>,
) {
    if N::NESTED {
        teller.tell(nested, value);
    } else {
        teller.tell_with("adaptor_", Suffix::Part(adapter, flat, item), value);
    }
}
