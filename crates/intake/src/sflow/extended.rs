//! What the device knew of a packet beside its bytes: in columns where there are some, else by name.

use std::fmt::{Display, Write};
use std::net::IpAddr;

use finderscope_flow::{Builder, Column as C};
use finderscope_wire::sflow::{Aggregation, ExtendedUser, FlowRecord, FlowRecords, Value};

use super::facts::Facts;
use super::values;
use crate::Protocol;
use crate::context::{Context, push_address};

/// Writes the columns of the extended records.
pub(super) fn write(builder: &mut Builder, facts: &Facts<'_>) {
    if let Some(switch) = &facts.switch {
        builder.u16(C::SrcVlan).push_option(u16::try_from(switch.src_vlan).ok());
        builder.u16(C::DstVlan).push_option(u16::try_from(switch.dst_vlan).ok());
    }
    let mpls = facts.mpls.as_ref();
    let next_hop = facts.router.and_then(|router| router.nexthop).or_else(|| mpls?.nexthop);
    address(builder, C::NextHop, next_hop);
    if let Some(router) = &facts.router {
        builder.u8(C::SrcNet).push_option(u8::try_from(router.src_mask_len).ok());
        builder.u8(C::DstNet).push_option(u8::try_from(router.dst_mask_len).ok());
    }
    if let Some(gateway) = &facts.gateway {
        address(builder, C::BgpNextHop, gateway.nexthop);
        builder.u32(C::SrcAs).push(gateway.src_as);
        builder.u32(C::DstAs).push_option(gateway.dst_as());
        builder.u32(C::NextHopAs).push_option(gateway.dst_peer_as());
        builder.list(C::AsPath).push(gateway.dst_as_path.numbers());
        builder.list(C::BgpCommunities).push(gateway.communities.iter());
    }
    if let Some(nat) = &facts.nat {
        address(builder, C::PostNatSrcAddr, nat.src_address);
        address(builder, C::PostNatDstAddr, nat.dst_address);
    }
    if let Some((src, dst)) = facts.nat_ports {
        builder.u16(C::PostNaptSrcPort).push_option(u16::try_from(src).ok());
        builder.u16(C::PostNaptDstPort).push_option(u16::try_from(dst).ok());
    }
    if let Some(mpls) = mpls.filter(|mpls| facts.packet.mpls_label.is_none() && !mpls.in_stack.is_empty()) {
        builder.list(C::MplsLabel).push(mpls.in_stack.iter().map(|entry| entry >> 12));
    }
    if let Some(user) = facts.user.filter(|user| !user.src_user.is_empty()) {
        builder.text(C::UserName).push(user.src_user);
    }
}

fn address(builder: &mut Builder, column: C, address: Option<IpAddr>) {
    if let Some(address) = address {
        push_address(builder, column, address, 1);
    }
}

/// Entries of one row's column `extra`.
pub(super) struct Extras<'b> {
    builder: &'b mut Builder,
    buffer: &'b mut String,
    written: bool,
    /// Names that came already, and how often: an array's members have the same names again.
    names: Vec<(Option<&'static str>, &'static str, u32)>,
}

impl<'b> Extras<'b> {
    pub(super) const fn new(builder: &'b mut Builder, buffer: &'b mut String) -> Self {
        Self { builder, buffer, written: false, names: Vec::new() }
    }

    pub(super) fn entry(&mut self, name: &str, value: impl Display) {
        self.buffer.clear();
        let _ = write!(self.buffer, "{value}");
        self.builder.map(C::Extra).entry(name, self.buffer);
        self.written = true;
    }

    /// Ends the row. Without entries the column stays behind, which makes a null.
    pub(super) fn close(self) {
        if self.written {
            self.builder.map(C::Extra).close();
        }
    }

