//! A flowtable as the kernel lists it, read from bytes that need not be right.

use netlink_packet_core::DecodeError;

use super::message;
use crate::reply::{Nftables, for_each};

/// `NFT_FLOWTABLE_HW_OFFLOAD` (`include/uapi/linux/netfilter/nf_tables.h`).
const OFFLOAD: u32 = 1;

/// What takes established connections past the hooks of `ip`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flowtable {
    /// Its table.
    pub(crate) table: String,
    /// Its name.
    pub(crate) name: String,
    /// The interfaces between which it carries.
    pub(crate) devices: Vec<String>,
    /// Whether the network card does it.
    pub(crate) offload: bool,
}

impl Flowtable {
    /// Reads `enum nft_flowtable_attributes`, `enum
    /// nft_flowtable_hook_attributes` and `enum nft_devices_attributes`.
    pub(crate) fn read(reply: &Nftables) -> Result<Self, DecodeError> {
        if reply.message != message::NEW_FLOWTABLE {
            return Err(DecodeError::from("a listing of flowtables with something else in it"));
        }
        let mut flowtable = Self::default();
        for_each(&reply.attributes, |kind, value| {
            match kind {
                1 => flowtable.table = text(value),
                2 => flowtable.name = text(value),
                3 => for_each(value, |kind, value| match kind {
                    3 => for_each(value, |_, device| {
                        flowtable.devices.push(text(device));
                        Ok(())
                    }),
                    _ => Ok(()),
                })?,
                7 => {
                    let flags = value.try_into().map(u32::from_be_bytes);
                    flowtable.offload = flags.is_ok_and(|flags| flags & OFFLOAD != 0);
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(flowtable)
    }
}

fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value.strip_suffix(b"\0").unwrap_or(value)).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn nest(kind: u16, value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(4 + value.len()).expect("short").to_ne_bytes();
        let padding = vec![0; value.len().next_multiple_of(4) - value.len()];
        [&length[..], &kind.to_ne_bytes(), value, &padding].concat()
    }

    #[test]
    fn a_flowtable_is_read_as_the_kernel_lists_it() {
        let devices = [nest(1, b"eth0\0"), nest(1, b"eth1\0")].concat();
        let hook = [nest(1, &[0, 0, 0, 0]), nest(2, &[0, 0, 0, 0]), nest(0x8003, &devices)];
        let attributes = [
            nest(1, b"filter\0"),
            nest(2, b"fast\0"),
            nest(0x8003, &hook.concat()),
            nest(7, &[0, 0, 0, 1]),
        ];
        let reply = Nftables { message: message::NEW_FLOWTABLE, attributes: attributes.concat() };
        let want = Flowtable {
            table: "filter".to_owned(),
            name: "fast".to_owned(),
            devices: vec!["eth0".to_owned(), "eth1".to_owned()],
            offload: true,
        };
        assert_eq!(Flowtable::read(&reply).expect("well framed"), want);
    }

    proptest! {
        #[test]
        fn whatever_the_kernel_lists_is_read_or_refused(message: u8, attributes: Vec<u8>) {
            let _nobody_panics = Flowtable::read(&Nftables { message, attributes });
        }
    }
}
