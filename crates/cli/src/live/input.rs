//! What files are read from: those with an end, and those that may have nothing more for hours.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use finderscope_transport::capture::CaptureError;
use finderscope_transport::endpoint::File;
use rustix::fs::{FileType, OFlags};
use rustix::io::Errno;

use super::Stop;

/// Standard input or a named pipe, as a reader that ends when there is a reason to stop, and says when it has nothing more for
/// now. Clones are the same.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    from: From,
    stop: Stop,
    pauses: Arc<AtomicBool>,
}

#[derive(Clone, Debug)]
enum From {
    Standard(Arc<io::Stdin>),
    Pipe(Arc<std::fs::File>),
}

impl Waiting {
    /// Opens what may have to be waited for; none for any other file.
    pub(super) fn open(file: &File, stop: &Stop) -> Result<Option<Self>, CaptureError> {
        let from = match file {
            File::Standard => From::Standard(Arc::new(io::stdin())),
            File::Path(path) if is_pipe(path) => {
                // Without this, opening it waits for its writer, and hears no signal.
                let opened = OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits() as i32).open(path);
                let opened = opened.map_err(|error| CaptureError::Open(path.display().to_string(), error))?;
                From::Pipe(Arc::new(opened))
            }
            File::Path(_) => return Ok(None),
        };
        Ok(Some(Self { from, stop: stop.clone(), pauses: Arc::default() }))
    }

    /// Whether it can be waited for: standard input may be a file.
    pub(super) fn may_wait(&self) -> bool {
        rustix::fs::fstat(self).is_ok_and(|it| FileType::from_raw_mode(it.st_mode) != FileType::RegularFile)
    }

    /// From now on, reading does not wait but fails ([`CaptureError::is_pause`]) where there is nothing: whoever reads has
    /// something to do before they [`Self::wait`].
    pub(super) fn tell_pauses(&self) {
        self.pauses.store(true, Ordering::Relaxed);
    }

    /// Waits until there is something, or the end; false where there is a reason to stop instead.
    pub(super) fn wait(&self) -> io::Result<bool> {
        self.stop.wait_for_input(self.as_fd())
    }
}

fn is_pipe(path: &Path) -> bool {
    path.metadata().is_ok_and(|it| it.file_type().is_fifo() || it.file_type().is_char_device())
}

impl AsFd for Waiting {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.from {
            From::Standard(stdin) => stdin.as_fd(),
            From::Pipe(file) => file.as_fd(),
        }
    }
}

impl Read for Waiting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let pauses = self.pauses.load(Ordering::Relaxed);
            if pauses && !self.stop.has_input(self.as_fd())? {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            if !pauses && !self.wait()? {
                return Ok(0);
            }
            match rustix::io::read(self.as_fd(), &mut *buffer) {
                // Somebody else was faster.
                Err(Errno::AGAIN) => {}
                read => return Ok(read?),
            }
        }
    }
}
