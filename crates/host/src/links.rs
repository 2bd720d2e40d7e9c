//! The interfaces of this host, and what has their packets before the kernel
//! has: programs (XDP), classifiers at ingress (tc), and bridges. Read over
//! rtnetlink in the network namespace of the calling thread.

use std::fs;
use std::io;

use neli::consts::rtnl::{RtAddrFamily, Rtm};
use neli::consts::socket::NlFamily;
use neli::rtnl::{Ifinfomsg, IfinfomsgBuilder, Tcmsg, TcmsgBuilder};
use netlink_packet_core::NlasIterator;

use crate::dump::DumpSocket;

/// `enum` of `include/uapi/linux/if_link.h`.
const IFLA_IFNAME: u16 = 3;
/// What kind of link it is, in a nest.
const IFLA_LINKINFO: u16 = 18;
/// The kind's name, in that nest.
const IFLA_INFO_KIND: u16 = 1;
/// What is known of XDP, in a nest.
const IFLA_XDP: u16 = 43;
/// How a program is attached, 0 if none is, in that nest.
const IFLA_XDP_ATTACHED: u16 = 2;
/// `include/uapi/linux/rtnetlink.h`.
const TCA_KIND: u16 = 1;
/// `TC_H_CLSACT` with `TC_H_MIN_INGRESS` (`include/uapi/linux/pkt_sched.h`).
const INGRESS: u32 = 0xffff_fff2;
/// Whether a bridge shows its frames to the hooks of IPv4; not there without
/// `br_netfilter`.
const BRIDGED: &str = "/proc/sys/net/bridge/bridge-nf-call-iptables";

/// One interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// Its name.
    pub name: String,
    /// Whether it is a bridge whose frames no hook of `ip` meets.
    pub bridges_past_hooks: bool,
    /// Whether a program has its packets first.
    pub has_xdp: bool,
    /// Whether classifiers have its packets next.
    pub has_classifier: bool,
}

/// All interfaces.
///
/// # Errors
/// Those of the system.
pub fn links() -> io::Result<Vec<Link>> {
    let mut socket = DumpSocket::connect(NlFamily::Route)?;
    let question =
        IfinfomsgBuilder::default().ifi_family(RtAddrFamily::Unspecified).build().map_err(other)?;
    let mut found = socket.dump(Rtm::Getlink, &question, |message: &Ifinfomsg, found| {
        let attributes = message
            .rtattrs()
            .iter()
            .map(|attribute| (u16::from(*attribute.rta_type()), attribute.rta_payload().as_ref()));
        found.push((*message.ifi_index(), link(attributes)));
    })?;
    let classified = classified(&mut socket)?;
    for (index, link) in &mut found {
        link.has_classifier =
            classified.contains(index) && has_filters(&mut socket, *index).unwrap_or(true);
    }
    if fs::read_to_string(BRIDGED).is_ok_and(|text| text.trim() == "1") {
        for (_, link) in &mut found {
            link.bridges_past_hooks = false;
        }
    }
    Ok(found.into_iter().map(|(_, link)| link).collect())
}

/// What the attributes of a link say.
fn link<'a>(attributes: impl Iterator<Item = (u16, &'a [u8])>) -> Link {
    let mut link = Link::default();
    for (kind, payload) in attributes {
        match kind & 0x3fff {
            IFLA_IFNAME => link.name = text(payload),
            IFLA_LINKINFO => {
                link.bridges_past_hooks |=
                    inside(payload, IFLA_INFO_KIND).is_some_and(|kind| text(kind) == "bridge");
            }
            IFLA_XDP => {
                link.has_xdp |= inside(payload, IFLA_XDP_ATTACHED)
                    .and_then(|attached| attached.first())
                    .is_some_and(|&attached| attached != 0);
            }
            _ => {}
        }
    }
    link
}

/// The interfaces that have a place for classifiers at ingress.
fn classified(socket: &mut DumpSocket) -> io::Result<Vec<libc::c_int>> {
    socket.dump(Rtm::Getqdisc, &traffic(0, 0)?, |message: &Tcmsg, found| {
        let has = message.rtattrs().iter().any(|attribute| {
            let kind = text(attribute.rta_payload().as_ref());
            u16::from(*attribute.rta_type()) == TCA_KIND
                && matches!(kind.as_str(), "clsact" | "ingress")
        });
        if has {
            found.push(*message.tcm_ifindex());
        }
    })
}

/// Whether there are classifiers in that place.
fn has_filters(socket: &mut DumpSocket, index: libc::c_int) -> io::Result<bool> {
    let question = traffic(index, INGRESS)?;
    let found = socket.dump(Rtm::Gettfilter, &question, |_: &Tcmsg, found| found.push(()))?;
    Ok(!found.is_empty())
}

fn traffic(index: libc::c_int, parent: u32) -> io::Result<Tcmsg> {
    TcmsgBuilder::default()
        .tcm_family(0)
        .tcm_ifindex(index)
        .tcm_handle(0)
        .tcm_parent(parent)
        .tcm_info(0)
        .build()
        .map_err(other)
}

/// The value of an attribute in a nest.
fn inside(nest: &[u8], kind: u16) -> Option<&[u8]> {
    NlasIterator::new(nest).flatten().find(|attribute| attribute.kind() == kind).map(|attribute| {
        let length = usize::from(attribute.length());
        attribute.into_inner().get(4..length).unwrap_or_default()
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.strip_suffix(b"\0").unwrap_or(bytes)).into_owned()
}

fn other(error: impl std::fmt::Display) -> io::Error {
    io::Error::other(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nest(kind: u16, value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(4 + value.len()).expect("short").to_ne_bytes();
        let padding = vec![0; value.len().next_multiple_of(4) - value.len()];
        [&length[..], &kind.to_ne_bytes(), value, &padding].concat()
    }

    #[test]
    fn a_link_says_what_has_its_packets_first() {
        let bridge = nest(1, b"bridge\0");
        let veth = nest(1, b"veth\0");
        let check = |attributes: &[(u16, &[u8])], bridge: bool, xdp: bool| {
            let found = link(attributes.iter().copied());
            assert_eq!((found.bridges_past_hooks, found.has_xdp), (bridge, xdp), "{attributes:?}");
            assert_eq!(found.name, "x0");
        };
        check(&[(3, b"x0\0"), (18, &bridge)], true, false);
        check(&[(3, b"x0\0"), (IFLA_LINKINFO | 0x8000, &veth), (43, &nest(2, &[0]))], false, false);
        check(&[(3, b"x0\0"), (IFLA_XDP | 0x8000, &nest(2, &[2]))], false, true);
        check(&[(3, b"x0\0"), (18, &[1, 2, 3]), (43, &[9, 0, 2, 0])], false, false);
    }
}
