//! What is known of the lists at one moment, and what follows from it for an
//! address. It knows no files but what the folder beside it has read from them,
//! and no requests.

mod folder;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::Arc;

use blocklist::{Family, PackedHeader, PackedList};
use figures::StatusDocument;
use hyper::header::HeaderValue;

pub use folder::Folder;

/// Everything that is known at one moment. Never changed: what is known later is
/// another.
#[derive(Clone, Debug, Default)]
pub struct Knowledge {
    /// The lists, by name.
    pub lists: Vec<Arc<KnownList>>,
    /// What the daemon last said of itself, and since 1970 when; `None` before
    /// it was there.
    pub status: Option<Arc<KnownStatus>>,
    /// Why what is known may be older than what there is, a sentence each.
    pub troubles: Vec<String>,
}

/// A status document.
#[derive(Clone, Debug)]
pub struct KnownStatus {
    /// As it was read.
    pub document: StatusDocument,
    /// The very bytes.
    pub bytes: Vec<u8>,
}

/// One list.
#[derive(Clone, Debug)]
pub struct KnownList {
    /// Its name.
    pub name: String,
    /// The same, as a header says it.
    pub(crate) header: HeaderValue,
    /// What the daemon has it for.
    pub(crate) purpose: Purpose,
    ipv4: Option<KnownFamily>,
    ipv6: Option<KnownFamily>,
}

/// What a list is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To refuse whoever is on it.
    Refuses,
    /// To let in whoever is on it, and nobody else.
    Admits,
    /// The daemon's status does not say, or there is none.
    Unsaid,
}

/// The good bytes of one family of a list.
#[derive(Clone, Debug)]
pub struct KnownFamily {
    packed: Arc<PackedList<Vec<u8>>>,
    /// When it was last known that these are the members that the kernel has, in
    /// seconds since 1970: when the file was made, or when the daemon compared.
    pub good_at: u64,
}

/// What is so of an address.
#[derive(Clone, Copy, Debug)]
pub enum AddressStanding<'a> {
    /// It is on this list, the first of them.
    Listed(&'a KnownList),
    /// It is on none of them.
    Unlisted,
    /// That cannot be said.
    Unknown(Gap<'a>),
}

/// Why nothing can be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Gap<'a> {
    /// No list was ever there.
    #[error("no list that refuses anybody was there so far")]
    NoLists,
    /// No such list was ever there.
    #[error("no list {0} was there so far")]
    NoList(&'a str),
    /// Of that list nothing was ever there for the family of the address.
    #[error("list {0} was not there so far for {1}")]
    NoFamily(&'a str, Family),
    /// It is older than it may be.
    #[error("what is known of list {0} is older than max-age-seconds")]
    Old(&'a str),
}

impl Knowledge {
    /// Whether an address is on one of the lists of these names, or, if there is no
    /// name, of all that are there to refuse: nobody is refused for being on a list
    /// of those who are let in. What is of before `oldest`, in seconds since 1970, does
    /// not count. Who is on one list is listed, whatever is unknown of others.
    pub fn standing<'a>(
        &'a self,
        address: IpAddr,
        names: &'a [impl AsRef<str>],
        oldest: u64,
    ) -> AddressStanding<'a> {
        let address = address.to_canonical();
        if names.is_empty() {
            let lists = self.lists.iter().filter(|list| list.purpose == Purpose::Refuses);
            let lists = lists.map(|list| Ok(&**list));
            return first_of(lists, address, oldest)
                .unwrap_or(AddressStanding::Unknown(Gap::NoLists));
        }
        let lists = names.iter().map(|name| {
            let name = name.as_ref();
            self.list(name).ok_or(Gap::NoList(name))
        });
        first_of(lists, address, oldest).unwrap_or(AddressStanding::Unknown(Gap::NoLists))
    }

    /// The list of a name.
    pub fn list(&self, name: &str) -> Option<&KnownList> {
        let at = self.lists.binary_search_by(|list| list.name.as_str().cmp(name)).ok()?;
        Some(&self.lists[at])
    }
}

/// What follows from several lists, `None` if there are none.
fn first_of<'a>(
    lists: impl Iterator<Item = Result<&'a KnownList, Gap<'a>>>,
    address: IpAddr,
    oldest: u64,
) -> Option<AddressStanding<'a>> {
    let mut so_far = None;
    for list in lists {
        let standing = match list {
            Ok(list) => list.standing(address, oldest),
            Err(gap) => AddressStanding::Unknown(gap),
        };
        match (so_far, standing) {
            (_, AddressStanding::Listed(_)) => return Some(standing),
            (Some(AddressStanding::Unknown(_)), _) => {}
            _ => so_far = Some(standing),
        }
    }
    so_far
}

impl KnownList {
    fn standing(&self, address: IpAddr, oldest: u64) -> AddressStanding<'_> {
        let family = if address.is_ipv4() { Family::Ipv4 } else { Family::Ipv6 };
        let Some(known) = self.family(family) else {
            return AddressStanding::Unknown(Gap::NoFamily(&self.name, family));
        };
        if known.good_at < oldest {
            return AddressStanding::Unknown(Gap::Old(&self.name));
        }
        match known.packed.prefix_of(address) {
            Some(_) => AddressStanding::Listed(self),
            None => AddressStanding::Unlisted,
        }
    }

    /// What is known of one family.
    pub fn family(&self, family: Family) -> Option<&KnownFamily> {
        match family {
            Family::Ipv4 => self.ipv4.as_ref(),
            Family::Ipv6 => self.ipv6.as_ref(),
        }
    }
}

impl KnownFamily {
    /// What the packed list says of itself.
    pub fn header(&self) -> &PackedHeader {
        self.packed.header()
    }
}
