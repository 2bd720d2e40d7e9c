//! What of `nf_tables` carries packets past rules: the flowtables of all
//! tables, by name. Nothing else of others is read.

use reconcile::{Bypass, BypassKind};

use super::Netfilter;
use crate::nftables::{Flowtable, ask};
use crate::{ExchangeFailure, ListingReply, Transport};

impl<T: Transport> Netfilter<T> {
    /// The flowtables of the namespace. A kernel without `nf_tables` has none.
    ///
    /// # Errors
    /// [`ExchangeFailure`].
    pub fn flowtables(&mut self) -> Result<Vec<Bypass>, ExchangeFailure> {
        let sequence = self.exchange.reserve(1);
        let mut found = Vec::new();
        let listed = self.exchange.listed(&ask::flowtables(sequence), sequence, |reply| {
            let ListingReply::Nftables(message) = reply else {
                return Err(ExchangeFailure::Senseless("a listing of something else".to_owned()));
            };
            let read = Flowtable::read(&message);
            found.push(read.map_err(|error| ExchangeFailure::Senseless(error.to_string()))?);
            Ok(())
        });
        match listed {
            Ok(()) => {}
            Err(ExchangeFailure::Refused { code, .. }) if i32::from(code) == libc::EINVAL => {}
            Err(failure) => return Err(failure),
        }
        let bypass = |Flowtable { table, name, devices, offload }| Bypass {
            kind: BypassKind::Flowtable { name: format!("{name} of table {table}"), offload },
            interfaces: devices,
        };
        Ok(found.into_iter().map(bypass).collect())
    }
}
