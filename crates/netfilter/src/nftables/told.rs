//! What the kernel tells everybody of a change of rules, read only as far as
//! it says in which table it was. What is not understood may be in ours.

use netlink_packet_core::NetlinkBuffer;

use crate::reply::for_each;

/// `NFNL_SUBSYS_NFTABLES`.
const SUBSYSTEM: u16 = 10;
/// `NFT_MSG_NEWGEN`, which ends what is told of a transaction and names no
/// table.
const NEW_GENERATION: u16 = 15;
/// Bytes of `struct nfgenmsg`.
const NFGENMSG_BYTES: usize = 4;

/// Whether any of these messages is about a table of this name, of whatever
/// family. All messages but one have the table's name as their attribute 1:
/// `NFTA_TABLE_NAME`, `NFTA_CHAIN_TABLE`, `NFTA_RULE_TABLE` and so on
/// (`include/uapi/linux/netfilter/nf_tables.h`).
pub(crate) fn concerns(mut messages: &[u8], table: &str) -> bool {
    while !messages.is_empty() {
        let Ok(message) = NetlinkBuffer::new_checked(messages) else { return true };
        let (kind, length) = (message.message_type(), message.length() as usize);
        if kind >> 8 == SUBSYSTEM && kind & 0xff != NEW_GENERATION {
            let payload = message.payload();
            if payload.get(NFGENMSG_BYTES..).is_none_or(|attributes| names(attributes, table)) {
                return true;
            }
        }
        messages = messages.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    false
}

fn names(attributes: &[u8], table: &str) -> bool {
    let mut named = false;
    let read = for_each(attributes, |kind, value| {
        named |= kind == 1 && value.strip_suffix(b"\0").unwrap_or(value) == table.as_bytes();
        Ok(())
    });
    named || read.is_err()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(kind: u16, table: &[u8]) -> Vec<u8> {
        let length = u16::try_from(4 + table.len()).expect("short");
        let attribute = [&length.to_ne_bytes()[..], &[1, 0], table].concat();
        let whole = 16 + 4 + attribute.len();
        let mut bytes = u32::try_from(whole).expect("short").to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend([0; 10]);
        bytes.extend([2, 0, 0, 0]);
        bytes.extend(attribute);
        bytes.resize(whole.next_multiple_of(4), 0);
        bytes
    }

    #[test]
    fn only_what_is_about_our_table_concerns_us() {
        let ours = message(0xa08, b"denyset\0");
        let theirs = message(0xa08, b"denyset2\0");
        let generation = message(0xa0f, b"denyset\0");
        let check = |parts: &[&Vec<u8>], want| {
            let bytes: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
            assert_eq!(concerns(&bytes, "denyset"), want);
        };
        check(&[], false);
        check(&[&theirs, &generation], false);
        check(&[&theirs, &ours, &generation], true);
        assert!(concerns(&ours[..ours.len() - 4], "denyset"), "cut off");
        assert!(concerns(&theirs[..7], "denyset"), "cut off");
    }

    proptest! {
        #[test]
        fn whatever_is_told_is_read_to_its_end(bytes: Vec<u8>, table in "[a-z]{0,8}") {
            let _nobody_panics = concerns(&bytes, &table);
        }
    }
}