    /// What no column takes of a packet sample.
    pub(super) fn facts(&mut self, facts: &Facts<'_>, context: &Context, records: FlowRecords<'_>) {
        self.known(facts, context.protocol != Protocol::Sflow2);
        if !facts.others {
            return;
        }
        for record in records.filter_map(Result::ok) {
            match record {
                FlowRecord::Other(block) => {
                    for (name, value) in block.fields() {
                        self.value(Some(block.layout().name), name, &value);
                    }
                }
                FlowRecord::Aggregation(frames) => self.aggregation(&frames),
                _ => {}
            }
        }
    }

    /// The records of each frame that was aggregated, as `pdu.2.sampled_header.frame_length`.
    fn aggregation(&mut self, frames: &Aggregation<'_>) {
        self.entry("extended_80211_aggregation.pdus", frames.pdu_count());
        let mut text = String::new();
        for (number, frame) in (1..).zip(frames.pdus()) {
            for block in frame.blocks().filter_map(Result::ok) {
                for (name, value) in block.fields() {
                    text.clear();
                    values::put(&mut text, &value);
                    self.entry(&format!("pdu.{number}.{}.{name}", block.layout().name), &text);
                }
            }
        }
    }

    fn known(&mut self, facts: &Facts<'_>, has_local_pref: bool) {
        if let Some(switch) = &facts.switch {
            for (name, priority) in [("src_priority", switch.src_priority), ("dst_priority", switch.dst_priority)] {
                if priority != 0 && priority != u32::MAX {
                    self.entry(name, priority);
                }
            }
        }
        if let Some(gateway) = &facts.gateway {
            self.entry("router_as", gateway.router_as);
            self.entry("src_peer_as", gateway.src_peer_as);
            if has_local_pref {
                self.entry("local_pref", gateway.local_pref);
            }
        }
        if let Some(user) = &facts.user {
            self.user(user);
        }
        if let Some(stack) = facts.mpls.map(|mpls| mpls.out_stack).filter(|stack| !stack.is_empty()) {
            let labels: Vec<String> = stack.iter().map(|entry| (entry >> 12).to_string()).collect();
            self.entry("mpls_out_labels", labels.join(","));
        }
        if let Some(url) = &facts.url {
            self.entry("url_direction", url.direction);
            self.entry("url", String::from_utf8_lossy(url.url));
            self.entry("host", String::from_utf8_lossy(url.host));
        }
        if let Some(queue) = facts.egress_queue {
            self.entry("egress_queue", queue);
        }
    }

    /// Character sets are told where they are known, and 0 is "other" (sFlow version 5).
    fn user(&mut self, user: &ExtendedUser<'_>) {
        for (name, charset) in [("src_charset", user.src_charset), ("dst_charset", user.dst_charset)] {
            if charset != 0 {
                self.entry(name, charset);
            }
        }
        if !user.dst_user.is_empty() {
            self.entry("dst_user", String::from_utf8_lossy(user.dst_user));
        }
    }

    /// One field of a structure, named after it, and numbered from its second time on. Counters that the agent does
    /// not have, which are all ones, are left out.
    pub(super) fn value(&mut self, structure: Option<&'static str>, name: &'static str, value: &Value<'_>) {
        if matches!(
            value,
            Value::U32(u32::MAX) | Value::U64(u64::MAX) | Value::Percent(u32::MAX) | Value::Address(None)
        ) {
            return;
        }
        let times = match self.names.iter_mut().find(|known| (known.0, known.1) == (structure, name)) {
            Some((_, _, times)) => {
                *times += 1;
                *times
            }
            None => {
                self.names.push((structure, name, 1));
                1
            }
        };
        self.buffer.clear();
        values::put(self.buffer, value);
        let cells = self.builder.map(C::Extra);
        match (structure, times) {
            (None, 1) => cells.entry(name, self.buffer),
            (None, times) => cells.entry(&format!("{name}.{times}"), self.buffer),
            (Some(structure), 1) => cells.entry(&format!("{structure}.{name}"), self.buffer),
            (Some(structure), times) => cells.entry(&format!("{structure}.{name}.{times}"), self.buffer),
        }
        self.written = true;
    }
}
