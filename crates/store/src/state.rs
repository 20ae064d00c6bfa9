//! Decoders' states on disk: `state/<shard>-<position>.state`, the bytes and their CRC-32 (big endian).
//!
//! A state is what a decoder knows after all deliveries before its position. So a whole file is right whoever names it,
//! as long as its shard is stored that far.

use std::fs;
use std::path::PathBuf;

use crate::catalog::Catalog;
use crate::layout::Layout;
use crate::{DiskError, StateFile, disk};

/// Writes a state under a name that no file has. `files` learns of it first, for whoever has to remove it.
pub(crate) fn write(
    layout: &Layout,
    shard: u32,
    position: u64,
    bytes: &[u8],
    files: &mut Vec<PathBuf>,
) -> Result<StateFile, DiskError> {
    let suffixes = (0u32..).map(|n| if n == 0 { String::new() } else { format!("-{n}") });
    let mut paths = suffixes.map(|suffix| format!("state/{shard}-{position:016x}{suffix}.state"));
    let path = paths.find(|path| !layout.named(path).exists()).expect("there are more names than files");
    files.push(layout.named(&path));
    let sealed = [bytes, &crc32fast::hash(bytes).to_be_bytes()].concat();
    disk::write_synced(&layout.named(&path), &sealed)?;
    disk::sync_folder(&layout.state())?;
    Ok(StateFile { path, position, file_bytes: sealed.len() as u64 })
}

/// Reads a state, or says what is wrong with it.
pub(crate) fn read(layout: &Layout, state: &StateFile) -> Result<Vec<u8>, String> {
    let mut sealed = fs::read(layout.named(&state.path)).map_err(|error| error.to_string())?;
    if sealed.len() as u64 != state.file_bytes {
        return Err(format!("it has {} bytes and should have {}", sealed.len(), state.file_bytes));
    }
    let Some((bytes, crc)) = sealed.split_last_chunk() else { return Err("it has no checksum".to_owned()) };
    if crc32fast::hash(bytes) != u32::from_be_bytes(*crc) {
        return Err("its checksum is wrong".to_owned());
    }
    sealed.truncate(sealed.len() - 4);
    Ok(sealed)
}

/// Names the newest whole state of each shard where a damaged line may have named it.
pub(crate) fn find_again(layout: &Layout, catalog: &mut Catalog) -> Result<(), DiskError> {
    for entry in disk::list(&layout.state())? {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some((shard, position)) = parse_name(&name) else { continue };
        let file_bytes = entry.metadata().map_err(DiskError::of("read", &entry.path()))?.len();
        let found = StateFile { path: format!("state/{name}"), position, file_bytes };
        let mark = catalog.marks.entry(shard).or_default();
        let newer = mark.state.as_ref().is_none_or(|known| known.position < position);
        if newer && position <= mark.stored && read(layout, &found).is_ok() {
            mark.state = Some(found);
        }
    }
    Ok(())
}

fn parse_name(name: &str) -> Option<(u32, u64)> {
    let mut words = name.strip_suffix(".state")?.split('-');
    let shard = words.next()?.parse().ok()?;
    Some((shard, u64::from_str_radix(words.next()?, 16).ok()?))
}
