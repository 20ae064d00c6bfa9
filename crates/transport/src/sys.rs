//! The system calls that no safe crate has: `recvmmsg`, `sendmmsg` with trains, and a few Linux socket options.
//!
//! Everything `unsafe` of this crate is here and in `bpf`. Each function takes slices and gives values; no pointer leaves it.
#![allow(unsafe_code, reason = "recvmmsg, sendmmsg, control messages and Linux socket options have no safe wrapper")]

use std::io::{self, IoSlice};
use std::mem::{MaybeUninit, offset_of, size_of};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;

use libc::{
    c_int, c_void, cmsghdr, iovec, mmsghdr, msghdr, sock_filter, sockaddr_in, sockaddr_in6, socklen_t, timespec,
};

/// The most datagrams that one call takes: beyond 64 the system call's share no longer matters.
pub(crate) const MESSAGES_MAX: usize = 64;

/// Room for a time stamp and a drop counter: two control messages of 32 and 24 bytes, aligned as `cmsghdr` wants.
const CONTROL_WORDS: usize = 8;

/// `SO_MEMINFO` of `asm-generic/socket.h`, which `libc` does not name on every platform.
const SO_MEMINFO: c_int = 55;

/// What the kernel says about one received datagram.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meta {
    pub(crate) length: usize,
    pub(crate) truncated: bool,
    pub(crate) source: SocketAddr,
    pub(crate) received_ns: Option<i64>,
    /// The socket's drop counter when the datagram was queued, where it is not zero.
    pub(crate) drops: Option<u32>,
}

impl Meta {
    pub(crate) const EMPTY: Self = Self {
        length: 0,
        truncated: false,
        source: SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0)),
        received_ns: None,
        drops: None,
    };
}

