//! What rtnetlink says of this host: its own addresses and its default
//! gateways, which no list may block. Read through neli, in the network
//! namespace of the calling thread; nothing is ever written.

use std::fmt::Display;
use std::net::IpAddr;

use neli::consts::rtnl::{Ifa, RtAddrFamily, RtScope, RtTable, Rta, Rtm, Rtn, Rtprot};
use neli::consts::socket::NlFamily;
use neli::rtnl::{Ifaddrmsg, IfaddrmsgBuilder, Rtmsg, RtmsgBuilder};
use netlink_packet_core::NlasIterator;

use crate::dump::{DumpSocket, address, number};
use crate::next_hops;
use crate::part::{FactsPart, LookError};

/// The number of a route's next hop (`include/uapi/linux/rtnetlink.h`).
const RTA_NH_ID: u16 = 30;

/// What one part is, or why it is not known.
type Found = Result<Vec<IpAddr>, LookError>;

/// Asks the kernel for the own addresses and for the gateways, each in both
/// families. Half an answer is an error too.
pub(crate) fn read() -> (Found, Found) {
    let failed = |error: &dyn Display| {
        let of = |part| Err(LookError::reading(part)(error));
        (of(FactsPart::Own), of(FactsPart::Gateways))
    };
    let connected = DumpSocket::connect(NlFamily::Route).and_then(DumpSocket::strictly);
    let mut socket = match connected {
        Ok(socket) => socket,
        Err(error) => return failed(&error),
    };
    let mut both = |read: fn(&mut DumpSocket, RtAddrFamily) -> Found| {
        let mut found = read(&mut socket, RtAddrFamily::Inet)?;
        found.extend(read(&mut socket, RtAddrFamily::Inet6)?);
        Ok(found)
    };
    (both(own), both(gateways))
}

fn own(socket: &mut DumpSocket, family: RtAddrFamily) -> Found {
    const PART: FactsPart = FactsPart::Own;
    let question = IfaddrmsgBuilder::default()
        .ifa_family(family)
        .ifa_prefixlen(0)
        .ifa_scope(RtScope::Universe)
        .ifa_index(0)
        .build()
        .map_err(|error| LookError::reading(PART)(&error))?;
    socket
        .dump(Rtm::Getaddr, &question, |message, found| found.extend(interface_address(message)))
        .map_err(|error| LookError::reading(PART)(&error))
}

/// On a point-to-point interface `IFA_ADDRESS` is the other end and
/// `IFA_LOCAL` this one; elsewhere IPv6 has `IFA_ADDRESS` alone
/// (`include/uapi/linux/if_addr.h`).
fn interface_address(message: &Ifaddrmsg) -> Option<IpAddr> {
    let attribute = |kind: Ifa| {
        let mut attributes = message.rtattrs().iter();
        let found = attributes.find(|attribute| *attribute.rta_type() == kind)?;
        address(found.rta_payload().as_ref())
    };
    attribute(Ifa::Local).or_else(|| attribute(Ifa::Address))
}

fn gateways(socket: &mut DumpSocket, family: RtAddrFamily) -> Found {
    const PART: FactsPart = FactsPart::Gateways;
    let question = RtmsgBuilder::default()
        .rtm_family(family)
        .rtm_dst_len(0)
        .rtm_src_len(0)
        .rtm_tos(0)
        .rtm_table(RtTable::Unspec)
        .rtm_protocol(Rtprot::Unspec)
        .rtm_scope(RtScope::Universe)
        .rtm_type(Rtn::Unspec)
        .build()
        .map_err(|error| LookError::reading(PART)(&error))?;
    let found = socket
        .dump(Rtm::Getroute, &question, |route, found| {
            if *route.rtm_dst_len() == 0 {
                route_gateways(route, found);
            }
        })
        .map_err(|error| LookError::reading(PART)(&error))?;
    resolved(socket, found)
}

/// One thing that a route says of its gateways.
enum Gateway {
    /// Its address.
    Address(IpAddr),
    /// The number of a next hop, or of a group of them.
    Numbered(u32),
}

/// The addresses of all gateways. The kernel says those of numbered next hops
/// in the route itself only while `net.ipv4.nexthop_compat_mode` is on.
fn resolved(socket: &mut DumpSocket, gateways: Vec<Gateway>) -> Found {
    let (mut addresses, mut numbers) = (Vec::new(), Vec::new());
    for gateway in gateways {
        match gateway {
            Gateway::Address(address) => addresses.push(address),
            Gateway::Numbered(number) => numbers.push(number),
        }
    }
    if !numbers.is_empty() {
        addresses.extend(next_hops::addresses(socket, &numbers)?);
    }
    Ok(addresses)
}

/// A route has one gateway of its own or several next hops with one each.
fn route_gateways(route: &Rtmsg, into: &mut Vec<Gateway>) {
    for attribute in route.rtattrs().iter() {
        let payload = attribute.rta_payload().as_ref();
        match attribute.rta_type() {
            Rta::Multipath => multipath(payload, into),
            kind => into.extend(gateway(u16::from(*kind), payload)),
        }
    }
}

/// The address in `RTA_GATEWAY` or, after two bytes of family, in `RTA_VIA`,
/// which an IPv4 route over an IPv6 gateway has; or the number of a next hop.
fn gateway(kind: u16, payload: &[u8]) -> Option<Gateway> {
    match kind {
        libc::RTA_GATEWAY => address(payload).map(Gateway::Address),
        libc::RTA_VIA => address(payload.get(2..)?).map(Gateway::Address),
        RTA_NH_ID => number(payload).map(Gateway::Numbered),
        _ => None,
    }
}

/// `struct rtnexthop` (`include/uapi/linux/rtnetlink.h`), one after the other:
/// `u16` length, six further bytes, attributes.
fn multipath(mut hops: &[u8], into: &mut Vec<Gateway>) {
    const HEADER_BYTES: usize = 8;
    while let Some(&[low, high]) = hops.get(..2) {
        let length = usize::from(u16::from_ne_bytes([low, high]));
        let Some(attributes) = hops.get(HEADER_BYTES..length) else { return };
        for attribute in NlasIterator::new(attributes).flatten() {
            into.extend(gateway(attribute.kind(), attribute.value()));
        }
        hops = hops.get(length.next_multiple_of(4)..).unwrap_or(&[]);
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// Each with a socket of its own, in a thread that was just begun or has
    /// asked before.
    #[test]
    fn many_who_ask_at_once_are_all_answered() {
        let ask = || {
            for _ in 0..1_000 {
                let (own, gateways) = read();
                own.expect("own addresses");
                gateways.expect("gateways");
            }
        };
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(ask);
            }
        });
    }
}
