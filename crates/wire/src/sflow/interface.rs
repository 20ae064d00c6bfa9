//! Where a sample was taken, and where its packet came in and went out.

/// A source of samples: `sflow_data_source`, 8 bits of class and 24 of index, or its expanded form.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct DataSource {
    /// 0 an interface (`ifIndex`), 1 a VLAN, 2 an entity, 3 something logical.
    pub class: u32,
    /// Which one of its class.
    pub index: u32,
}

impl DataSource {
    /// The source in the one word of the compact forms.
    pub const fn from_word(word: u32) -> Self {
        Self { class: word >> 24, index: word & 0x00FF_FFFF }
    }

    /// The word of the compact forms. Bits that do not fit are left out.
    pub const fn word(self) -> u32 {
        self.class << 24 | self.index & 0x00FF_FFFF
    }

    /// The interface, where the source is one.
    pub const fn if_index(self) -> Option<u32> {
        if self.class == 0 { Some(self.index) } else { None }
    }
}

/// Where a packet entered or left: `interface`, 2 bits of format and 30 of value, or its expanded form.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Interface {
    /// 0 an `ifIndex`, 1 discarded, 2 several interfaces.
    pub format: u32,
    /// By format: the index, the reason, or how many.
    pub value: u32,
}

impl Interface {
    /// Not known: format 0, value 0.
    pub const UNKNOWN: Self = Self { format: 0, value: 0 };
    /// The device itself sent or took the packet.
    pub const INTERNAL: Self = Self { format: 0, value: 0x3FFF_FFFF };

    /// An interface of the device.
    pub const fn index(if_index: u32) -> Self {
        Self { format: 0, value: if_index }
    }

    /// The interface in the one word of the compact forms.
    pub const fn from_word(word: u32) -> Self {
        Self { format: word >> 30, value: word & 0x3FFF_FFFF }
    }

    /// The word of the compact forms. Bits that do not fit are left out.
    pub const fn word(self) -> u32 {
        self.format << 30 | self.value & 0x3FFF_FFFF
    }

    /// The interface in the word of versions 2 and 4, where the highest bit tells of several outputs and there are no
    /// other formats (RFC 3176 section 4).
    pub const fn from_plain_word(word: u32) -> Self {
        let format = if word >> 31 == 1 { 2 } else { 0 };
        Self { format, value: word & 0x7FFF_FFFF }
    }

    /// The word of versions 2 and 4. A format that they do not have is lost: the interface is not known, then.
    pub const fn plain_word(self) -> u32 {
        match self.format {
            0 => self.value & 0x7FFF_FFFF,
            2 => 1 << 31 | self.value & 0x7FFF_FFFF,
            _ => 0,
        }
    }

    /// The interface's index, where it is one that is known.
    pub const fn if_index(self) -> Option<u32> {
        match (self.format, self.value) {
            (0, 0 | 0x3FFF_FFFF) => None,
            (0, index) => Some(index),
            _ => None,
        }
    }

    /// Whether nothing is said about it.
    pub const fn is_unknown(self) -> bool {
        self.format == 0 && self.value == 0
    }

    /// Whether the packet began or ended at the device itself.
    pub const fn is_internal(self) -> bool {
        self.format == 0 && self.value == 0x3FFF_FFFF
    }

    /// Why the packet was thrown away, where it was. [`super::discard_reason`] has the name.
    pub const fn discarded(self) -> Option<u32> {
        if self.format == 1 { Some(self.value) } else { None }
    }

    /// On how many interfaces the packet left, where they are several; 0 is a number not known.
    pub const fn multiple(self) -> Option<u32> {
        if self.format == 2 { Some(self.value) } else { None }
    }
}
