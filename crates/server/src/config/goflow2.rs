//! goflow2's mapping file, as far as it has a meaning here.
//!
//! Of `ipfix.mapping` and `netflowv9.mapping` every entry becomes a rule. A destination that is one of our columns, in
//! either of goflow2's spellings, fills that column; any other is a column of its own, of the type that
//! `formatter.protobuf` declares for it. Everything else in the file is about goflow2's own output, or about packet
//! headers, which are decoded whole here: it is named with its line, and changes nothing.

mod yaml;

use std::path::Path;

use finderscope_flow::Column;
use finderscope_intake::{MapProtocol, MapRule, MapTarget, MapType, can_be_mapped};

use self::yaml::{Node, Value};
use super::ConfigError;
use super::map::Target;

/// What a file says, and what in it has no meaning here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mapping {
    /// Elements and where they go.
    pub rules: Vec<MapRule>,
    /// Each with file, line and key.
    pub warnings: Vec<String>,
}

/// Reads the file.
pub fn read(path: &Path) -> Result<Mapping, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Read { path: path.to_owned(), error })?;
    parse(&text, path)
}

/// Understands the text of the file `path`.
pub fn parse(text: &str, path: &Path) -> Result<Mapping, ConfigError> {
    let understand = || -> Result<Mapping, Problem> {
        let root = yaml::read(text)?;
        let mut file = File { path, mapping: Mapping::default(), types: Vec::new() };
        // Types are declared behind what uses them.
        if let Some(formatter) = root.get("formatter")? {
            file.formatter(formatter)?;
        }
        for (key, node) in root.entries("the file")? {
            match key.as_str() {
                "formatter" => {}
                "ipfix" => file.templates(node, "ipfix", MapProtocol::Ipfix)?,
                "netflowv9" => file.templates(node, "netflowv9", MapProtocol::NetflowV9)?,
                "sflow" => file.sflow(node)?,
                other => file.ignore(node.line, other, "is not known"),
            }
        }
        Ok(file.mapping)
    };
    understand().map_err(|problem| ConfigError::Key {
        path: path.to_owned(),
        line: problem.line,
        message: problem.message,
    })
}

/// What is wrong, and where.
#[derive(Debug)]
struct Problem {
    line: usize,
    message: String,
}

impl Problem {
    fn new(line: usize, message: impl Into<String>) -> Self {
        Self { line, message: message.into() }
    }
}

struct File<'a> {
    path: &'a Path,
    mapping: Mapping,
    /// What `formatter.protobuf` declares.
    types: Vec<(String, MapType)>,
}

