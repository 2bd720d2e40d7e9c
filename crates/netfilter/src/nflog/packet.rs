//! What is in a datagram of NFLOG, read with the typed layer. What was not
//! written by the kernel, or by a later one, is an error and never a guess.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netlink_packet_core::{DecodeError, NetlinkBuffer, NetlinkMessage, NetlinkPayload};
use netlink_packet_netfilter::nflog::{PacketNla, ULogMessage};
use netlink_packet_netfilter::{NetfilterMessage, NetfilterMessageInner};

/// The type of a message with a packet: `NFNL_SUBSYS_ULOG`, `NFULNL_MSG_PACKET`
/// (`include/uapi/linux/netfilter/nfnetlink.h` and `nfnetlink_log.h`).
const PACKET: u16 = 4 << 8;

/// A packet that a rule has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownPacket {
    /// What the rule labels its packets with; empty if with nothing.
    pub label: String,
    /// Where the packet comes from.
    pub source: IpAddr,
    /// Where it goes to, of the same family.
    pub destination: IpAddr,
    /// The how manieth it is of this listener, if that was asked for.
    pub sequence: Option<u32>,
}

/// Why a message is not one that can be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// By its frame or its attributes.
    #[error("the message makes no sense: {0}")]
    Message(#[from] DecodeError),
    /// By its header.
    #[error("the packet has no whole header of IP")]
    Header,
}

/// The packets of one datagram, in their order. After a message without a
/// sound frame there is nothing more; one that is sound and cannot be read is
/// passed over with an error.
pub fn shown(datagram: &[u8]) -> impl Iterator<Item = Result<ShownPacket, Unreadable>> + '_ {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let (length, kind) = match NetlinkBuffer::new_checked(rest) {
                Ok(frame) => (frame.length() as usize, frame.message_type()),
                Err(error) => {
                    rest = &[];
                    return Some(Err(error.into()));
                }
            };
            let (message, after) = rest.split_at(length.min(rest.len()));
            // The next one begins at a multiple of four (`NLMSG_ALIGN`).
            let padding = length.next_multiple_of(4) - length;
            rest = after.get(padding..).unwrap_or_default();
            // The typed layer trusts lengths in messages of other subsystems.
            if kind != PACKET {
                continue;
            }
            match read(message) {
                Ok(None) => {}
                Ok(Some(shown)) => return Some(Ok(shown)),
                Err(error) => return Some(Err(error)),
            }
        }
        None
    })
}

/// The packet of a message, `None` if it is about something else.
fn read(message: &[u8]) -> Result<Option<ShownPacket>, Unreadable> {
    let message = NetlinkMessage::<NetfilterMessage>::deserialize(message)?;
    let NetlinkPayload::InnerMessage(message) = message.payload else { return Ok(None) };
    let NetfilterMessageInner::ULog(ULogMessage::Packet(attributes)) = message.inner else {
        return Ok(None);
    };
    let (mut label, mut sequence, mut ends) = (String::new(), None, None);
    for attribute in attributes {
        match attribute {
            PacketNla::Prefix(text) => label = text.to_string_lossy().into_owned(),
            PacketNla::Seq(number) => sequence = Some(number),
            PacketNla::Payload(packet) => ends = addresses(&packet),
            _ => {}
        }
    }
    let (source, destination) = ends.ok_or(Unreadable::Header)?;
    Ok(Some(ShownPacket { label, source, destination, sequence }))
}

/// Source and destination in a header of IPv4 (RFC 791) or IPv6 (RFC 8200).
fn addresses(packet: &[u8]) -> Option<(IpAddr, IpAddr)> {
    let four = |at: usize| <[u8; 4]>::try_from(packet.get(at..at + 4)?).ok().map(Ipv4Addr::from);
    let sixteen =
        |at: usize| <[u8; 16]>::try_from(packet.get(at..at + 16)?).ok().map(Ipv6Addr::from);
    match packet.first()? >> 4 {
        4 => Some((four(12)?.into(), four(16)?.into())),
        6 => Some((sixteen(8)?.into(), sixteen(24)?.into())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use netlink_packet_core::NetlinkHeader;
    use netlink_packet_netfilter::{NetfilterHeader, NetfilterProtoFamily};
    use proptest::prelude::*;

    use super::*;

    /// A message as the kernel writes it.
    fn message(label: &str, sequence: u32, packet: &[u8]) -> Vec<u8> {
        let label = std::ffi::CString::new(label).expect("no NUL");
        let attributes = vec![
            PacketNla::Mark(7),
            PacketNla::Prefix(label),
            PacketNla::Payload(packet.to_vec()),
            PacketNla::Seq(sequence),
        ];
        let header = NetfilterHeader::new(NetfilterProtoFamily::IPv4, 0, 5);
        let payload = NetfilterMessage::new(header, ULogMessage::Packet(attributes));
        let mut message =
            NetlinkMessage::new(NetlinkHeader::default(), NetlinkPayload::from(payload));
        message.finalize();
        let mut bytes = vec![0; message.buffer_len().next_multiple_of(4)];
        message.serialize(&mut bytes);
        bytes
    }

    fn ipv4(source: [u8; 4], destination: [u8; 4]) -> Vec<u8> {
        [&[0x45; 12][..], &source, &destination].concat()
    }

    fn ipv6(source: Ipv6Addr, destination: Ipv6Addr) -> Vec<u8> {
        [&[0x60; 8][..], &source.octets(), &destination.octets()].concat()
    }

    #[test]
    fn packets_are_read_in_their_order_and_what_cannot_be_read_is_told() {
        let (here, there) = (Ipv6Addr::LOCALHOST, Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));
        let datagram = [
            message("drop", 1, &ipv4([192, 0, 2, 1], [192, 0, 2, 2])),
            message("cut", 2, &ipv4([192, 0, 2, 1], [192, 0, 2, 2])[..19]),
            message("", 3, &ipv6(there, here)),
            message("none", 4, &[]),
            message("arp", 5, &[0; 40]),
        ];
        let (good, mut other) = (datagram.concat(), datagram[0].clone());
        // A message of `nf_tables`, which is none of ours.
        other[5] = 10;
        let read: Vec<_> =
            shown(&[other, good].concat()).map(|shown| shown.map_err(|e| e.to_string())).collect();
        let headless = || Err("the packet has no whole header of IP".to_owned());
        let shown = |label: &str, sequence, source, destination| {
            Ok(ShownPacket {
                label: label.to_owned(),
                source,
                destination,
                sequence: Some(sequence),
            })
        };
        let want = [
            shown("drop", 1, [192, 0, 2, 1].into(), [192, 0, 2, 2].into()),
            headless(),
            shown("", 3, there.into(), here.into()),
            headless(),
            headless(),
        ];
        assert_eq!(read, want);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(
            datagram: Vec<u8>,
            at in 0..200_usize,
            byte: u8,
        ) {
            prop_assert!(shown(&datagram).count() <= datagram.len());
            let packet = ipv4([192, 0, 2, 1], [192, 0, 2, 2]);
            let mut good = [message("a", 1, &packet), message("b", 2, &packet)].concat();
            if let Some(changed) = good.get_mut(at) {
                *changed = byte;
            }
            prop_assert!(shown(&good).count() <= good.len());
        }
    }
}
