//! Looking names up: from a row's exporter and number to text, without joining rows.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BinaryViewArray, StringViewBuilder, UInt32Array, as_primitive_array};
use arrow::datatypes::{DataType, UInt32Type, UInt64Type};
use datafusion::common::cast::{as_binary_view_array, as_string_view_array};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, col,
};

use super::What;
use super::known::{Facts, Known, Subject};
use crate::same::Same;

/// Names of one kind of thing.
#[derive(Debug)]
pub(super) struct Directory<K> {
    /// By whom they belong to, then by number.
    by_owner: HashMap<Vec<u8>, HashMap<K, Arc<str>>>,
}

impl<K> Default for Directory<K> {
    fn default() -> Self {
        Self { by_owner: HashMap::new() }
    }
}

impl<K: Eq + Hash> Directory<K> {
    fn insert(&mut self, owner: Vec<u8>, key: K, name: &str) {
        self.by_owner.entry(owner).or_default().insert(key, name.into());
    }
}

/// All names.
#[derive(Debug, Default)]
pub(super) struct Directories {
    interfaces: Directory<u64>,
    aliases: Directory<u64>,
    samplers: Directory<u64>,
    vrfs: Directory<u64>,
    applications: Directory<String>,
}

impl Directories {
    pub(super) fn of(facts: &Facts) -> Self {
        let mut all = Self::default();
        let mut newest: HashMap<(Vec<u8>, u64), i64> = HashMap::new();
        for ((teller, subject), elements) in &facts.told {
            let first = |names: &[&str]| names.iter().find_map(|name| elements.get(*name));
            let exporter = owner(&teller.exporter, &[], None);
            match subject {
                Subject::Exporter | Subject::Template(_) => {}
                Subject::Interface(index) => {
                    let owner = owner(&teller.exporter, &teller.sampler, None);
                    if let Some(name) = first(&["interfaceName", "port_name"]) {
                        all.interfaces.insert(owner.clone(), *index, &name.value);
                    }
                    if let Some(alias) = first(&["interfaceDescription"]) {
                        all.aliases.insert(owner, *index, &alias.value);
                    }
                }
                Subject::Sampler(id) => {
                    let Some(name) = first(&["samplerName", "selectorName"]) else { continue };
                    all.samplers.insert(owner(&teller.exporter, &[], Some(teller.domain)), *id, &name.value);
                    // Told in one domain and used in another, as some exporters do: the newest of that number.
                    let last = newest.entry((exporter.clone(), *id)).or_insert(i64::MIN);
                    if name.last_ns >= *last {
                        *last = name.last_ns;
                        all.samplers.insert(exporter, *id, &name.value);
                    }
                }
                Subject::Vrf(id) => {
                    if let Some(name) = first(&["VRFname"]) {
                        all.vrfs.insert(exporter, *id, &name.value);
                    }
                }
                Subject::Application(id) => {
                    if let Some(name) = first(&["applicationName"]) {
                        all.applications.insert(exporter, id.clone(), &name.value);
                    }
                }
            }
        }
        all
    }
}

fn owner(exporter: &[u8], sampler: &[u8], domain: Option<u32>) -> Vec<u8> {
    // The length keeps addresses apart that stand one after the other.
    let mut owner = vec![exporter.len() as u8];
    owner.extend_from_slice(exporter);
    owner.extend_from_slice(sampler);
    if let Some(domain) = domain {
        owner.extend_from_slice(b"/");
        owner.extend_from_slice(&domain.to_be_bytes());
    }
    owner
}

/// The name of what a row has by number.
pub(super) fn name_of(what: What, known: &Known, number: Expr) -> Expr {
    let key = if what == What::Application { DataType::Utf8View } else { DataType::UInt64 };
    let types = vec![DataType::BinaryView, DataType::BinaryView, DataType::UInt32, key];
    // Not immutable: the same question may be answered otherwise when more was told.
    let signature = Signature::exact(types, Volatility::Stable);
    let function = NameOf { what, directories: Same(Arc::clone(&known.directories)), signature };
    ScalarUDF::from(function).call(vec![
        col("exporter_address"),
        col("sampler_address"),
        col("observation_domain_id"),
        number,
    ])
}