/// Receives what is queued, without waiting: datagram `i` goes to `buffer[i * stride ..][.. slot_bytes]` and `metas[i]`.
///
/// The buffer must hold `metas.len()` slots, at most [`MESSAGES_MAX`]; else nothing is received.
pub(crate) fn receive_many(
    socket: BorrowedFd<'_>,
    buffer: &mut [u8],
    stride: usize,
    slot_bytes: usize,
    metas: &mut [Meta],
) -> io::Result<usize> {
    let count = metas.len();
    if count == 0 || count > MESSAGES_MAX || slot_bytes > stride || buffer.len() < count * stride {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut names = [const { MaybeUninit::<sockaddr_in6>::uninit() }; MESSAGES_MAX];
    let mut controls = [const { MaybeUninit::<[u64; CONTROL_WORDS]>::uninit() }; MESSAGES_MAX];
    let mut vectors = [const { MaybeUninit::<iovec>::uninit() }; MESSAGES_MAX];
    let mut headers = [const { MaybeUninit::<mmsghdr>::uninit() }; MESSAGES_MAX];
    let slots = buffer.chunks_exact_mut(stride).zip(&mut names).zip(&mut controls).zip(&mut vectors);
    for ((((slot, name), control), vector), header) in slots.zip(&mut headers).take(count) {
        let vector = vector.write(iovec { iov_base: slot.as_mut_ptr().cast(), iov_len: slot_bytes });
        // SAFETY: `msghdr` is a C structure of integers and pointers, for which all zeroes is a value.
        let mut message: msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
        message.msg_name = name.as_mut_ptr().cast();
        message.msg_namelen = size_of::<sockaddr_in6>() as socklen_t;
        message.msg_iov = vector;
        message.msg_iovlen = 1;
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = size_of::<[u64; CONTROL_WORDS]>() as _;
        header.write(mmsghdr { msg_hdr: message, msg_len: 0 });
    }
    // SAFETY: the first `count` headers were written above. Each points to a name, a control buffer, an iovec and a slot
    // of its own, with their true sizes, and all of these outlive the call. A null timeout is allowed.
    let received = unsafe {
        libc::recvmmsg(
            socket.as_raw_fd(),
            headers.as_mut_ptr().cast::<mmsghdr>(),
            count as libc::c_uint,
            libc::MSG_DONTWAIT as _,
            ptr::null_mut(),
        )
    };
    let received = usize::try_from(received).map_err(|_| io::Error::last_os_error())?;
    for (header, meta) in headers.iter().zip(metas.iter_mut()).take(received) {
        // SAFETY: `received` is at most `count`, so this header was written above and then filled in by the kernel;
        // the name and control buffers that it points to are still alive.
        *meta = unsafe { read_meta(header.assume_init_ref(), slot_bytes) };
    }
    Ok(received)
}

/// # Safety
/// The header's name and control must point to live memory of at least the lengths that it states.
unsafe fn read_meta(header: &mmsghdr, slot_bytes: usize) -> Meta {
    let message = &header.msg_hdr;
    let mut meta = Meta {
        length: (header.msg_len as usize).min(slot_bytes),
        truncated: message.msg_flags & libc::MSG_TRUNC != 0,
        ..Meta::EMPTY
    };
    // SAFETY: the caller vouches for the name's pointer and length.
    if let Some(source) = unsafe { read_address(message.msg_name, message.msg_namelen as usize) } {
        meta.source = source;
    }
    // SAFETY: the caller vouches for the control buffer; CMSG_FIRSTHDR and CMSG_NXTHDR stay inside the length that the
    // kernel wrote. Data is read unaligned and only where the message says that it has that many bytes.
    unsafe {
        let mut control = libc::CMSG_FIRSTHDR(message);
        while let Some(cmsg) = control.as_ref() {
            #[allow(clippy::unnecessary_cast, reason = "the field's type differs between C libraries")]
            let room = (cmsg.cmsg_len as usize).saturating_sub(size_of::<cmsghdr>());
            let data = libc::CMSG_DATA(control);
            match (cmsg.cmsg_level, cmsg.cmsg_type) {
                (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) if room >= size_of::<timespec>() => {
                    let time = data.cast::<timespec>().read_unaligned();
                    meta.received_ns = Some(nanoseconds(&time));
                }
                (libc::SOL_SOCKET, libc::SO_RXQ_OVFL) if room >= size_of::<u32>() => {
                    meta.drops = Some(data.cast::<u32>().read_unaligned());
                }
                _ => {}
            }
            control = libc::CMSG_NXTHDR(message, control);
        }
    }
    meta
}

fn nanoseconds(time: &timespec) -> i64 {
    // On 32-bit systems both are narrower than i64.
    #[allow(clippy::unnecessary_cast, reason = "the fields' widths differ between platforms")]
    let (seconds, rest) = (time.tv_sec as i64, time.tv_nsec as i64);
    seconds.saturating_mul(1_000_000_000).saturating_add(rest)
}

/// # Safety
/// `name` must point to `length` readable bytes, written by the kernel.
unsafe fn read_address(name: *const c_void, length: usize) -> Option<SocketAddr> {
    if length < offset_of!(sockaddr_in, sin_port) {
        return None;
    }
    // SAFETY: `length` covers the structure that is read, and reads are unaligned.
    unsafe {
        match c_int::from(name.cast::<libc::sa_family_t>().read_unaligned()) {
            libc::AF_INET if length >= size_of::<sockaddr_in>() => {
                let v4 = name.cast::<sockaddr_in>().read_unaligned();
                let address = Ipv4Addr::from_bits(u32::from_be(v4.sin_addr.s_addr));
                Some(SocketAddrV4::new(address, u16::from_be(v4.sin_port)).into())
            }
            libc::AF_INET6 if length >= size_of::<sockaddr_in6>() => {
                let v6 = name.cast::<sockaddr_in6>().read_unaligned();
                let address = Ipv6Addr::from(v6.sin6_addr.s6_addr);
                let port = u16::from_be(v6.sin6_port);
                Some(crate::unmapped(SocketAddrV6::new(address, port, 0, v6.sin6_scope_id).into()))
            }
            _ => None,
        }
    }
}

/// Datagrams that go to the kernel as one message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Train<'a> {
    /// A datagram each.
    pub(crate) datagrams: &'a [IoSlice<'a>],
    /// Their length, where there are several; the last may be shorter (`UDP_SEGMENT`).
    pub(crate) segment_bytes: Option<u16>,
}

/// One control message of two bytes, aligned as `cmsghdr` wants.
const SEGMENT_WORDS: usize = 3;

