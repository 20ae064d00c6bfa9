//! Filters in libpcap's language, as `tcpdump` takes them, compiled and run by libpcap itself.
//!
//! The library is loaded when the first filter is made, so that nobody else needs it. Everything `unsafe` that this
//! takes is here: five functions of a stable interface. No pointer leaves the module.
#![allow(unsafe_code, reason = "libpcap is a C library that is loaded at run time")]

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::fmt;
use std::mem::transmute_copy;
use std::sync::OnceLock;

/// The names under which systems have it.
const NAMES: [&CStr; 3] = [c"libpcap.so.0.8", c"libpcap.so.1", c"libpcap.so"];
/// As long as anything that is filtered.
const SNAP_BYTES: c_int = 65_535;
/// No network whose broadcast address could be asked for.
const NETMASK_UNKNOWN: u32 = u32::MAX;
const OPTIMIZE: c_int = 1;

/// Why there is no filter.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FilterError {
    /// The library is not installed.
    #[error(
        "filters are libpcap's, which is not installed ({0}); \
         install it with apt install libpcap0.8, dnf install libpcap, or apk add libpcap"
    )]
    NoLibrary(String),
    /// The library does not take the expression; its own words.
    #[error("the filter '{expression}' is wrong: {problem}")]
    Expression {
        /// What was asked for.
        expression: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// A filter for packets of one link type.
pub struct Filter {
    library: &'static Library,
    program: Program,
    expression: String,
}

/// `struct bpf_program`.
#[repr(C)]
struct Program {
    length: c_uint,
    instructions: *mut c_void,
}

/// `struct pcap_pkthdr`.
#[repr(C)]
struct Header {
    time: libc::timeval,
    held: u32,
    length: u32,
}

/// The functions of the library that are used.
struct Library {
    open_dead: unsafe extern "C" fn(c_int, c_int) -> *mut c_void,
    close: unsafe extern "C" fn(*mut c_void),
    compile: unsafe extern "C" fn(*mut c_void, *mut Program, *const c_char, c_int, u32) -> c_int,
    geterr: unsafe extern "C" fn(*mut c_void) -> *const c_char,
    freecode: unsafe extern "C" fn(*mut Program),
    offline_filter: unsafe extern "C" fn(*const Program, *const Header, *const u8) -> c_int,
}

// SAFETY: a compiled program is read by `offline_filter` and freed once, by whoever has the filter; libpcap keeps nothing
// about it elsewhere.
unsafe impl Send for Filter {}

impl Filter {
    /// Compiles an expression for packets of a link type, which is its number in capture files.
    ///
    /// # Errors
    /// When libpcap is not installed, or does not take the expression.
    pub fn compile(expression: &str, link: u16) -> Result<Self, FilterError> {
        let library = Library::get()?;
        let wrong =
            |problem: &str| FilterError::Expression { expression: expression.to_owned(), problem: problem.to_owned() };
        let text = CString::new(expression).map_err(|_| wrong("it has a zero byte"))?;
        let mut program = Program { length: 0, instructions: std::ptr::null_mut() };
        // SAFETY: `open_dead` takes any numbers, and gives a handle or null. The handle is used for one compilation, with a
        // terminated string and a program that outlive the call, and closed once. `geterr` points into the handle, and is
        // copied before that is closed.
        unsafe {
            let handle = (library.open_dead)(data_link(link), SNAP_BYTES);
            if handle.is_null() {
                return Err(wrong("libpcap has no memory for it"));
            }
            let compiled = (library.compile)(handle, &raw mut program, text.as_ptr(), OPTIMIZE, NETMASK_UNKNOWN);
            let problem =
                (compiled != 0).then(|| CStr::from_ptr((library.geterr)(handle)).to_string_lossy().into_owned());
            (library.close)(handle);
            match problem {
                Some(problem) => Err(wrong(&problem)),
                None => Ok(Self { library, program, expression: expression.to_owned() }),
            }
        }
    }

    /// Whether a packet of which `bytes` are the beginning, and which was `length` bytes long, is wanted.
    pub fn matches(&self, bytes: &[u8], length: u32) -> bool {
        let Ok(held) = u32::try_from(bytes.len()) else { return false };
        let header = Header { time: libc::timeval { tv_sec: 0, tv_usec: 0 }, held, length };
        // SAFETY: the program was compiled and not freed yet, and the library reads no byte beyond `held`.
        unsafe { (self.library.offline_filter)(&raw const self.program, &raw const header, bytes.as_ptr()) != 0 }
    }

    /// As it was written.
    pub fn expression(&self) -> &str {
        &self.expression
    }
}

impl Drop for Filter {
    fn drop(&mut self) {
        // SAFETY: the program was compiled, and is freed only here.
        unsafe { (self.library.freecode)(&raw mut self.program) }
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Filter").field(&self.expression).finish()
    }
}

/// libpcap's own number of a link type. Two of ours differ from those in files.
const fn data_link(link: u16) -> c_int {
    match link {
        101 => 12,
        100 => 11,
        other => other as c_int,
    }
}

impl Library {
    /// Loads the library once; it stays until the process ends.
    fn get() -> Result<&'static Self, FilterError> {
        static LOADED: OnceLock<Result<Library, String>> = OnceLock::new();
        LOADED.get_or_init(Self::load).as_ref().map_err(|problem| FilterError::NoLibrary(problem.clone()))
    }

    fn load() -> Result<Self, String> {
        // SAFETY: terminated names. What libpcap runs when it is loaded is what every program that is linked with it runs.
        let handle = NAMES.iter().map(|name| unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) });
        let handle = handle.into_iter().find(|handle| !handle.is_null()).ok_or_else(problem)?;
        // SAFETY: these are the functions' types in pcap.h, which have not changed since libpcap 0.8.
        unsafe {
            Ok(Self {
                open_dead: symbol(handle, c"pcap_open_dead")?,
                close: symbol(handle, c"pcap_close")?,
                compile: symbol(handle, c"pcap_compile")?,
                geterr: symbol(handle, c"pcap_geterr")?,
                freecode: symbol(handle, c"pcap_freecode")?,
                offline_filter: symbol(handle, c"pcap_offline_filter")?,
            })
        }
    }
}

