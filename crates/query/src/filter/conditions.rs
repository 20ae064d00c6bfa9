//! What a single condition may be: addresses, numbers, volumes, protocols, flags, and any column by its name.

use std::net::IpAddr;

use arrow::datatypes::DataType;
use datafusion::logical_expr::{Expr, cast, col, ident, lit, when};
use datafusion::scalar::ScalarValue;
use finderscope_flow::{Column, Kind as CellKind};

use super::FilterError;
use super::build::{any_of, compared, duration_ns, family, is, opposite_if, rate, ratio};
use super::lexer::Kind;
use super::node::{Comparison, Node};
use super::numbers::{largest, literal, number};
use super::parser::Parser;
use super::words::{self, STARTS};
use crate::address::{Prefix, octets, parse_mac};
use crate::columns::{Key, columns_by_alias};
use crate::literals::parse_time;
use crate::names::{UserColumn, UserKind, text as text_value};
use crate::nearest::nearest;
use crate::window;

const ADDRESS: &str = "an IP address or a prefix such as 10.0.0.0/8";
const MAC: &str = "a MAC address such as 00:11:22:33:44:55";
const NUMBER: &str = "a number";
const VOLUME: &str = "a number, with k, M or G where you like";
const FLAGS: &str = "TCP flags as letters out of AFPRSUX";

/// Which side of a flow a condition is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Side {
    Source,
    Destination,
    /// One or the other.
    Either,
    /// Both.
    Both,
}

impl Side {
    /// The condition on one column, asked of the side's columns.
    fn ask(self, source: &'static str, destination: &'static str, condition: impl Fn(&'static str) -> Node) -> Node {
        match self {
            Self::Source => condition(source),
            Self::Destination => condition(destination),
            Self::Either => Node::Any(vec![condition(source), condition(destination)]),
            Self::Both => Node::All(vec![condition(source), condition(destination)]),
        }
    }
}

impl Parser<'_> {
    /// One condition.
    pub(super) fn condition(&mut self) -> Result<Node, FilterError> {
        let Some(word) = self.peek_word() else { return Err(self.expected("a condition")) };
        if let Some(words) = words::apart(&word) {
            return self.condition_apart(words);
        }
        if let Some(side) = self.side() {
            return match self.sided(side)? {
                Some(node) => Ok(node),
                None => self.address_of(side),
            };
        }
        if let Some(node) = self.interface_or_next()? {
            return Ok(node);
        }
        if let Some(node) = self.sided(Side::Either)? {
            return Ok(node);
        }
        if let Some(node) = self.plain(&word)? {
            return Ok(node);
        }
        if Prefix::parse(&word).is_some() {
            return self.address_of(Side::Either);
        }
        self.column(&word)
    }

    /// A condition whose first words were written as one.
    fn condition_apart(&mut self, words: &[&'static str]) -> Result<Node, FilterError> {
        self.skip();
        match words {
            ["src", what] => self.sided_by(Side::Source, what),
            ["dst", what] => self.sided_by(Side::Destination, what),
            ["in", _] => self.number("in_if"),
            ["out", _] => self.number("out_if"),
            ["next", _] => self.address("next_hop"),
            ["bgpnext", _] => self.address("bgp_next_hop"),
            _ => self.exporter(),
        }
    }

    /// `src`, `dst`, `src or dst`, `src and dst`; nfdump's `in src` and `out dst` before a MAC mean the same.
    fn side(&mut self) -> Option<Side> {
        let of = |kind: Kind<'_>| match kind {
            Kind::Word(word) if ["src", "source"].iter().any(|src| word.eq_ignore_ascii_case(src)) => {
                Some(Side::Source)
            }
            Kind::Word(word) if ["dst", "destination"].iter().any(|dst| word.eq_ignore_ascii_case(dst)) => {
                Some(Side::Destination)
            }
            _ => None,
        };
        if matches!(self.peek_word().as_deref(), Some("in" | "out")) && of(self.peek_after(1)).is_some() {
            self.skip();
        }
        let first = of(self.peek())?;
        self.skip();
        let joined = match self.peek() {
            Kind::Or => Side::Either,
            Kind::And => Side::Both,
            _ => return Some(first),
        };
        match of(self.peek_after(1)) {
            Some(second) if second != first => {
                self.skip();
                self.skip();
                Some(joined)
            }
            _ => Some(first),
        }
    }

    /// What there is on both sides of a flow.
    fn sided(&mut self, side: Side) -> Result<Option<Node>, FilterError> {
        const WORDS: [&str; 10] = ["ip", "host", "addr", "address", "net", "port", "as", "mac", "vlan", "mask"];
        match self.take_word(&WORDS) {
            Some(what) => self.sided_by(side, what).map(Some),
            None => Ok(None),
        }
    }