impl File<'_> {
    fn ignore(&mut self, line: usize, key: &str, why: &str) {
        self.mapping.warnings.push(format!("{}:{line}: {key} {why}, and changes nothing", self.path.display()));
    }

    fn formatter(&mut self, node: &Node) -> Result<(), Problem> {
        for (key, node) in node.entries("formatter")? {
            match (key.as_str(), &node.value) {
                ("protobuf", _) => {
                    for (at, entry) in node.items("formatter.protobuf")?.iter().enumerate() {
                        self.declare(entry, &format!("formatter.protobuf[{at}]"))?;
                    }
                }
                (_, Value::List(items)) if items.is_empty() => {}
                (_, Value::Map(entries)) if entries.is_empty() => {}
                _ => self.ignore(node.line, &format!("formatter.{key}"), "is about goflow2's output"),
            }
        }
        Ok(())
    }

    fn declare(&mut self, entry: &Node, key: &str) -> Result<(), Problem> {
        let name = entry.require("name", key)?.text(&format!("{key}.name"))?;
        let data_type = match entry.get("type")? {
            None => MapType::Number,
            Some(node) => match node.text(&format!("{key}.type"))? {
                "varint" => MapType::Number,
                "string" => MapType::String,
                "bytes" => MapType::Hex,
                other => {
                    return Err(Problem::new(
                        node.line,
                        format!("{key}.type: '{other}' is none of varint, string, bytes"),
                    ));
                }
            },
        };
        self.types.push((plain(name), data_type));
        Ok(())
    }

    fn templates(&mut self, node: &Node, section: &str, protocol: MapProtocol) -> Result<(), Problem> {
        for (key, node) in node.entries(section)? {
            match key.as_str() {
                "mapping" => {
                    for (at, entry) in node.items(&format!("{section}.mapping"))?.iter().enumerate() {
                        self.element(entry, &format!("{section}.mapping[{at}]"), protocol)?;
                    }
                }
                other => self.ignore(node.line, &format!("{section}.{other}"), "is not known"),
            }
        }
        Ok(())
    }

    fn element(&mut self, entry: &Node, key: &str, protocol: MapProtocol) -> Result<(), Problem> {
        let element = entry.require("field", key)?.number(&format!("{key}.field"), u16::MAX.into())? as u16;
        let pen = match entry.get("pen")? {
            None => 0,
            Some(node) => node.number(&format!("{key}.pen"), u32::MAX.into())? as u32,
        };
        let has_pen = match entry.get("penprovided")? {
            None => pen != 0,
            Some(node) => node.truth(&format!("{key}.penprovided"))?,
        };
        for (name, node) in entry.entries(key)? {
            match name.as_str() {
                "field" | "pen" | "penprovided" | "destination" => {}
                "endian" | "endianness" => match node.text(&format!("{key}.{name}"))? {
                    "big" | "" => {}
                    "little" => {
                        return Err(Problem::new(
                            node.line,
                            format!(
                                "{key}.{name}: little endian is not read; elements are big endian (RFC 7011 section 6.1)"
                            ),
                        ));
                    }
                    other => {
                        return Err(Problem::new(
                            node.line,
                            format!("{key}.{name}: '{other}' is neither big nor little"),
                        ));
                    }
                },
                other => self.ignore(node.line, &format!("{key}.{other}"), "is about goflow2's output"),
            }
        }
        let destination = entry.require("destination", key)?;
        let name = destination.text(&format!("{key}.destination"))?;
        let enterprise = if has_pen { pen } else { 0 };
        match self.target(name) {
            Ok((target, data_type)) => {
                self.mapping.rules.push(MapRule { protocol, enterprise, element, target, data_type });
            }
            Err(Refusal::Found(column)) => {
                let why = format!("names {}, which is found without it", column.name());
                self.ignore(destination.line, &format!("{key}.destination"), &why);
            }
            Err(Refusal::Name(message)) => {
                return Err(Problem::new(destination.line, format!("{key}.destination: {message}")));
            }
        }
        Ok(())
    }

    /// The column that goflow2 calls so, or a new one.
    fn target(&self, name: &str) -> Result<(MapTarget, Option<MapType>), Refusal> {
        let plain = plain(name);
        if let Some(&column) = Column::ALL.iter().find(|column| self::plain(column.name()) == plain) {
            return if can_be_mapped(column) {
                Ok((MapTarget::Column(column), None))
            } else {
                Err(Refusal::Found(column))
            };
        }
        let data_type = self.types.iter().find(|(known, _)| *known == plain).map(|(_, data_type)| *data_type);
        let target: Target = snake(name).parse().map_err(Refusal::Name)?;
        Ok((target.0, data_type))
    }

    fn sflow(&mut self, node: &Node) -> Result<(), Problem> {
        for (key, node) in node.entries("sflow")? {
            let why = "is about bytes of packets, whose headers are decoded into columns";
            match (key.as_str(), &node.value) {
                ("mapping", Value::List(items)) => {
                    for (at, item) in items.iter().enumerate() {
                        self.ignore(item.line, &format!("sflow.mapping[{at}]"), why);
                    }
                }
                (other, _) => self.ignore(node.line, &format!("sflow.{other}"), "is not known"),
            }
        }
        Ok(())
    }
}

/// Why a destination cannot be mapped to.
enum Refusal {
    Found(Column),
    Name(String),
}

/// A name without what the spellings `SrcAddr` and `src_addr` differ in.
fn plain(name: &str) -> String {
    name.chars().filter(|c| *c != '_').map(|c| c.to_ascii_lowercase()).collect()
}

/// `CustomInteger1` as a column's name: `custom_integer1`.
fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    let mut before = '_';
    for c in name.chars() {
        if c.is_ascii_uppercase() && before != '_' && !before.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
        before = c;
    }
    out
}

#[cfg(test)]
mod tests;
