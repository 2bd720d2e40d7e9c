//! Which connections there are with an address, where they are tracked.

use std::net::IpAddr;
use std::path::Path;

use blocklist::Family;

use super::Netfilter;
use crate::conntrack::{Connection, ask};
use crate::{ExchangeFailure, ListingReply, Transport};

/// There if connections are tracked at all. To ask the kernel where it is not
/// could begin the tracking.
const TRACKED: &str = "/proc/sys/net/netfilter/nf_conntrack_count";

impl<T: Transport> Netfilter<T> {
    /// The connections that an address has begun or was begun with, and that
    /// both sides have said something in; `None` if none are tracked. Reads
    /// all that are tracked: about 0.5 µs each.
    ///
    /// # Errors
    /// [`ExchangeFailure`].
    pub fn connections(
        &mut self,
        address: IpAddr,
    ) -> Result<Option<Vec<Connection>>, ExchangeFailure> {
        if !Path::new(TRACKED).exists() {
            return Ok(None);
        }
        let family = if address.is_ipv4() { Family::Ipv4 } else { Family::Ipv6 };
        let sequence = self.exchange.reserve(1);
        let mut found = Vec::new();
        let listed = self.exchange.listed(&ask(family, sequence), sequence, |reply| {
            let ListingReply::Tracked(attributes) = reply else {
                return Err(ExchangeFailure::Senseless("a listing of something else".to_owned()));
            };
            let connection = Connection::read(&attributes)
                .map_err(|error| ExchangeFailure::Senseless(error.to_string()))?;
            if connection.answered && connection.ends.contains(&Some(address)) {
                found.push(connection);
            }
            Ok(())
        });
        match listed {
            Ok(()) => Ok(Some(found)),
            Err(ExchangeFailure::Refused { code, .. }) if i32::from(code) == libc::EINVAL => {
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    }
}