/// A function of the library.
///
/// # Safety
/// `F` must be the type of a pointer to the function of that name.
unsafe fn symbol<F: Copy>(handle: *mut c_void, name: &CStr) -> Result<F, String> {
    const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
    // SAFETY: the handle is an open library's, and the name is terminated.
    let address = unsafe { libc::dlsym(handle, name.as_ptr()) };
    if address.is_null() {
        return Err(problem());
    }
    // SAFETY: a pointer to a function has the size of a pointer, and the caller vouches for its type.
    Ok(unsafe { transmute_copy::<*mut c_void, F>(&address) })
}

/// What the loader says was wrong.
fn problem() -> String {
    // SAFETY: the loader's own message, terminated, and copied at once.
    let said = unsafe { libc::dlerror().as_ref().map(|said| CStr::from_ptr(said).to_string_lossy().into_owned()) };
    said.unwrap_or_else(|| "the loader does not say why".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use std::io::Write;

    use super::*;

    /// Ethernet, IPv4 from 10.0.0.1 to 10.0.0.2, UDP to port 53.
    const DNS: [u8; 42] = [
        2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
        0x9c, 0x40, 0, 53, 0, 8, 0, 0,
    ];

    /// A filter, or a word on why there can be none.
    fn filter(expression: &str, link: u16) -> Option<Filter> {
        match Filter::compile(expression, link) {
            Err(FilterError::NoLibrary(problem)) => {
                writeln!(std::io::stderr(), "skipped: no libpcap here: {problem}").unwrap();
                None
            }
            other => Some(other.unwrap()),
        }
    }

    #[test]
    fn a_packet_passes_the_filter_that_describes_it_and_no_other() {
        for (expression, wanted) in [
            ("udp port 53", true),
            ("src 10.0.0.1 and dst net 10.0.0.0/30", true),
            ("", true),
            ("tcp", false),
            ("vlan", false),
            ("greater 1000", true),
            ("less 100", false),
        ] {
            let Some(filter) = filter(expression, 1) else { return };
            assert_eq!(filter.matches(&DNS, 1500), wanted, "{expression}");
        }
    }

    #[test]
    fn a_packet_without_link_is_filtered_by_its_own_link_type() {
        for link in [101, 228] {
            let Some(filter) = filter("udp port 53", link) else { return };
            assert!(filter.matches(&DNS[14..], 28), "link type {link}");
            assert!(!filter.matches(&DNS, 42), "link type {link}");
        }
    }

    #[test]
    fn bytes_that_are_not_there_fit_no_filter() {
        let Some(filter) = filter("udp port 53", 1) else { return };
        for cut in 0..38 {
            assert!(!filter.matches(&DNS[..cut], 1500), "{cut} bytes");
        }
    }

    #[test]
    fn a_wrong_expression_is_told_in_libpcaps_words() {
        if filter("ip", 1).is_none() {
            return;
        }
        let error = Filter::compile("prot 53 and", 1).unwrap_err().to_string();
        assert!(error.starts_with("the filter 'prot 53 and' is wrong: ") && error.contains("syntax error"), "{error}");
        assert!(Filter::compile("ip\0", 1).is_err());
    }
}