    fn sided_by(&mut self, side: Side, what: &str) -> Result<Node, FilterError> {
        match what {
            "net" => self.net(side),
            "port" => self.numbers(side, "src_port", "dst_port"),
            "as" => self.numbers(side, "src_as", "dst_as"),
            "mask" => self.numbers(side, "src_net", "dst_net"),
            "mac" => self.mac(side),
            "vlan" => self.vlan(side),
            _ => self.address_of(side),
        }
    }

    /// `in if 3`, `out if 3`, `if 3`, `next ip 10.0.0.1`, `bgpnext ip 10.0.0.1`, `next as 64500`.
    fn interface_or_next(&mut self) -> Result<Option<Node>, FilterError> {
        let node = match self.take_word(&["in", "out", "if", "next", "bgpnext"]) {
            None => return Ok(None),
            Some("if") => self.numbers(Side::Either, "in_if", "out_if"),
            Some(direction @ ("in" | "out")) => match self.take_word(&["if"]) {
                Some(_) => self.number(if direction == "in" { "in_if" } else { "out_if" }),
                None => Err(self.expected("`if`")),
            },
            Some(next) => match (next, self.take_word(&["ip", "as"])) {
                ("next", Some("as")) => self.number("next_hop_as"),
                ("next", Some(_)) => self.address("next_hop"),
                ("bgpnext", Some("ip")) => self.address("bgp_next_hop"),
                _ => Err(self.expected("`ip`")),
            },
        }?;
        Ok(Some(node))
    }

    /// Conditions that have no side.
    fn plain(&mut self, word: &str) -> Result<Option<Node>, FilterError> {
        let node = match word {
            "any" => self.just(Node::Always),
            "inet" | "ipv4" => self.just(family("0.0.0.0/0")),
            "inet6" | "ipv6" => self.just(family("::/0")),
            "proto" | "protocol" => self.protocol()?,
            "bytes" | "octets" => self.volume(col("bytes_scaled"))?,
            "packets" => self.volume(col("packets_scaled"))?,
            "bpp" => self.volume(ratio(col("bytes_scaled"), col("packets_scaled")))?,
            "bps" => self.volume(rate(col("bytes_scaled"), 8e9))?,
            "pps" => self.volume(rate(col("packets_scaled"), 1e9))?,
            "duration" => self.volume(duration_ns() / lit(1_000_000_i64))?,
            "flags" => self.flags()?,
            "tos" => self.skip_to_number("ip_tos")?,
            "icmp-type" => self.icmp("icmp_type", |port| port / lit(256_u16))?,
            "icmp-code" => self.icmp("icmp_code", |port| port % lit(256_u16))?,
            "dir" => self.direction()?,
            "exporter" => {
                self.skip();
                self.exporter()?
            }
            name => match words::protocol(name) {
                Some(number) => self.just(is(col("proto"), Comparison::Eq, lit(number))),
                None => return Ok(None),
            },
        };
        Ok(Some(node))
    }

    fn just(&mut self, node: Node) -> Node {
        self.skip();
        node
    }

    fn skip_to_number(&mut self, column: &'static str) -> Result<Node, FilterError> {
        self.skip();
        self.number(column)
    }

    fn address_of(&mut self, side: Side) -> Result<Node, FilterError> {
        let (comparison, prefixes) = self.prefixes()?;
        let node = side.ask("src_addr", "dst_addr", |column| any_of(column, &prefixes));
        Ok(opposite_if(comparison == Comparison::Ne, node))
    }

    fn address(&mut self, column: &'static str) -> Result<Node, FilterError> {
        let (comparison, prefixes) = self.prefixes()?;
        Ok(opposite_if(comparison == Comparison::Ne, any_of(column, &prefixes)))
    }

    fn exporter(&mut self) -> Result<Node, FilterError> {
        self.take_word(&["ip"]);
        let (comparison, prefixes) = self.prefixes()?;
        let node = Node::Any(["exporter_address", "sampler_address"].map(|column| any_of(column, &prefixes)).into());
        Ok(opposite_if(comparison == Comparison::Ne, node))
    }

    /// `10.0.0.1`, `10.0.0.0/8`, `= …`, `!= …`, `in [ … ]`.
    fn prefixes(&mut self) -> Result<(Comparison, Vec<Prefix>), FilterError> {
        if self.take_word(&["in"]).is_some() {
            return Ok((Comparison::Eq, self.list(ADDRESS, Prefix::parse)?));
        }
        let place = self.expected("`=` or `!=`: addresses have no order");
        let comparison = self.comparison();
        if !matches!(comparison, Comparison::Eq | Comparison::Ne) {
            return Err(place);
        }
        Ok((comparison, vec![self.value(ADDRESS, Prefix::parse)?]))
    }

