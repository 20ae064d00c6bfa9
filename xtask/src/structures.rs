//! The manual's page on sFlow: samples and structures, and where their fields are found.

use std::fmt::Write;

use finderscope_flow::Column;
use finderscope_intake::{Place, counter_place, flow_place};
use finderscope_wire::sflow::{Field, FieldType, Layout};

/// What goes where before any structure; the structures follow from the tables.
const HEAD: &str = "# sFlow structures

What becomes of everything that an sFlow agent can say. Versions 2, 4 and 5 are read; `type` says which it was.

* A sampled packet is a row of `flows`, a discarded packet (version 5, sample 0:5) a row of `drops`. All records of the
  sample share the row. Of several records of one kind the first has the columns.
* Each counter structure is a row of `counters`, whose `structure` is its name. `if_index` is the interface that the
  sample's data source is.
* `extra` is a map: `extra['extended_vni_egress.vni']` in SQL. A field that comes again, in an array, is numbered from
  its second time on: `extended_vlantunnel.value.2`. Numbers that are all ones are what the agent does not know, and are
  left out.
* A sampled or discarded packet without records that say its length has no `bytes`, and a sample without a packet, such
  as a program's transaction, no `packets`.
* In versions 2 and 4 samples have no lengths: where one is damaged, or of an unknown kind, the rest of its datagram is
  lost with it. What lies before is kept.
* A structure that is not on this page is skipped by its length and counted (`unknown flow record 0:4095` in
  `finderscope status`), and so are samples of other kinds.

## Samples

| in the sample | found in |
|---|---|
| agent address | `sampler_address` |
| sub-agent | `sub_agent_id`, `observation_domain_id` (0 before version 5) |
| datagram sequence number | `sequence_num` |
| sample sequence number | `sample_sequence` |
| source id, class and index | `source_id_class`, `source_id_index` |
| sampling rate | `sampling_rate` |
| sample pool | `sample_pool` |
| drops | `sample_drops` |
| input, output: an interface | `in_if`, `out_if` |
| input, output: discarded, several, or the device itself | `extra`, `input` and `output`: `discarded: acl`, `multiple: 3`, `internal` |
| discarded packet's reason | `drop_reason`, `drop_reason_code` |
| sampling interval of counters (versions 2 and 4) | `extra`, `sampling_interval_s` |

## Samples of names and values

InMon's samples of enterprise 4300, which Host sFlow agents send for programs.

| sample | found in |
|---|---|
| 4300:1002 rtmetric | a row of `counters` whose `structure` is `rtmetric`: `extra` has `data_source` and every metric under its name |
| 4300:1003 rtflow | a row of `flows`: `sampling_rate`, `sample_pool`; fields named as sFlow-RT's keys (`ipsource`, `ipdestination`, \
`ip6source`, `ip6destination`, `macsource`, `macdestination`, `ipprotocol`, `tcpsourceport`, `tcpdestinationport`, \
`udpsourceport`, `udpdestinationport`, `inputifindex`, `outputifindex`, `bytes`, `frames`) in their columns; all others in \
`extra` as `rtflow.NAME`, with `rtflow.data_source` |
";

/// The page.
pub(crate) fn page() -> String {
    let mut out = HEAD.to_owned();
    out.push_str("\n## Flow structures\n\nIn `flows` and `drops`. ");
    out.push_str(
        "Where a sample has no packet, the ends of `extended_socket_ipv4` and `_ipv6` also fill the addresses, `proto` \
         and ports: the remote end, which asked, as the source.\n\n",
    );
    table(&mut out, Layout::flows(), flow_place);
    out.push_str("\n## Counter structures\n\nIn `counters`.\n\n");
    table(&mut out, Layout::counters(), counter_place);
    out
}

fn table(out: &mut String, layouts: &[Layout], place: fn(&Layout, &str) -> Place) {
    out.push_str("| number | structure | field | type | found in |\n|---|---|---|---|---|\n");
    for layout in layouts {
        for field in layout.fields {
            row(out, layout, field.name, field.kind, &place(layout, field.name));
            members(out, layout, field, &place(layout, field.name));
        }
    }
}

fn row(out: &mut String, layout: &Layout, field: &str, kind: FieldType, place: &Place) {
    let found = match place {
        Place::Columns(columns) => names(columns),
        Place::Extra(name) => format!("`extra`, `{name}`"),
        Place::Told(why) => (*why).to_owned(),
    };
    let _ = writeln!(out, "| {} | {} | {field} | {} | {found} |", layout.tag, layout.name, word(kind));
}

/// The fields inside an array, which are found under their own names where the array has no column.
fn members(out: &mut String, layout: &Layout, field: &Field, place: &Place) {
    let FieldType::Array(inner) = field.kind else { return };
    for member in inner {
        let place = match place {
            Place::Extra(name) if name.ends_with(field.name) => {
                Place::Extra(format!("{}{}", name.trim_end_matches(field.name), member.name))
            }
            other => other.clone(),
        };
        row(out, layout, &format!("{}[].{}", field.name, member.name), member.kind, &place);
        members(out, layout, member, &place);
    }
}

fn names(columns: &[Column]) -> String {
    let names: Vec<String> = columns.iter().map(|column| format!("`{}`", column.name())).collect();
    names.join(", ")
}

const fn word(kind: FieldType) -> &'static str {
    match kind {
        FieldType::U32 => "u32",
        FieldType::I32 => "i32",
        FieldType::U64 => "u64",
        FieldType::F32 => "f32",
        FieldType::Percent => "percent",
        FieldType::Text => "text",
        FieldType::Opaque => "bytes",
        FieldType::Fixed(_) => "fixed bytes",
        FieldType::Mac => "mac",
        FieldType::Ipv4 => "ipv4",
        FieldType::Ipv6 => "ipv6",
        FieldType::Address => "address",
        FieldType::Array(_) => "array",
    }
}
