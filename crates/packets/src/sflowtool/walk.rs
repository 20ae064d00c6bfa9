//! The walk over a datagram, told as names and values.

use finderscope_wire::WireError;
use finderscope_wire::sflow::{
    CountersSample, Datagram, DiscardedPacket, FlowField, FlowRecords, FlowSample, Metric, RtFlow, RtMetric, Sample,
};

use super::name::Suffix;
use super::teller::Teller;
use super::value::Value;
use super::vlans::Vlans;
use super::{Names, Part, Received, counters, flows};

/// Tells a datagram to a form. Gives back the first damage; what is sound around it was told.
pub fn tell<N: Names>(received: &Received<'_>, vlans: Option<&Vlans>, form: &mut N) -> Option<WireError> {
    let mut teller = Teller::new(form);
    teller.form.received(received);
    teller.open(Part::Datagram);
    head(received, &mut teller);
    match Datagram::read(received.bytes) {
        Ok(datagram) => {
            agent(&datagram, &mut teller);
            teller.open(Part::Samples);
            for sample in datagram.samples() {
                match sample {
                    Ok(it) if vlans.is_some_and(|vlans| !vlans.let_through(&it)) => {}
                    Ok(it) => one(&it, datagram.version >= 5, &mut teller),
                    Err(error) => teller.hurt(error),
                }
            }
            teller.close(Part::Samples);
        }
        Err(error) => {
            if let Some(version) = received.bytes.first_chunk() {
                teller.number("datagramVersion", u32::from_be_bytes(*version));
            }
            teller.hurt(error);
        }
    }
    teller.close(Part::Datagram);
    teller.damage
}

/// What is known of a datagram before it is read.
fn head<N: Names>(received: &Received<'_>, teller: &mut Teller<'_, N>) {
    let (seconds, micros) = received.seconds_and_micros();
    teller.tell("datagramSourceIP", Value::Address(Some(received.source)));
    teller.tell("datagramSize", Value::Number(received.bytes.len() as u64));
    let now = if received.from_file { (0, 0) } else { (seconds, micros) };
    teller.tell("unixSecondsUTC", Value::Signed(now.0));
    teller.number("unixSecondsUTC_uS", now.1);
    teller.tell("localtime", Value::Ready(received.local_time));
    if received.from_file {
        teller.tell("pcapTimestamp", Value::Ready(received.local_time));
        teller.number("pcapTimestamp_uS", micros);
    }
}

fn agent<N: Names>(datagram: &Datagram<'_>, teller: &mut Teller<'_, N>) {
    teller.form.datagram(datagram);
    teller.number("datagramVersion", datagram.version);
    if datagram.version >= 5 {
        teller.number("agentSubId", datagram.sub_agent_id);
    }
    teller.tell("agent", Value::Address(datagram.agent));
    teller.number("packetSequenceNo", datagram.sequence_number);
    teller.number("sysUpTime", datagram.uptime_ms);
    teller.number("samplesInPacket", datagram.sample_count);
}

fn one<N: Names>(sample: &Sample<'_>, tagged: bool, teller: &mut Teller<'_, N>) {
    let part = Part::Sample(sample.tag());
    teller.open(part);
    teller.tell("sampleType_tag", Value::Tag(sample.tag()));
    match sample {
        Sample::Flow(it) => flow(it, tagged, teller),
        Sample::Counters(it) => counters_sample(it, tagged, teller),
        Sample::Discarded(it) => discarded(it, teller),
        Sample::RtMetric(it) => rtmetric(it, teller),
        Sample::RtFlow(it) => rtflow(it, teller),
        Sample::Unknown { .. } => {}
    }
    teller.close(part);
}

fn flow<N: Names>(it: &FlowSample<'_>, tagged: bool, teller: &mut Teller<'_, N>) {
    teller.form.source(it.source);
    teller.tell("sampleType", Value::Word("FLOWSAMPLE"));
    teller.number("sampleSequenceNo", it.sequence_number);
    teller.tell("sourceId", Value::Source(it.source));
    teller.number("meanSkipCount", it.sampling_rate);
    teller.number("samplePool", it.sample_pool);
    teller.number("dropEvents", it.drops);
    let port = if tagged { Value::Port } else { Value::PlainPort };
    teller.tell("inputPort", port(it.input));
    teller.tell("outputPort", port(it.output));
    flow_records(it.records(), tagged, teller);
}

