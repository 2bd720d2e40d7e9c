//! One transaction of `nf_tables`: what is sent is one batch, with its frame.
//! Without the closing message the kernel checks everything, says yes and
//! changes nothing, so the frame is not something that can be left out: there
//! are no bytes of a transaction but those of [`Transaction::encode`].

use blocklist::Family;
use netlink_packet_core::{
    DefaultNla, NLM_F_ACK, NLM_F_APPEND, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, NLM_F_REQUEST,
    NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_netfilter::nftables::{
    ChainAttribute, ChainMessage, Hook, HookNumber, NfTablesMessage, RuleAttribute, RuleMessage,
    TableAttribute, TableMessage,
};
use netlink_packet_netfilter::none::ControlMessage;
use netlink_packet_netfilter::{NetfilterHeader, NetfilterMessage, NetfilterProtoFamily};

use super::element::{ACCEPT, Element};
use super::table::user_data;
use super::{BaseHook, Chain};
use crate::wire::family;

/// `NFNL_SUBSYS_NFTABLES`, in the frame of a batch.
const SUBSYSTEM: u16 = 10;
/// `NFNL_MSG_BATCH_BEGIN` (`include/uapi/linux/netfilter/nfnetlink.h`).
const BEGIN: u8 = 16;
/// `NFNL_BATCH_GENID`.
const GENERATION: u16 = 1;

/// Changes to our table in one family: all of them happen, or none.
#[derive(Debug)]
pub(crate) struct Transaction {
    family: Family,
    generation: u32,
    table: String,
    messages: Vec<(NfTablesMessage, u16)>,
}

impl Transaction {
    /// A transaction that is refused (`ERESTART`) unless the rules of the
    /// whole namespace are still of this generation.
    pub(crate) fn new(family: Family, generation: u32, table: &str) -> Self {
        Self { family, generation, table: table.to_owned(), messages: Vec::new() }
    }

    /// Deletes the table, with all that is in it.
    pub(crate) fn delete_table(&mut self) {
        let attributes = vec![TableAttribute::Name(self.table.clone())];
        self.messages.push((NfTablesMessage::DeleteTable(TableMessage { attributes }), 0));
    }

    /// Creates the table with this comment; that there is one is an error.
    ///
    /// It has no owner. With `NFT_TABLE_F_OWNER` and `NFT_TABLE_F_PERSIST` (Linux
    /// 6.9) a flush by others would pass it by. But nobody else could delete it
    /// while this process hangs, and once the process is gone `nft` 1.0.6 lists
    /// the table with `flags` and no name behind it, for it does not know the
    /// second flag, and refuses that line when it reads it.
    pub(crate) fn create_table(&mut self, comment: &str) {
        let attributes = vec![
            TableAttribute::Name(self.table.clone()),
            TableAttribute::UserData(user_data(comment)),
        ];
        let message = NfTablesMessage::NewTable(TableMessage { attributes });
        self.messages.push((message, NLM_F_CREATE | NLM_F_EXCL));
    }

    /// Creates a chain, empty and letting everything pass.
    pub(crate) fn create_chain(&mut self, chain: &Chain) {
        let mut attributes =
            vec![ChainAttribute::Table(self.table.clone()), ChainAttribute::Name(chain.name())];
        if let Some(BaseHook { number, priority }) = chain.hook() {
            attributes.extend([
                ChainAttribute::Hook(vec![
                    Hook::Number(HookNumber::Other(number)),
                    Hook::Priority(priority.cast_unsigned()),
                ]),
                ChainAttribute::Policy(ACCEPT),
                ChainAttribute::Type("filter".to_owned()),
            ]);
        }
        let message = NfTablesMessage::NewChain(ChainMessage { attributes });
        self.messages.push((message, NLM_F_CREATE | NLM_F_EXCL));
    }

    /// Adds a rule at the end of a chain.
    pub(crate) fn append_rule(&mut self, chain: &Chain, comment: &str, elements: Vec<Element>) {
        let attributes = vec![
            RuleAttribute::Table(self.table.clone()),
            RuleAttribute::Chain(chain.name()),
            RuleAttribute::Expressions(elements),
            RuleAttribute::UserData(user_data(comment)),
        ];
        let message = NfTablesMessage::NewRule(RuleMessage { attributes });
        self.messages.push((message, NLM_F_CREATE | NLM_F_APPEND));
    }

    /// How many sequence numbers it takes.
    pub(crate) fn sequences(&self) -> u32 {
        u32::try_from(self.messages.len() + 2).expect("a transaction is a few messages")
    }

    /// The bytes of the whole batch. It is answered for once with the sequence
    /// number before the last, when it is done; of what fails, each message
    /// is, or the first of all.
    pub(crate) fn encode(&self, first: u32) -> Vec<u8> {
        let generation = DefaultNla::new(GENERATION, self.generation.to_be_bytes().to_vec());
        let begin = ControlMessage::Other { message_type: BEGIN, attributes: vec![generation] };
        let frame = |inner: ControlMessage, sequence| {
            let header = NetfilterHeader::new(NetfilterProtoFamily::Unspec, 0, SUBSYSTEM);
            serialize(NetfilterMessage::new(header, inner), NLM_F_REQUEST, sequence)
        };
        let mut bytes = frame(begin, first);
        let mut sequence = first;
        let last = self.messages.len().saturating_sub(1);
        for (at, (message, flags)) in self.messages.iter().enumerate() {
            sequence = sequence.wrapping_add(1);
            let acknowledge = if at == last { NLM_F_ACK } else { 0 };
            let message = of_family(self.family, message.clone());
            bytes.extend(serialize(message, NLM_F_REQUEST | acknowledge | flags, sequence));
        }
        bytes.extend(frame(ControlMessage::BatchEnd, sequence.wrapping_add(1)));
        bytes
    }
}

/// Questions, which need no frame.
pub(crate) mod ask {
    use netlink_packet_netfilter::nftables::GenMessage;

    use super::{
        Chain, ChainAttribute, ChainMessage, Family, NLM_F_DUMP, NLM_F_REQUEST, NetfilterHeader,
        NetfilterMessage, NetfilterProtoFamily, NfTablesMessage, RuleAttribute, RuleMessage,
        TableAttribute, TableMessage, of_family, serialize,
    };

    /// For the generation of all rules of the namespace.
    pub(crate) fn generation(sequence: u32) -> Vec<u8> {
        let message = NfTablesMessage::GetGen(GenMessage { attributes: Vec::new() });
        serialize(of_family(Family::Ipv4, message), NLM_F_REQUEST, sequence)
    }

    /// For all flowtables of the namespace, of every family.
    pub(crate) fn flowtables(sequence: u32) -> Vec<u8> {
        let message = NfTablesMessage::GetFlowTable(Vec::new());
        let header = NetfilterHeader::new(NetfilterProtoFamily::Unspec, 0, 0);
        let message = NetfilterMessage::new(header, message);
        serialize(message, NLM_F_REQUEST | NLM_F_DUMP, sequence)
    }

    /// For a table.
    pub(crate) fn table(family: Family, table: &str, sequence: u32) -> Vec<u8> {
        let attributes = vec![TableAttribute::Name(table.to_owned())];
        let message = NfTablesMessage::GetTable(TableMessage { attributes });
        serialize(of_family(family, message), NLM_F_REQUEST, sequence)
    }

    /// For one of our chains.
    pub(crate) fn chain(family: Family, table: &str, chain: &Chain, sequence: u32) -> Vec<u8> {
        let attributes =
            vec![ChainAttribute::Table(table.to_owned()), ChainAttribute::Name(chain.name())];
        let message = NfTablesMessage::GetChain(ChainMessage { attributes });
        serialize(of_family(family, message), NLM_F_REQUEST, sequence)
    }

    /// For all rules of one table.
    pub(crate) fn rules(family: Family, table: &str, sequence: u32) -> Vec<u8> {
        let attributes = vec![RuleAttribute::Table(table.to_owned())];
        let message = NfTablesMessage::GetRule(RuleMessage { attributes });
        serialize(of_family(family, message), NLM_F_REQUEST | NLM_F_DUMP, sequence)
    }
}

fn of_family(family: Family, message: NfTablesMessage) -> NetfilterMessage {
    let family = NetfilterProtoFamily::from(family::number(family));
    NetfilterMessage::new(NetfilterHeader::new(family, 0, 0), message)
}

fn serialize(message: NetfilterMessage, flags: u16, sequence: u32) -> Vec<u8> {
    let mut header = NetlinkHeader::default();
    header.flags = flags;
    header.sequence_number = sequence;
    let payload: NetlinkPayload<NetfilterMessage> = message.into();
    let mut message = NetlinkMessage::new(header, payload);
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use netlink_packet_core::NetlinkBuffer;

    use super::*;

    /// Type, flags and sequence number of each message.
    fn frames(mut bytes: &[u8]) -> Vec<(u16, u16, u32)> {
        let mut frames = Vec::new();
        while !bytes.is_empty() {
            let frame = NetlinkBuffer::new_checked(bytes).expect("whole messages");
            frames.push((frame.message_type(), frame.flags(), frame.sequence_number()));
            bytes = &bytes[(frame.length() as usize).next_multiple_of(4)..];
        }
        frames
    }

    fn check(fill: impl FnOnce(&mut Transaction), want: &[(u16, u16, u32)]) {
        let mut transaction = Transaction::new(Family::Ipv6, 7, "x");
        fill(&mut transaction);
        let frames = frames(&transaction.encode(u32::MAX));
        assert_eq!(frames, want);
        assert_eq!(frames.len(), transaction.sequences() as usize);
    }

    #[test]
    fn every_transaction_is_closed_and_its_last_change_is_acknowledged() {
        check(|_| {}, &[(0x10, 1, u32::MAX), (0x11, 1, 0)]);
        let delete = (0xa02, NLM_F_REQUEST, 0);
        let create = (0xa00, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, 1);
        check(
            |transaction| {
                transaction.delete_table();
                transaction.create_table("ours");
            },
            &[(0x10, 1, u32::MAX), delete, create, (0x11, 1, 2)],
        );
    }
}
