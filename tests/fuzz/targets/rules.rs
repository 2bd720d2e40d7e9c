//! Whatever a kernel says of its rules and flowtables, the driver ends with an
//! answer or with an error. The input is the messages after the versions were
//! agreed on, each after a byte that says which it is and two of length; the
//! headers are put before them, so that the fuzzer begins where the attributes
//! do.
#![no_main]

use std::io;

use netfilter::{Netfilter, Transport};
use reconcile::{Observe, RuleSet, SetPrefix};

/// The end of a listing, and that there is no such thing; any other number is
/// that of a message of `nf_tables`.
const DONE: u8 = 0xff;
const NONE: u8 = 0xfe;

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
        // `NLMSG_ERROR` with `ENOENT`, and the header that it is about.
        let mut none = (-2_i32).to_ne_bytes().to_vec();
        none.resize(20, 0);
        let (kind, payload): (u16, Vec<u8>) = match (self.asked, self.rest) {
            (1, _) => (0x601, [&[0; 4], agreed[0].as_flattened()].concat()),
            (2 | 3, _) => (0x60d, [&[0; 4], agreed[1].as_flattened()].concat()),
            (_, &[message, low, high, ref rest @ ..]) => {
                let length = usize::from(u16::from_le_bytes([low, high])).min(rest.len());
                let (payload, rest) = rest.split_at(length);
                self.rest = rest;
                match message {
                    DONE => (3, vec![0; 4]),
                    NONE => (2, none),
                    message => (0x0a00 | u16::from(message), [&[2, 0, 0, 0], payload].concat()),
                }
            }
            _ => (3, vec![0; 4]),
        };
        let length = u32::try_from(16 + payload.len()).expect("short").to_ne_bytes();
        let kind = kind.to_ne_bytes();
        *into = [&length[..], &kind, &[0; 2], &self.sequence, &[0; 4], &payload].concat();
        Ok(())
    }
}

libfuzzer_sys::fuzz_target!(|messages: &[u8]| {
    let input = Input { rest: messages, sequence: [0; 4], asked: 0 };
    let mut kernel = Netfilter::over(input).expect("versions are agreed on");
    let prefix = SetPrefix::new("t-").expect("fits");
    for family in blocklist::Family::ALL {
        let _either = kernel.rules(&RuleSet::new(&prefix, family, []));
        let _either = kernel.flowtables();
    }
});
