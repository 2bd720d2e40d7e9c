//! Next hops that have a number of their own, which routes name (`ip-nexthop(8)`,
//! `include/uapi/linux/nexthop.h`, from Linux 5.3 on).

use std::collections::BTreeMap;
use std::net::IpAddr;

use neli::consts::rtnl::Rtm;
use neli::types::Buffer;
use netlink_packet_core::NlasIterator;

use crate::dump::{DumpSocket, address, number};
use crate::part::{FactsPart, LookError};

/// `RTM_GETNEXTHOP` (`include/uapi/linux/rtnetlink.h`).
const GET: u16 = 106;

/// `struct nhmsg`: family, scope, protocol, a byte unused, `u32` flags.
const HEADER_BYTES: usize = 8;

/// `struct nexthop_grp`: `u32` number, weight, unused.
const GROUP_ENTRY_BYTES: usize = 8;

// The attributes, of the enumeration `NHA_*`.
const NUMBER: u16 = 1;
const GROUP: u16 = 2;
const GATEWAY: u16 = 6;

/// One next hop, or a group of them.
#[derive(Debug, Default, PartialEq, Eq)]
struct NextHop {
    number: u32,
    gateway: Option<IpAddr>,
    /// The numbers of what is in a group; a group is in no other.
    group: Vec<u32>,
}

/// The gateways of the next hops with these numbers, and of those in the
/// groups with these numbers.
pub(crate) fn addresses(
    socket: &mut DumpSocket,
    numbers: &[u32],
) -> Result<Vec<IpAddr>, LookError> {
    let question = Buffer::from(vec![0; HEADER_BYTES]);
    let found = socket
        .dump(Rtm::from(GET), &question, |message, found| {
            found.extend(message.as_ref().get(HEADER_BYTES..).map(next_hop));
        })
        .map_err(|error| LookError::reading(FactsPart::Gateways)(&error))?;
    let known: BTreeMap<u32, NextHop> =
        found.into_iter().map(|next_hop| (next_hop.number, next_hop)).collect();
    let named = numbers.iter().filter_map(|number| known.get(number));
    let every = named.flat_map(|hop| {
        std::iter::once(hop).chain(hop.group.iter().filter_map(|number| known.get(number)))
    });
    Ok(every.filter_map(|hop| hop.gateway).collect())
}

fn next_hop(attributes: &[u8]) -> NextHop {
    let mut hop = NextHop::default();
    for attribute in NlasIterator::new(attributes).flatten() {
        let value = attribute.value();
        match attribute.kind() {
            NUMBER => hop.number = number(value).unwrap_or_default(),
            GATEWAY => hop.gateway = address(value),
            GROUP => hop.group = value.chunks(GROUP_ENTRY_BYTES).filter_map(number).collect(),
            _ => {}
        }
    }
    hop
}