fn discarded<N: Names>(it: &DiscardedPacket<'_>, teller: &mut Teller<'_, N>) {
    teller.form.source(it.source);
    teller.tell("sampleType", Value::Word("DISCARD"));
    teller.number("sampleSequenceNo", it.sequence_number);
    teller.tell("sourceId", Value::Source(it.source));
    teller.number("dropEvents", it.drops);
    teller.tell("inputPort", Value::Port(it.input));
    teller.tell("outputPort", Value::Port(it.output));
    teller.number("discardCode", it.reason);
    teller.tell("discardReason", Value::Word(it.reason_name().unwrap_or("NotFound")));
    teller.discarded = true;
    flow_records(it.records(), true, teller);
    teller.discarded = false;
}

fn flow_records<N: Names>(records: FlowRecords<'_>, tagged: bool, teller: &mut Teller<'_, N>) {
    teller.open(Part::Elements);
    for record in records {
        match record {
            Ok(record) => flows::record(&record, tagged, teller),
            Err(error) => teller.hurt(error),
        }
    }
    teller.close(Part::Elements);
}

fn counters_sample<N: Names>(it: &CountersSample<'_>, tagged: bool, teller: &mut Teller<'_, N>) {
    teller.form.source(it.source);
    teller.tell("sampleType", Value::Word("COUNTERSSAMPLE"));
    teller.number("sampleSequenceNo", it.sequence_number);
    teller.tell("sourceId", Value::Source(it.source));
    if let Some(interval) = it.sampling_interval_s {
        teller.number("statsSamplingInterval", interval);
    }
    if let Some(version) = it.counters_version {
        teller.number("counterBlockVersion", version.number());
    }
    teller.open(Part::Elements);
    for record in it.records() {
        match record {
            Ok(record) => counters::record(&record, tagged, teller),
            Err(error) => teller.hurt(error),
        }
    }
    teller.close(Part::Elements);
}

fn rtmetric<N: Names>(it: &RtMetric<'_>, teller: &mut Teller<'_, N>) {
    teller.tell("sampleType", Value::Word("RTMETRIC"));
    teller.tell("rtmetric_datasource_name", Value::Text(it.data_source));
    for metric in it.metrics() {
        let (name, value) = match metric {
            Ok(metric) => metric,
            Err(error) => return teller.hurt(error),
        };
        let (base, value) = match value {
            Metric::Text(text) => ("rtmetric_string_", Value::Text(text)),
            Metric::Counter32(number) => ("rtmetric_counter32_", Value::Number(number.into())),
            Metric::Counter64(number) => ("rtmetric_counter64_", Value::Number(number)),
            Metric::Gauge32(number) => ("rtmetric_gauge32_", Value::Number(number.into())),
            Metric::Gauge64(number) => ("rtmetric_gauge64_", Value::Number(number)),
            Metric::Float(number) => ("rtmetric_float_", Value::Float(number.into())),
            Metric::Double(number) => ("rtmetric_double_", Value::Float(number)),
        };
        teller.tell_with(base, Suffix::Wire(name), value);
    }
}

fn rtflow<N: Names>(it: &RtFlow<'_>, teller: &mut Teller<'_, N>) {
    teller.tell("sampleType", Value::Word("RTFLOW"));
    teller.tell("rtflow_datasource_name", Value::Text(it.data_source));
    teller.number("rtflow_sampling_rate", it.sampling_rate);
    teller.number("rtflow_sample_pool", it.sample_pool);
    for field in it.fields() {
        let (name, value) = match field {
            Ok(field) => field,
            Err(error) => return teller.hurt(error),
        };
        let (base, value) = match value {
            FlowField::Text(text) => ("rtflow_string_", Value::Text(text)),
            FlowField::Mac(mac) => ("rtflow_mac_", Value::Mac(mac)),
            FlowField::Ipv4(address) => ("rtflow_ip_", Value::Address(Some(address.into()))),
            FlowField::Ipv6(address) => ("rtflow_ip6_", Value::Address(Some(address.into()))),
            FlowField::Int32(number) => ("rtflow_int32_", Value::Signed(number.into())),
            FlowField::Int64(number) => ("rtflow_int64_", Value::Signed(number)),
            FlowField::Float(number) => ("rtflow_float_", Value::Float(number.into())),
            FlowField::Double(number) => ("rtflow_double_", Value::Float(number)),
        };
        teller.tell_with(base, Suffix::Wire(name), value);
    }
}