    /// `10.0.0.0/8`, or an address and its mask.
    fn net(&mut self, side: Side) -> Result<Node, FilterError> {
        let masked = match (self.peek(), self.peek_after(1)) {
            (Kind::Word(address), Kind::Word(mask)) => match (address.parse::<IpAddr>(), mask.parse::<IpAddr>()) {
                (Ok(address), Ok(mask)) => Some((address, mask)),
                _ => None,
            },
            _ => None,
        };
        let Some((address, mask)) = masked else { return self.address_of(side) };
        self.skip();
        let prefix = Prefix::from_mask(address, mask)
            .ok_or_else(|| self.expected("a mask of the same family, whose ones come first"))?;
        self.skip();
        Ok(side.ask("src_addr", "dst_addr", |column| any_of(column, &[prefix])))
    }

    fn mac(&mut self, side: Side) -> Result<Node, FilterError> {
        let comparison = self.comparison();
        let mac = self.value(MAC, parse_mac)?;
        let node = side.ask("src_mac", "dst_mac", |column| is(col(column), Comparison::Eq, lit(mac)));
        Ok(opposite_if(comparison == Comparison::Ne, node))
    }

    fn vlan(&mut self, side: Side) -> Result<Node, FilterError> {
        if side != Side::Either {
            return self.numbers(side, "src_vlan", "dst_vlan");
        }
        let test = self.number_test("vlan_id")?;
        Ok(test.node_on(&["vlan_id", "src_vlan", "dst_vlan"]))
    }

    fn number(&mut self, column: &'static str) -> Result<Node, FilterError> {
        Ok(self.number_test(column)?.node_on(&[column]))
    }

    fn numbers(&mut self, side: Side, source: &'static str, destination: &'static str) -> Result<Node, FilterError> {
        let test = self.number_test(source)?;
        let node = side.ask(source, destination, |column| test.met_by(column));
        Ok(opposite_if(test.opposite, node))
    }

    /// `53`, `> 1024`, `in [ 53 443 ]`, of the column's width.
    fn number_test(&mut self, column: &str) -> Result<NumberTest, FilterError> {
        let kind = Column::by_name(column).map_or(CellKind::U64, Column::kind);
        let expected = format!("a number up to {}", largest(kind));
        let read = |text: &str| literal(kind, number(text)?);
        if self.take_word(&["in"]).is_some() {
            let values = self.list(&expected, read)?;
            return Ok(NumberTest { opposite: false, comparison: Comparison::Eq, values });
        }
        let comparison = self.comparison();
        let values = vec![self.value(&expected, read)?];
        Ok(match comparison {
            Comparison::Ne => NumberTest { opposite: true, comparison: Comparison::Eq, values },
            comparison => NumberTest { opposite: false, comparison, values },
        })
    }

    fn volume(&mut self, volume: Expr) -> Result<Node, FilterError> {
        self.skip();
        let comparison = self.comparison();
        let value = self.value(VOLUME, number)?;
        Ok(compared(volume, comparison, lit(value)))
    }

    fn protocol(&mut self) -> Result<Node, FilterError> {
        self.skip();
        let read = |text: &str| words::protocol(text).or_else(|| u8::try_from(number(text)?).ok()).map(lit);
        let expected = "a protocol's name or number";
        if self.take_word(&["in"]).is_some() {
            return Ok(Node::Is(col("proto").in_list(self.list(expected, read)?, false)));
        }
        let comparison = self.comparison();
        Ok(compared(col("proto"), comparison, self.value(expected, read)?))
    }

    /// `flags SA`: all set. `flags = SA`: just these. `flags 0x12` likewise by number.
    fn flags(&mut self) -> Result<Node, FilterError> {
        self.skip();
        let exact = matches!(self.peek(), Kind::Comparison(_));
        let comparison = self.comparison();
        let flags = self.value(FLAGS, |text| words::flags(text).or_else(|| u16::try_from(number(text)?).ok()))?;
        Ok(if exact { compared(col("tcp_flags"), comparison, lit(flags)) } else { Node::Flags(flags) })
    }

    /// ICMP's type or code; exporters that have no element for them put both into the destination port.
    fn icmp(&mut self, column: &'static str, of_port: fn(Expr) -> Expr) -> Result<Node, FilterError> {
        self.skip();
        let comparison = self.comparison();
        let value = self.value("a number up to 255", |text| u8::try_from(number(text)?).ok())?;
        let icmp = col("proto").in_list(vec![lit(1_u8), lit(58_u8)], false);
        let mut in_port = when(col(column).is_null().and(icmp), cast(of_port(col("dst_port")), DataType::UInt8));
        let known = in_port.otherwise(col(column)).map_err(|_| self.expected(NUMBER))?;
        Ok(compared(known, comparison, lit(value)))
    }

