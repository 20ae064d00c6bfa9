//! The manifest on disk: records are added at its end and synced, or taken back.
//!
//! A record that could not be written, or not be synced, must not come to count later. It is cut off again, and that
//! is synced. If even this fails nobody knows what the disk holds, so nothing more is recorded until it has been
//! cut off ([`Manifest::settle`]); until then the files that the record names must stay.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;

use crate::catalog::Catalog;
use crate::disk::{self, Probe, Step};
use crate::layout::Layout;
use crate::record::Record;
use crate::{DiskError, StoreError};

/// The manifest, open for writing.
#[derive(Debug)]
pub(crate) struct Manifest {
    layout: Layout,
    probe: Probe,
    file: File,
    /// Bytes that count.
    length: u64,
    in_doubt: bool,
    catalog: Catalog,
}

impl Manifest {
    /// A manifest over a catalog, written anew.
    pub(crate) fn write_anew(layout: Layout, probe: Probe, mut catalog: Catalog) -> Result<Self, DiskError> {
        let (file, length) = replace(&layout, &mut catalog)?;
        disk::sync_folder(&layout.dir)?;
        Ok(Self { layout, probe, file, length, in_doubt: false, catalog })
    }

    /// A manifest that goes on after its first `length` bytes, whose sum is `catalog`.
    pub(crate) fn go_on(layout: Layout, probe: Probe, catalog: Catalog, length: u64) -> Result<Self, DiskError> {
        let path = layout.manifest();
        let file = OpenOptions::new().read(true).write(true).open(&path).map_err(DiskError::of("open", &path))?;
        let mut manifest = Self { layout, probe, file, length, in_doubt: true, catalog };
        manifest.settle()?;
        Ok(manifest)
    }

    /// What all records add up to.
    pub(crate) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Adds a record. It counts once this returns; after an error it will not, once [`Manifest::settle`] returns.
    pub(crate) fn append(&mut self, record: Record) -> Result<(), DiskError> {
        self.settle()?;
        let line = record.to_line();
        self.in_doubt = true;
        // After an error the record stays in doubt until `settle` has cut it off.
        self.write(&line)?;
        self.in_doubt = false;
        self.length += line.len() as u64;
        self.catalog.lines += 1;
        self.catalog.apply(record).expect("only a manifest's first record can be of another format");
        Ok(())
    }

    fn write(&self, line: &[u8]) -> Result<(), DiskError> {
        let path = self.layout.manifest();
        let written = self.file.write_all_at(line, self.length).and_then(|()| self.probe.at(Step::RecordWritten));
        written.map_err(DiskError::of("write", &path))?;
        self.file.sync_data().map_err(DiskError::of("sync", &path))
    }

    /// Cuts off what does not count. Does nothing where nothing is in doubt.
    pub(crate) fn settle(&mut self) -> Result<(), DiskError> {
        if !self.in_doubt {
            return Ok(());
        }
        let path = self.layout.manifest();
        let cut = self.probe.at(Step::RecordUndone).and_then(|()| self.file.set_len(self.length));
        cut.and_then(|()| self.file.sync_all()).map_err(DiskError::of("take back a record from", &path))?;
        disk::sync_folder(&self.layout.dir)?;
        self.in_doubt = false;
        Ok(())
    }

    /// Writes the manifest anew where much of it no longer matters. After an error the old one goes on.
    pub(crate) fn shorten(&mut self) -> Result<(), DiskError> {
        if !self.catalog.is_wordy() {
            return Ok(());
        }
        self.settle()?;
        let path = self.layout.manifest_new();
        let anew = replace(&self.layout, &mut self.catalog);
        // A half-written one would only take up room; one that cannot be removed is overwritten the next time.
        (self.file, self.length) = anew.inspect_err(|_| drop(disk::remove(&path)))?;
        // Until the folder is synced, a power cut may bring the old file back: nothing may be recorded in the new one.
        self.in_doubt = true;
        self.settle()
    }
}

fn replace(layout: &Layout, catalog: &mut Catalog) -> Result<(File, u64), DiskError> {
    let path = layout.manifest_new();
    let mut file = BufWriter::new(disk::create(&path)?);
    let (mut length, mut lines) = (0, 0);
    for record in catalog.to_records() {
        let line = record.to_line();
        file.write_all(&line).map_err(DiskError::of("write", &path))?;
        length += line.len() as u64;
        lines += 1;
    }
    let file = file.into_inner().map_err(|error| error.into_error()).map_err(DiskError::of("write", &path))?;
    file.sync_all().map_err(DiskError::of("sync", &path))?;
    disk::rename(&path, &layout.manifest())?;
    catalog.lines = lines;
    catalog.replaced.clear();
    Ok((file, length))
}

/// Reads a whole manifest. `None` where there is none.
pub(crate) fn read(layout: &Layout) -> Result<Option<(Catalog, Vec<u8>, crate::catalog::Scan)>, StoreError> {
    let path = layout.manifest();
    let text = match std::fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        text => text.map_err(DiskError::of("read", &path))?,
    };
    let mut catalog = Catalog::default();
    let scan = catalog.apply_text(&text)?;
    Ok(Some((catalog, text, scan)))
}
