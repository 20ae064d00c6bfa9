//! What an information element's value is: the registries of RFC 5610.

macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident { $($variant:ident $number:literal $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[repr(u8)]
        pub enum $name { $(#[doc = concat!("`", $word, "`")] $variant = $number,)* }

        impl $name {
            /// Every one of them, by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// IANA's name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// IANA's number, as type records (RFC 5610) carry it.
            pub const fn number(self) -> u8 {
                self as u8
            }

            /// The one of that number.
            pub const fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

numbered! {
    /// How a value is encoded (RFC 7011 section 6, RFC 6313).
    DataType {
        OctetArray 0 "octetArray",
        Unsigned8 1 "unsigned8",
        Unsigned16 2 "unsigned16",
        Unsigned32 3 "unsigned32",
        Unsigned64 4 "unsigned64",
        Signed8 5 "signed8",
        Signed16 6 "signed16",
        Signed32 7 "signed32",
        Signed64 8 "signed64",
        Float32 9 "float32",
        Float64 10 "float64",
        Boolean 11 "boolean",
        MacAddress 12 "macAddress",
        String 13 "string",
        DateTimeSeconds 14 "dateTimeSeconds",
        DateTimeMilliseconds 15 "dateTimeMilliseconds",
        DateTimeMicroseconds 16 "dateTimeMicroseconds",
        DateTimeNanoseconds 17 "dateTimeNanoseconds",
        Ipv4Address 18 "ipv4Address",
        Ipv6Address 19 "ipv6Address",
        BasicList 20 "basicList",
        SubTemplateList 21 "subTemplateList",
        SubTemplateMultiList 22 "subTemplateMultiList",
        Unsigned256 23 "unsigned256",
    }
}

numbered! {
    /// What kind of quantity a value is (RFC 5610 section 3.6).
    Semantics {
        Default 0 "default",
        Quantity 1 "quantity",
        TotalCounter 2 "totalCounter",
        DeltaCounter 3 "deltaCounter",
        Identifier 4 "identifier",
        Flags 5 "flags",
        List 6 "list",
        SnmpCounter 7 "snmpCounter",
        SnmpGauge 8 "snmpGauge",
    }
}

numbered! {
    /// What a value counts (RFC 5610 section 3.7).
    Units {
        None 0 "none",
        Bits 1 "bits",
        Octets 2 "octets",
        Packets 3 "packets",
        Flows 4 "flows",
        Seconds 5 "seconds",
        Milliseconds 6 "milliseconds",
        Microseconds 7 "microseconds",
        Nanoseconds 8 "nanoseconds",
        FourOctetWords 9 "4-octet words",
        Messages 10 "messages",
        Hops 11 "hops",
        Entries 12 "entries",
        Frames 13 "frames",
        Ports 14 "ports",
        Inferred 15 "inferred",
    }
}

impl DataType {
    /// Whether values are integers or floating-point numbers.
    pub const fn is_number(self) -> bool {
        matches!(self.number(), 1..=10)
    }

    /// How many octets a value has at most, where it is of a fixed kind; fewer are allowed for numbers
    /// (reduced-size encoding, RFC 7011 section 6.2).
    pub const fn octets(self) -> Option<u16> {
        match self {
            Self::Unsigned8 | Self::Signed8 | Self::Boolean => Some(1),
            Self::Unsigned16 | Self::Signed16 => Some(2),
            Self::Unsigned32 | Self::Signed32 | Self::Float32 | Self::DateTimeSeconds | Self::Ipv4Address => Some(4),
            Self::MacAddress => Some(6),
            Self::Unsigned64
            | Self::Signed64
            | Self::Float64
            | Self::DateTimeMilliseconds
            | Self::DateTimeMicroseconds
            | Self::DateTimeNanoseconds => Some(8),
            Self::Ipv6Address => Some(16),
            Self::Unsigned256 => Some(32),
            Self::OctetArray | Self::String | Self::BasicList | Self::SubTemplateList | Self::SubTemplateMultiList => {
                None
            }
        }
    }
}
