//! Flows as NetFlow v9 and IPFIX data records, by templates that routers commonly use.

use finderscope_wire::ipfix::{self, Encoder, FieldSpecifier};
use finderscope_wire::netflow::v9;
use finderscope_wire::{WireError, Writer};

use super::exporter::{Clock, Exporter};
use super::traffic::Flow;

/// The first template's id; an even one is for IPv4, the next for IPv6.
const FIRST_ID: u16 = 256;
const OPTIONS_ID: u16 = 1000;
/// Templates are sent in so many datagrams, and again after so many.
const TEMPLATES_EVERY: u32 = 40;
/// More templates than this do not fit one datagram beside data.
const TEMPLATES_PER_DATAGRAM: usize = 8;

/// Which of the two protocols.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Protocol {
    /// NetFlow v9: uptimes, 32-bit counters.
    V9,
    /// IPFIX: wall-clock times, 64-bit counters.
    Ipfix,
}

impl Protocol {
    /// Records in a datagram: what fits an Ethernet frame.
    pub const fn per_datagram(self) -> usize {
        match self {
            Self::V9 => 24,
            Self::Ipfix => 20,
        }
    }
}

/// The templates that all exporters of a workload use.
pub struct Templates {
    protocol: Protocol,
    layouts: Vec<Vec<FieldSpecifier>>,
}

impl Templates {
    /// `count` templates, at least one for each family; no two have their fields in the same order.
    pub fn new(protocol: Protocol, count: usize) -> Self {
        let pairs = count.div_ceil(2).max(1);
        let layouts =
            (0..pairs).flat_map(|variant| [layout(protocol, false, variant), layout(protocol, true, variant)]);
        Self { protocol, layouts: layouts.collect() }
    }

    /// One datagram with flows of one family, and with templates and options where they are due.
    pub fn datagram(
        &self,
        exporter: &mut Exporter,
        clock: Clock,
        flows: &[Flow],
        out: &mut Vec<u8>,
    ) -> Result<(), WireError> {
        let mut encoder = self.begin(exporter, clock, out);
        self.templates(exporter, &mut encoder);
        let pairs = self.layouts.len() / 2;
        let six = flows.first().is_some_and(Flow::is_ipv6);
        let place = 2 * (exporter.datagrams as usize % pairs) + usize::from(six);
        let id = FIRST_ID + place as u16;
        for flow in flows {
            encoder.record_with(id, |writer| {
                for field in &self.layouts[place] {
                    put(writer, field, flow, clock);
                }
            });
        }
        let finished = encoder.finish()?;
        exporter.datagrams += 1;
        exporter.sequence = exporter.sequence.wrapping_add(match self.protocol {
            Protocol::V9 => 1,
            Protocol::Ipfix => finished.data_records,
        });
        Ok(())
    }

    fn begin<'a>(&self, exporter: &Exporter, clock: Clock, out: &'a mut Vec<u8>) -> Encoder<'a> {
        match self.protocol {
            Protocol::V9 => Encoder::v9(
                out,
                &v9::Header {
                    uptime_ms: clock.uptime_ms().into(),
                    unix_seconds: clock.seconds().into(),
                    sequence_number: exporter.sequence.into(),
                    source_id: (exporter.number as u32).into(),
                    ..v9::Header::default()
                },
            ),
            Protocol::Ipfix => Encoder::ipfix(
                out,
                &ipfix::Header {
                    export_time: clock.seconds().into(),
                    sequence_number: exporter.sequence.into(),
                    observation_domain_id: (exporter.number as u32).into(),
                    ..ipfix::Header::default()
                },
            ),
        }
    }

    /// Each period sends all templates, as many to a datagram as fit, and then the sampling options.
    fn templates(&self, exporter: &Exporter, encoder: &mut Encoder<'_>) {
        let step = (exporter.datagrams % self.period()) as usize;
        let due = self.layouts.iter().enumerate().skip(step * TEMPLATES_PER_DATAGRAM).take(TEMPLATES_PER_DATAGRAM);
        for (place, layout) in due {
            encoder.template(FIRST_ID + place as u16, layout);
        }
        if step == 0 && exporter.sampling_rate > 0 {
            self.sampling(exporter, encoder);
        }
    }

    fn period(&self) -> u32 {
        TEMPLATES_EVERY.max(2 * self.layouts.len().div_ceil(TEMPLATES_PER_DATAGRAM) as u32)
    }

    fn sampling(&self, exporter: &Exporter, encoder: &mut Encoder<'_>) {
        let scope = match self.protocol {
            Protocol::V9 => FieldSpecifier::new(1, 4),      // system
            Protocol::Ipfix => FieldSpecifier::new(149, 4), // observationDomainId
        };
        let options = [FieldSpecifier::new(34, 4), FieldSpecifier::new(35, 1)];
        encoder.options_template(OPTIONS_ID, &[scope], &options);
        encoder.record_with(OPTIONS_ID, |writer| {
            writer.u32(exporter.number as u32).u32(exporter.sampling_rate).u8(1);
        });
    }
}

/// The fields that routers commonly export, turned round by `variant` places.
fn layout(protocol: Protocol, six: bool, variant: usize) -> Vec<FieldSpecifier> {
    let counter = if protocol == Protocol::Ipfix { 8 } else { 4 };
    let addresses = if six { [(27, 16), (28, 16), (62, 16)] } else { [(8, 4), (12, 4), (15, 4)] };
    let times = if protocol == Protocol::Ipfix { [(152, 8), (153, 8)] } else { [(22, 4), (21, 4)] };
    let masks = if six { [(29, 1), (30, 1)] } else { [(9, 1), (13, 1)] };
    let mut fields = addresses.to_vec();
    fields.extend([(10, 4), (14, 4), (2, counter), (1, counter)]);
    fields.extend(times);
    fields.extend([(7, 2), (11, 2), (6, 1), (4, 1), (5, 1), (16, 4), (17, 4)]);
    fields.extend(masks);
    fields.push((61, 1));
    let places = fields.len();
    fields.rotate_left(variant % places);
    if variant >= places {
        // Past one whole turn, swapping two fields gives new orders.
        fields.swap(0, 1 + variant / places % (places - 1));
    }
    fields.into_iter().map(|(element, length)| FieldSpecifier::new(element, length)).collect()
}

fn put(writer: &mut Writer<'_>, field: &FieldSpecifier, flow: &Flow, clock: Clock) {
    let bytes = number(field.element, flow, clock).to_be_bytes();
    match field.element {
        8 | 27 => writer.bytes(flow.src.bytes()),
        12 | 28 => writer.bytes(flow.dst.bytes()),
        15 => writer.bytes(&[10, 0, 0, 1]),
        62 => writer.bytes(&[0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        _ => writer.bytes(&bytes[bytes.len() - usize::from(field.length)..]),
    };
}

fn number(element: u16, flow: &Flow, clock: Clock) -> u64 {
    match element {
        1 => flow.bytes.into(),
        2 => flow.packets.into(),
        4 => flow.proto.into(),
        5 => flow.tos.into(),
        6 => flow.tcp_flags.into(),
        7 => flow.src_port.into(),
        9 | 13 => 24,
        29 | 30 => 64,
        10 => flow.in_if.into(),
        11 => flow.dst_port.into(),
        14 => flow.out_if.into(),
        16 => flow.src_as.into(),
        17 => flow.dst_as.into(),
        21 => clock.uptime_ms().into(),
        22 => clock.flow_start_uptime_ms(flow).into(),
        152 => clock.flow_start_ms(flow),
        153 => clock.now_ms(),
        _ => 0,
    }
}
