//! Opening a folder after whatever happened to it.
//!
//! The manifest decides: files of ours that it does not name are removed, for a cut that was not recorded is replayed
//! from the journal. Only where the manifest itself is damaged is nothing removed: a part whose positions are known
//! to be stored is counted again, any other is moved to `unnamed/`. Files that are not ours are never touched.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use finderscope_flow::Table;

use crate::catalog::Catalog;
use crate::companions::{self, differs};
use crate::layout::{Layout, is_merged_name, parse_part_name};
use crate::manifest::{self, Manifest};
use crate::part::{Tally, describe};
use crate::state;
use crate::store::{Options, now_ns};
use crate::{DiskError, Origin, Part, Problem, StateFile, StoreError, disk};

/// How a folder was found, and from where its shards go on.
#[derive(Clone, Debug, PartialEq)]
pub struct Recovery {
    /// One for each shard that the folder has, by number.
    pub shards: Vec<ShardRecovery>,
    /// How many shards were asked for. Where the folder has another number, each of its journals has to be replayed
    /// and cut, and [`crate::Store::reshard`] called, before the new shards begin.
    pub shards_wanted: u32,
    /// What is not as it should be.
    pub problems: Vec<Problem>,
}

/// From where a shard goes on.
#[derive(Clone, Debug, PartialEq)]
pub struct ShardRecovery {
    /// Its number.
    pub shard: u32,
    /// Rows of all deliveries before this position are stored: replay for rows begins here, and
    /// the journal never gives out a position below it.
    pub position: u64,
    /// The decoder's state, with all deliveries before its position: replay for the state begins there.
    pub state: Option<(u64, Vec<u8>)>,
}

impl Recovery {
    /// Whether the folder has another number of shards than was asked for.
    pub fn needs_reshard(&self) -> bool {
        self.shards.len() != self.shards_wanted as usize
    }
}

/// Puts the folder in order. The lock is held.
pub(crate) fn recover(layout: &Layout, options: &Options) -> Result<(Manifest, Recovery), StoreError> {
    disk::make_folders(&layout.incoming())?;
    disk::make_folders(&layout.state())?;
    disk::remove(&layout.manifest_new())?;
    let probe = options.probe.clone();
    let Some((mut catalog, text, scan)) = manifest::read(layout)? else {
        let catalog = begin(layout, options.shards)?;
        let recovery = Recovery {
            shards: shards(&catalog, layout, &mut Vec::new()),
            shards_wanted: options.shards,
            problems: Vec::new(),
        };
        return Ok((Manifest::write_anew(layout.clone(), probe, catalog)?, recovery));
    };
    let mut problems = std::mem::take(&mut catalog.damage);
    let damaged = !problems.is_empty();
    if damaged {
        keep_a_copy(layout, &text)?;
    }
    sweep_parts(layout, &mut catalog, damaged, &mut problems)?;
    companions::sweep(layout, &catalog, damaged, &mut problems)?;
    finish_swaps(layout, &catalog)?;
    sweep_folder(&layout.incoming(), &BTreeSet::new())?;
    if damaged {
        state::find_again(layout, &mut catalog)?;
    }
    let states: BTreeSet<PathBuf> = named_states(&catalog).map(|state| layout.named(&state.path)).collect();
    sweep_folder(&layout.state(), &states)?;
    problems.extend(catalog.parts.values().filter_map(|part| check(layout, part)));
    problems.extend(companions::check(layout, &catalog));
    let shards = shards(&catalog, layout, &mut problems);
    let manifest = if damaged || catalog.is_wordy() {
        Manifest::write_anew(layout.clone(), probe, catalog)?
    } else {
        Manifest::go_on(layout.clone(), probe, catalog, scan.whole as u64)?
    };
    Ok((manifest, Recovery { shards, shards_wanted: options.shards, problems }))
}

/// A folder without a manifest must be new.
fn begin(layout: &Layout, shards: u32) -> Result<Catalog, StoreError> {
    let (mut files, mut strangers) = (Vec::new(), Vec::new());
    for table in Table::ALL {
        walk(layout, table, &mut files, &mut strangers)?;
    }
    match files.len() {
        0 => Ok(Catalog { shards, ..Catalog::default() }),
        parts => Err(StoreError::ManifestMissing { dir: layout.dir.clone(), parts }),
    }
}

/// What a damaged manifest said may be of use to a person.
fn keep_a_copy(layout: &Layout, text: &[u8]) -> Result<(), DiskError> {
    disk::make_folders(&layout.unnamed())?;
    disk::write_synced(&layout.unnamed().join(format!("manifest-{}", now_ns())), text)?;
    disk::sync_folder(&layout.unnamed())
}

/// A file among the parts, named as ours are.
struct Found {
    table: Table,
    path: PathBuf,
    origin: Option<Origin>,
}

fn sweep_parts(
    layout: &Layout,
    catalog: &mut Catalog,
    damaged: bool,
    problems: &mut Vec<Problem>,
) -> Result<(), DiskError> {
    for table in Table::ALL {
        let mut files = Vec::new();
        walk(layout, table, &mut files, problems)?;
        files.retain(|file| !catalog.parts.contains_key(&layout.relative(&file.path)));
        for file in files {
            if damaged {
                keep_unnamed(layout, catalog, &file, problems)?;
            } else {
                disk::remove(&file.path)?;
            }
        }
    }
    Ok(())
}

