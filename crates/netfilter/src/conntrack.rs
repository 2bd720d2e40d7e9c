//! Connections as the kernel tracks them (ctnetlink,
//! `include/uapi/linux/netfilter/nfnetlink_conntrack.h`): who talks to whom,
//! and whether both do. Read from bytes that need not be right.

use std::net::IpAddr;

use blocklist::Family;
use netlink_packet_core::DecodeError;

use crate::reply::for_each;
use crate::wire::family;

/// `NFNL_SUBSYS_CTNETLINK`.
const SUBSYSTEM: u8 = 1;
/// `IPCTNL_MSG_CT_GET`.
const GET: u8 = 1;
/// `IPS_SEEN_REPLY` (`nf_conntrack_common.h`).
const SEEN_REPLY: u32 = 2;
/// `NLM_F_REQUEST` and `NLM_F_DUMP` (`include/uapi/linux/netlink.h`).
const REQUEST_DUMP: u16 = 0x301;

/// A connection that is tracked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    /// Who began it, and with whom.
    pub ends: [Option<IpAddr>; 2],
    /// The port that it was begun to, where the protocol has ports.
    pub port: Option<u16>,
    /// IANA's number of the protocol.
    pub protocol: u8,
    /// Whether the other side has answered.
    pub answered: bool,
}

impl Connection {
    /// Reads `enum ctattr_type`, of the original direction.
    pub(crate) fn read(attributes: &[u8]) -> Result<Self, DecodeError> {
        let mut connection = Self::default();
        for_each(attributes, |kind, value| {
            match kind {
                // `CTA_TUPLE_ORIG`.
                1 => connection.read_tuple(value)?,
                // `CTA_STATUS`.
                3 => {
                    let status = value.try_into().map(u32::from_be_bytes);
                    connection.answered = status.is_ok_and(|status| status & SEEN_REPLY != 0);
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(connection)
    }

    /// Reads `enum ctattr_tuple`, `ctattr_ip` and `ctattr_l4proto`.
    fn read_tuple(&mut self, tuple: &[u8]) -> Result<(), DecodeError> {
        for_each(tuple, |kind, value| match kind {
            1 => for_each(value, |kind, value| {
                let at = usize::from(kind == 2 || kind == 4);
                if matches!(kind, 1..=4) {
                    self.ends[at] = address(value);
                }
                Ok(())
            }),
            2 => for_each(value, |kind, value| {
                match kind {
                    1 => self.protocol = value.first().copied().unwrap_or_default(),
                    3 => self.port = value.try_into().ok().map(u16::from_be_bytes),
                    _ => {}
                }
                Ok(())
            }),
            _ => Ok(()),
        })
    }
}

fn address(value: &[u8]) -> Option<IpAddr> {
    match value.len() {
        4 => <[u8; 4]>::try_from(value).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(value).ok().map(IpAddr::from),
        _ => None,
    }
}

/// The question for all connections of a family. The kernel could look for one
/// address itself, but does the opposite of that for IPv6.
pub(crate) fn ask(of: Family, sequence: u32) -> Vec<u8> {
    let kind = u16::from_be_bytes([SUBSYSTEM, GET]);
    let mut message = 20_u32.to_ne_bytes().to_vec();
    message.extend(kind.to_ne_bytes());
    message.extend(REQUEST_DUMP.to_ne_bytes());
    message.extend(sequence.to_ne_bytes());
    message.extend([0; 4]);
    // `struct nfgenmsg`.
    message.extend([family::number(of), 0, 0, 0]);
    message
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_is_tracked_is_read_or_refused(bytes: Vec<u8>) {
            let _nobody_panics = Connection::read(&bytes);
        }
    }
}