#[derive(Debug, Eq, Hash, PartialEq)]
struct NameOf {
    what: What,
    directories: Same<Directories>,
    signature: Signature,
}

impl ScalarUDFImpl for NameOf {
    fn name(&self) -> &str {
        "name_of"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let [exporters, samplers, domains, keys] = arrays.as_slice() else {
            return exec_err!("name_of takes four arguments");
        };
        let owners = Owners {
            what: self.what,
            exporters: as_binary_view_array(exporters)?,
            samplers: as_binary_view_array(samplers)?,
            domains: as_primitive_array::<UInt32Type>(domains),
        };
        Ok(ColumnarValue::Array(self.names(&owners, keys)?))
    }
}

impl NameOf {
    fn names(&self, owners: &Owners<'_>, keys: &ArrayRef) -> Result<ArrayRef> {
        let mut names = StringViewBuilder::with_capacity(keys.len());
        if self.what == What::Application {
            let mut finder = Finder::new(&self.directories.applications, owners);
            for (row, key) in as_string_view_array(keys)?.iter().enumerate() {
                names.append_option(key.and_then(|key| finder.find(row, key).or_else(|| is_name(key).then_some(key))));
            }
        } else {
            let directory = match self.what {
                What::Interface => &self.directories.interfaces,
                What::Alias => &self.directories.aliases,
                What::Vrf => &self.directories.vrfs,
                What::Sampler | What::Application => &self.directories.samplers,
            };
            let mut finder = Finder::new(directory, owners);
            for (row, key) in as_primitive_array::<UInt64Type>(keys).iter().enumerate() {
                names.append_option(key.and_then(|key| finder.find(row, &key)));
            }
        }
        Ok(Arc::new(names.finish()))
    }
}

/// Whether an application is not `engine:selector`, but a name that the record itself had.
fn is_name(app: &str) -> bool {
    !app.split_once(':').is_some_and(|(engine, _)| engine.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whom each row is from.
#[derive(Clone, Copy)]
struct Owners<'a> {
    what: What,
    exporters: &'a BinaryViewArray,
    samplers: &'a BinaryViewArray,
    domains: &'a UInt32Array,
}

/// Looks names up row by row; rows of one exporter mostly follow each other.
struct Finder<'a, K> {
    directory: &'a Directory<K>,
    owners: Owners<'a>,
    last: Option<usize>,
    maps: [Option<&'a HashMap<K, Arc<str>>>; 2],
}

impl<'a, K: Eq + Hash> Finder<'a, K> {
    const fn new(directory: &'a Directory<K>, owners: &Owners<'a>) -> Self {
        Self { directory, owners: *owners, last: None, maps: [None; 2] }
    }

    fn find<Q: Eq + Hash + ?Sized>(&mut self, row: usize, key: &Q) -> Option<&'a str>
    where
        K: std::borrow::Borrow<Q>,
    {
        if !self.last.is_some_and(|last| self.owners.are_alike(last, row)) {
            self.maps = self.owners.of(row).map(|owner| self.directory.by_owner.get(&owner?));
            self.last = Some(row);
        }
        self.maps.iter().find_map(|map| map.as_ref()?.get(key)).map(AsRef::as_ref)
    }
}

impl Owners<'_> {
    fn are_alike(&self, one: usize, other: usize) -> bool {
        let exporter = self.exporters.value(one) == self.exporters.value(other);
        exporter
            && match self.what {
                What::Interface | What::Alias => self.samplers.value(one) == self.samplers.value(other),
                What::Sampler => self.domains.value(one) == self.domains.value(other),
                What::Vrf | What::Application => true,
            }
    }

    /// Whose names count, the first before the second.
    fn of(&self, row: usize) -> [Option<Vec<u8>>; 2] {
        let exporter = self.exporters.value(row);
        match self.what {
            What::Interface | What::Alias => [Some(owner(exporter, self.samplers.value(row), None)), None],
            What::Sampler => {
                [Some(owner(exporter, &[], Some(self.domains.value(row)))), Some(owner(exporter, &[], None))]
            }
            What::Vrf | What::Application => [Some(owner(exporter, &[], None)), None],
        }
    }
}
