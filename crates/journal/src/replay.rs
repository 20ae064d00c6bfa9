//! Replay: everything from a position on, in order, as it was taken.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use finderscope_wire::delivery::Delivery;

use crate::disk::Disk;
use crate::open::Damaged;
use crate::scan::{Found, Gaps, Heading, Scanner, Window, read_header};
use crate::{JournalError, Position};

/// A segment as it was when the replay began.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) first: Position,
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
}

/// Reads a journal back. A lending iterator: each delivery is borrowed until the next is asked for.
///
/// Damage is passed over and noted in [`Replay::damaged`]; an error of the disk is returned, and what
/// comes after it goes on with the next segment.
#[derive(Debug)]
pub struct Replay {
    disk: Arc<dyn Disk>,
    pieces: VecDeque<Piece>,
    from: Position,
    through: Position,
    scanner: Option<(Scanner, Piece)>,
    window: Window,
    gaps: Gaps,
}

impl Replay {
    pub(crate) fn new(disk: Arc<dyn Disk>, from: Position, through: Position, mut pieces: VecDeque<Piece>) -> Self {
        // What ends before `from` need not be read. The first piece that is tells what is missing before it.
        while pieces.get(1).is_some_and(|successor| successor.first <= from) {
            pieces.pop_front();
        }
        Self { disk, pieces, from, through, scanner: None, window: Window::default(), gaps: Gaps::default() }
    }

    /// The next delivery; its sequence is its position.
    #[expect(clippy::should_implement_trait, reason = "an Iterator cannot lend")]
    pub fn next(&mut self) -> Option<Result<Delivery<'_>, JournalError>> {
        match self.find() {
            Ok(None) => None,
            Ok(Some(found)) => self.scanner.as_ref()?.0.delivery(found).map(Ok),
            Err(error) => Some(Err(error)),
        }
    }

    /// What was missing so far, at or after the position that was asked for.
    pub fn damaged(&self) -> impl Iterator<Item = Damaged> + '_ {
        let wanted = self.gaps.damaged.iter().filter(|damaged| damaged.last >= self.from);
        wanted.map(|damaged| Damaged { first: damaged.first.max(self.from), ..*damaged })
    }

    fn find(&mut self) -> Result<Option<Found>, JournalError> {
        loop {
            if self.scanner.is_none() && !self.enter()? {
                return Ok(None);
            }
            match self.step()? {
                Some(found) if found.position > self.through => self.leave(),
                Some(found) if found.position >= self.from => return Ok(Some(found)),
                Some(_) => {}
                None => self.leave(),
            }
        }
    }

    /// The next record of the segment that is open.
    fn step(&mut self) -> Result<Option<Found>, JournalError> {
        let Some((scanner, piece)) = &mut self.scanner else { return Ok(None) };
        match scanner.next() {
            Ok(found) => {
                match &found {
                    Some(found) => self.gaps.read(found),
                    None => self.gaps.pass_over(piece.bytes - scanner.offset()),
                }
                Ok(found)
            }
            Err(error) => {
                let error = JournalError::io("read", &piece.path, error);
                self.leave();
                Err(error)
            }
        }
    }

    /// Opens the next segment that can be read; says whether there is one.
    fn enter(&mut self) -> Result<bool, JournalError> {
        while let Some(piece) = self.pieces.pop_front() {
            let file = match self.disk.open(&piece.path) {
                Ok(file) => file,
                // Released meanwhile: should its positions have been wanted, the next segment tells.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(JournalError::io("open", &piece.path, error)),
            };
            let header =
                read_header(&*file, piece.first).map_err(|error| JournalError::io("read", &piece.path, error))?;
            if let Heading::Sound(header) = header {
                self.gaps.enter(&header);
                let window = std::mem::take(&mut self.window);
                self.scanner = Some((Scanner::new(file, &header, 0, piece.bytes, window), piece));
                return Ok(true);
            }
            self.gaps.enter_headless(piece.first, piece.bytes);
        }
        // What the last segment should have held and does not.
        self.gaps.reach(self.through.saturating_add(1));
        self.gaps.expected = self.gaps.expected.max(Some(self.through.saturating_add(1)));
        Ok(false)
    }

    fn leave(&mut self) {
        if let Some((scanner, _)) = self.scanner.take() {
            self.window = scanner.into_window();
        }
    }
}