fn walk(layout: &Layout, table: Table, files: &mut Vec<Found>, strangers: &mut Vec<Problem>) -> Result<(), DiskError> {
    let mut stranger = |path: &Path| strangers.push(Problem::Stranger { path: layout.relative(path) });
    let mut folders = vec![(layout.table(table), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for entry in disk::list(&folder)? {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            let prefix = ["day=", "hour="].get(depth);
            match prefix {
                Some(prefix) if name.starts_with(prefix) && path.is_dir() => folders.push((path, depth + 1)),
                Some(_) => stranger(&path),
                None => match parse_part_name(&name) {
                    Some(origin) => files.push(Found { table, path, origin: Some(origin) }),
                    None if is_merged_name(&name) => files.push(Found { table, path, origin: None }),
                    None => stranger(&path),
                },
            }
        }
    }
    Ok(())
}

/// The manifest is damaged, and may have named this file.
fn keep_unnamed(
    layout: &Layout,
    catalog: &mut Catalog,
    file: &Found,
    problems: &mut Vec<Problem>,
) -> Result<(), DiskError> {
    let path = layout.relative(&file.path);
    // Positions below the shard's were recorded, and an unrecorded cut does not outlive the next open. So a part of
    // such positions counted, unless it was replaced.
    let stored = file.origin.filter(|origin| origin.through <= catalog.position(origin.shard));
    if catalog.replaced.contains(&path) {
        return disk::remove(&file.path);
    }
    match (stored, describe(&file.path)) {
        (Some(origin), Ok(tally)) => {
            problems.push(Problem::Found { path: path.clone(), rows: tally.rows });
            let file_bytes = fs::metadata(&file.path).map_err(DiskError::of("read", &file.path))?.len();
            let part = tally.into_part(path.clone(), file.table, file_bytes, Some(origin));
            catalog.parts.insert(path, Arc::new(part));
            Ok(())
        }
        _ => set_aside(layout, &file.path, problems),
    }
}

pub(crate) fn set_aside(layout: &Layout, from: &Path, problems: &mut Vec<Problem>) -> Result<(), DiskError> {
    let path = layout.relative(from);
    let to = layout.unnamed().join(&path);
    if let Some(folder) = to.parent() {
        disk::make_folders(folder)?;
    }
    disk::rename(from, &to)?;
    problems.push(Problem::SetAside { path, to: layout.relative(&to) });
    Ok(())
}

/// A merged part comes into its place only when its record is written and its sources are gone. Does the rest of that.
fn finish_swaps(layout: &Layout, catalog: &Catalog) -> Result<(), DiskError> {
    for part in catalog.parts.values().filter(|part| part.origin.is_none()) {
        let place = layout.named(&part.path);
        let Some((name, folder)) = place.file_name().zip(place.parent()) else { continue };
        let incoming = layout.incoming().join(name);
        if !place.exists() && incoming.exists() {
            disk::make_folders(folder)?;
            // The sources' names must not come back beside it.
            disk::sync_folder(folder)?;
            disk::rename(&incoming, &place)?;
            disk::sync_folder(folder)?;
        }
    }
    Ok(())
}

/// Removes all files that are not named.
fn sweep_folder(folder: &Path, named: &BTreeSet<PathBuf>) -> Result<(), DiskError> {
    let paths = disk::list(folder)?.into_iter().map(|entry| entry.path());
    paths.filter(|path| !named.contains(path) && !path.is_dir()).try_for_each(|path| disk::remove(&path))
}

fn named_states(catalog: &Catalog) -> impl Iterator<Item = &StateFile> {
    catalog.marks.values().filter_map(|mark| mark.state.as_ref())
}

/// What is wrong with a named part's file, by its size.
pub(crate) fn check(layout: &Layout, part: &Part) -> Option<Problem> {
    let why = differs(&layout.named(&part.path), part.file_bytes)?;
    Some(Problem::Part { path: part.path.clone(), rows: part.rows, why })
}

fn shards(catalog: &Catalog, layout: &Layout, problems: &mut Vec<Problem>) -> Vec<ShardRecovery> {
    let shard = |shard| {
        let named = catalog.marks.get(&shard).and_then(|mark| mark.state.as_ref());
        let state = named.and_then(|state| match state::read(layout, state) {
            Ok(bytes) => Some((state.position, bytes)),
            Err(why) => {
                problems.push(Problem::State { shard, path: state.path.clone(), why });
                None
            }
        });
        ShardRecovery { shard, position: catalog.position(shard), state }
    };
    (0..catalog.shards).map(shard).collect()
}

impl Tally {
    /// What the manifest says of a part with these rows.
    pub(crate) fn into_part(self, path: String, table: Table, file_bytes: u64, origin: Option<Origin>) -> Part {
        let Self { rows, min_received_ns, max_received_ns, sums } = self;
        Part { path, table, rows, file_bytes, min_received_ns, max_received_ns, origin, sums, index: None }
    }
}
