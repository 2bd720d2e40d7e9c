//! Whatever a kernel lists as the members of a set, the driver ends with
//! members or with an error. The input is the datagrams after the versions were
//! agreed on, each after two bytes of length; headers are put before them, so
//! that the fuzzer begins where the attributes do.
#![no_main]

use std::io;

use netfilter::{Netfilter, Transport};
use reconcile::{Observe, SetPrefix};

struct Input<'a> {
    rest: &'a [u8],
    sequence: [u8; 4],
    asked: usize,
}

impl Transport for Input<'_> {
    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        self.sequence.copy_from_slice(&datagram[8..12]);
        self.asked += 1;
        Ok(())
    }

    fn receive(&mut self, into: &mut Vec<u8>) -> io::Result<()> {
        let attribute = |kind, value| [5, 0, kind, 0, value, 0, 0, 0];
        let agreed = [[attribute(1, 7), attribute(10, 6)], [attribute(4, 7), attribute(10, 0)]];
        let (kind, payload): (u16, &[u8]) = match (self.asked, self.rest) {
            (1, _) => (0x601, agreed[0].as_flattened()),
            (2 | 3, _) => (0x60d, agreed[1].as_flattened()),
            (_, &[low, high, ref rest @ ..]) => {
                let length = usize::from(u16::from_le_bytes([low, high])).min(rest.len());
                let (payload, rest) = rest.split_at(length);
                self.rest = rest;
                (0x607, payload)
            }
            _ => (3, &[]),
        };
        let length = u32::try_from(20 + payload.len()).expect("short").to_ne_bytes();
        let kind = kind.to_ne_bytes();
        *into = [&length[..], &kind, &[0; 2], &self.sequence, &[0; 8], payload].concat();
        Ok(())
    }
}

libfuzzer_sys::fuzz_target!(|datagrams: &[u8]| {
    let input = Input { rest: datagrams, sequence: [0; 4], asked: 0 };
    let mut kernel = Netfilter::over(input).expect("versions are agreed on");
    let prefix = SetPrefix::new("t-").expect("fits");
    for family in blocklist::Family::ALL {
        let set = prefix.live("x", family).expect("fits");
        let _either = kernel.members(&set);
    }
});
