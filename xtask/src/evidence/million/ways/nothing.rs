//! No filter at all, twice: what others are compared with, and how much a thing differs
//! from itself.

use std::net::Ipv4Addr;

use super::super::super::lists::Change;
use super::super::super::site::Site;
use super::super::super::tool::{Effort, Trouble};
use super::Way;

pub(super) struct Nothing {
    pub(super) again: bool,
}

impl Way for Nothing {
    fn name(&self) -> String {
        if self.again { "none, again" } else { "none" }.to_owned()
    }

    fn is_quick(&self) -> bool {
        true
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
