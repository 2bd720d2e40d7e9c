//! No filter at all, twice: what others are compared with, and how much a thing differs
//! from itself. And once for the other family.

use std::net::Ipv4Addr;

use super::super::super::lists::{Change, Family};
use super::super::super::site::Site;
use super::super::super::tool::{Effort, Trouble};
use super::Way;

struct Nothing {
    name: &'static str,
    family: Family,
}

pub(super) fn ways() -> Vec<Box<dyn Way>> {
    vec![
        Box::new(Nothing { name: "none", family: Family::V4 }),
        Box::new(Nothing { name: "none, again", family: Family::V4 }),
        Box::new(Nothing { name: "none, IPv6", family: Family::V6 }),
    ]
}

impl Way for Nothing {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn family(&self) -> Family {
        self.family
    }

    fn is_quick(&self) -> bool {
        self.family == Family::V4
    }

    fn blocks(&self) -> bool {
        false
    }

    fn load(&self, _site: &Site, _listed: &[Ipv4Addr]) -> Result<Effort, Trouble> {
        Ok(Effort::default())
    }

    fn change(&self, _site: &Site, _change: &Change<'_>) -> Result<Effort, Trouble> {
        Ok(Effort::default())
    }
}