    fn direction(&mut self) -> Result<Node, FilterError> {
        self.skip();
        let comparison = self.comparison();
        let direction = self.value("`ingress` or `egress`", |text| match text.to_ascii_lowercase().as_str() {
            "ingress" | "in" | "0" => Some(0_u8),
            "egress" | "out" | "1" => Some(1_u8),
            _ => None,
        })?;
        Ok(compared(col("flow_direction"), comparison, lit(direction)))
    }

    /// Any column, compared by its name.
    fn column(&mut self, word: &str) -> Result<Node, FilterError> {
        if word == "bytes_scaled" || word == "packets_scaled" {
            return self.volume(col(word));
        }
        let column = match columns_by_alias(word, self.user()).as_deref() {
            Ok([Key::Column(column)]) if column.name() == word => *column,
            Ok([Key::Name(name)]) => {
                self.skip();
                return self.value_of(name.name(), "text", |text| Some(text_value(text)));
            }
            Ok([Key::User(column)]) => return self.user_column(&column.clone()),
            _ => return Err(self.unknown(word)),
        };
        self.skip();
        let name = column.name();
        match column.kind() {
            CellKind::Address => self.address(name),
            CellKind::Mac => self.value_of(name, MAC, |text| parse_mac(text).map(lit)),
            CellKind::Text => self.value_of(name, "text", |text| Some(lit(text))),
            CellKind::Word(words) => self.value_of(name, &format!("one of {}", words.join(", ")), |text| {
                words.iter().find(|word| word.eq_ignore_ascii_case(text)).map(|word| lit(*word))
            }),
            CellKind::Time => {
                self.value_of(name, "a time such as 2026-05-01T10:00:00Z", |text| parse_time(text).map(window::time))
            }
            CellKind::List | CellKind::Map => Err(self.expected("a column of single values")),
            CellKind::U8 | CellKind::U16 | CellKind::U32 | CellKind::U64 => self.number(name),
        }
    }

    fn value_of(
        &mut self,
        column: &str,
        expected: &str,
        read: impl Fn(&str) -> Option<Expr>,
    ) -> Result<Node, FilterError> {
        if self.take_word(&["in"]).is_some() {
            return Ok(Node::Is(ident(column).in_list(self.list(expected, read)?, false)));
        }
        let comparison = self.comparison();
        Ok(compared(ident(column), comparison, self.value(expected, read)?))
    }

    /// A column that the user declared.
    fn user_column(&mut self, column: &UserColumn) -> Result<Node, FilterError> {
        self.skip();
        let name = column.name.as_str();
        match column.kind {
            UserKind::Text => self.value_of(name, "text", |text| Some(text_value(text))),
            UserKind::Number => self.value_of(name, VOLUME, |text| number(text).map(lit)),
            UserKind::Signed => self.value_of(name, NUMBER, |text| text.parse::<i64>().ok().map(lit)),
            UserKind::Float => self.value_of(name, NUMBER, |text| text.parse::<f64>().ok().map(lit)),
            UserKind::Boolean => self.value_of(name, "true or false", |text| text.parse::<bool>().ok().map(lit)),
            UserKind::Address => {
                let address =
                    |text: &str| Some(lit(ScalarValue::BinaryView(Some(octets(text.parse::<IpAddr>().ok()?)))));
                self.value_of(name, "an IP address", address)
            }
        }
    }

    fn unknown(&self, word: &str) -> FilterError {
        let near = nearest(word, STARTS.into_iter().chain(Key::names(self.user())));
        match near.as_slice() {
            [] => self.expected("a condition such as `src ip 10.1.2.3`, or a column's name"),
            near => self.expected(&format!("a condition or a column; near are {}", near.join(", "))),
        }
    }
}

/// A comparison with numbers, to be asked of columns.
struct NumberTest {
    opposite: bool,
    comparison: Comparison,
    values: Vec<Expr>,
}

impl NumberTest {
    fn met_by(&self, column: &'static str) -> Node {
        match self.values.as_slice() {
            [value] => is(col(column), self.comparison, value.clone()),
            values => Node::Is(col(column).in_list(values.to_vec(), false)),
        }
    }

    fn node_on(&self, columns: &[&'static str]) -> Node {
        opposite_if(self.opposite, Node::Any(columns.iter().map(|column| self.met_by(column)).collect()))
    }
}