/// Sends as many trains as the kernel takes, at most [`MESSAGES_MAX`]; waits where its buffer is full.
pub(crate) fn send_many(socket: BorrowedFd<'_>, trains: &[Train<'_>]) -> io::Result<usize> {
    let mut controls = [const { [0_u64; SEGMENT_WORDS] }; MESSAGES_MAX];
    let mut headers = [const { MaybeUninit::<mmsghdr>::uninit() }; MESSAGES_MAX];
    let count = trains.len().min(MESSAGES_MAX);
    for ((train, control), header) in trains.iter().zip(&mut controls).zip(&mut headers) {
        // SAFETY: `msghdr` is a C structure of integers and pointers, for which all zeroes is a value.
        let mut message: msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
        // The standard library vouches that an `IoSlice` lies in memory as an `iovec`; the kernel only reads it.
        message.msg_iov = train.datagrams.as_ptr().cast_mut().cast::<iovec>();
        message.msg_iovlen = train.datagrams.len() as _;
        if let Some(bytes) = train.segment_bytes {
            message.msg_control = control.as_mut_ptr().cast();
            // SAFETY: a pure calculation.
            message.msg_controllen = unsafe { libc::CMSG_SPACE(size_of::<u16>() as u32) } as _;
            // SAFETY: the control buffer has room for one message of two bytes, CMSG_SPACE of which is 24 bytes at most,
            // and is aligned for its header; so CMSG_FIRSTHDR is not null.
            unsafe {
                let cmsg = libc::CMSG_FIRSTHDR(&raw const message);
                (*cmsg).cmsg_level = libc::SOL_UDP;
                (*cmsg).cmsg_type = libc::UDP_SEGMENT;
                (*cmsg).cmsg_len = libc::CMSG_LEN(size_of::<u16>() as u32) as _;
                libc::CMSG_DATA(cmsg).cast::<u16>().write_unaligned(bytes);
            }
        }
        header.write(mmsghdr { msg_hdr: message, msg_len: 0 });
    }
    // SAFETY: the first `count` headers were written above. Each points to slices that the caller borrows for the call
    // and to a control buffer of its own, with their true sizes; all of these outlive the call.
    let sent =
        unsafe { libc::sendmmsg(socket.as_raw_fd(), headers.as_mut_ptr().cast::<mmsghdr>(), count as libc::c_uint, 0) };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// Asks the kernel for receive times and drop counters beside each datagram.
pub(crate) fn ask_for_times_and_drops(socket: BorrowedFd<'_>) -> io::Result<()> {
    set_option(socket, libc::SO_TIMESTAMPNS, &1)?;
    set_option(socket, libc::SO_RXQ_OVFL, &1)
}

/// Gives the socket's reuseport group the program that chooses among its sockets.
pub(crate) fn choose_shard_by(socket: BorrowedFd<'_>, program: &mut [sock_filter]) -> io::Result<()> {
    let len = u16::try_from(program.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let program = libc::sock_fprog { len, filter: program.as_mut_ptr() };
    set_option(socket, libc::SO_ATTACH_REUSEPORT_CBPF, &program)
}

/// What the kernel holds for a socket (`SO_MEMINFO`).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// Bytes of the receive queue, with the kernel's overhead.
    pub(crate) queued_bytes: u32,
    /// What the receive queue may take, in the same measure.
    pub(crate) queue_bytes_max: u32,
    /// Datagrams dropped since the socket was made, modulo 2³².
    pub(crate) drops: u32,
}

/// Reads the socket's queue fill and drop counter.
pub(crate) fn memory(socket: BorrowedFd<'_>) -> io::Result<Memory> {
    const WORDS: usize = 16; // the kernel has nine today, and writes no more than there is room for
    let mut words = [0_u32; WORDS];
    let mut length = size_of::<[u32; WORDS]>() as socklen_t;
    // SAFETY: `words` is writable memory of `length` bytes, and both outlive the call.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            SO_MEMINFO,
            words.as_mut_ptr().cast::<c_void>(),
            &raw mut length,
        )
    };
    check(result)?;
    if (length as usize) < (libc::SK_MEMINFO_DROPS as usize + 1) * size_of::<u32>() {
        return Err(io::ErrorKind::Unsupported.into()); // kernels before 4.12
    }
    Ok(Memory {
        queued_bytes: words[libc::SK_MEMINFO_RMEM_ALLOC as usize],
        queue_bytes_max: words[libc::SK_MEMINFO_RCVBUF as usize],
        drops: words[libc::SK_MEMINFO_DROPS as usize],
    })
}

/// An open file that this process was started with, by its number. What has the number now stays open, so that whoever else
/// may own it loses nothing; it is not handed on to other programs.
pub(crate) fn inherited(descriptor: c_int) -> io::Result<OwnedFd> {
    // SAFETY: fcntl with these commands reads and writes no memory, whatever the number is.
    let copy = unsafe {
        check(libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC))?;
        libc::fcntl(descriptor, libc::F_DUPFD_CLOEXEC, 0)
    };
    if copy < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made this number, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// `T` must be what the kernel expects of the option `name`, as every caller above sees to.
fn set_option<T>(socket: BorrowedFd<'_>, name: c_int, value: &T) -> io::Result<()> {
    // SAFETY: `value` is a live value of `size_of::<T>()` bytes, which the kernel only reads; what it points to
    // (a filter program) is alive too, since the caller borrows it for the call.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            name,
            ptr::from_ref(value).cast::<c_void>(),
            size_of::<T>() as socklen_t,
        )
    };
    check(result)
}

fn check(result: c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
