//! What a device says about one of its ports.

use std::net::IpAddr;

/// A port's name or speed, as counters tell them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Port<'a> {
    /// The sFlow agent.
    pub agent: IpAddr,
    /// Which of its ports.
    pub if_index: u32,
    /// Its name, where this tells it. Nothing makes agents send UTF-8.
    pub name: Option<&'a [u8]>,
    /// Bits a second, where this tells it.
    pub speed: Option<u64>,
}

/// The longest name that is passed on; more is cut off.
pub(crate) const NAME_BYTES_MAX: usize = 255;
