//! Which VLANs are wanted.

use finderscope_wire::sflow::Sample;

use super::seen::Seen;

/// The highest number in a list; 0 stands for a packet without a VLAN.
pub const VLAN_MAX: u32 = 4096;

/// A filter by VLAN. A packet is left out only when both its input and its output VLAN are not wanted.
#[derive(Clone, Debug)]
pub struct Vlans {
    wanted: Vec<bool>,
    /// Whether numbers that no list can name are: as it was before the first list.
    others: bool,
}

impl Vlans {
    /// Only those of a list, to which more lists can be added.
    ///
    /// # Errors
    /// What is wrong with the list.
    pub fn include(previous: Option<Self>, list: &str) -> Result<Self, String> {
        previous.unwrap_or_else(|| Self::all(false)).set(list, true)
    }

    /// All but those of a list.
    ///
    /// # Errors
    /// What is wrong with the list.
    pub fn exclude(previous: Option<Self>, list: &str) -> Result<Self, String> {
        previous.unwrap_or_else(|| Self::all(true)).set(list, false)
    }

    /// Whether a sample is wanted. Counters always are.
    pub fn let_through(&self, sample: &Sample<'_>) -> bool {
        match sample {
            Sample::Flow(it) => self.wants(&Seen::flow(it)),
            Sample::Discarded(it) => self.wants(&Seen::discarded(it)),
            _ => true,
        }
    }

    /// Whether a packet is wanted.
    pub fn wants(&self, seen: &Seen<'_>) -> bool {
        self.is_wanted(seen.in_vlan) || self.is_wanted(seen.out_vlan)
    }

    fn is_wanted(&self, vlan: u32) -> bool {
        let wanted = usize::try_from(vlan).ok().and_then(|vlan| self.wanted.get(vlan));
        wanted.copied().unwrap_or(self.others)
    }

    fn all(wanted: bool) -> Self {
        Self { wanted: vec![wanted; VLAN_MAX as usize + 1], others: wanted }
    }

    fn set(mut self, list: &str, wanted: bool) -> Result<Self, String> {
        let mut named = 0;
        for item in list.split([' ', ',']).filter(|item| !item.is_empty()) {
            let (first, last) = item.split_once('-').unwrap_or((item, item));
            let (first, last) = (vlan(first)?, vlan(last)?);
            if first > last {
                return Err(format!("VLANs {item}: the range ends before it begins"));
            }
            self.wanted[first..=last].fill(wanted);
            named += 1;
        }
        if named == 0 { Err("the list of VLANs is empty".to_owned()) } else { Ok(self) }
    }
}

fn vlan(text: &str) -> Result<usize, String> {
    match text.parse::<u32>() {
        Ok(number @ ..=VLAN_MAX) => Ok(number as usize),
        _ => Err(format!("VLAN {text:?} is no number from 0 to {VLAN_MAX}")),
    }
}
