//! The model by netlink bytes: decodes what the driver sends, asks the same
//! machine, encodes its answers. With this the codec, the exchange and the
//! driver run in simulation too.

mod decode;
mod encode;

use std::collections::VecDeque;
use std::io;

use netfilter::Transport;

use self::decode::{
    ADT, Attributes, DATA, FAMILY, FLAGS, LINENO, Message, NLM_F_ACK, NLM_F_EXCL, NLM_F_REQUEST,
    PROTOCOL, REVISION, SETNAME, TYPENAME_OR_SETNAME2,
};
use self::encode::{REVISION_MAX, Writer};
use crate::sets::{RawName, RawSet};
use crate::{Code, ModelKernel, ModelRefusal, ModelReply, ModelRequest, Trouble};

/// `ENOBUFS`: answers were lost because nobody fetched the earlier ones.
const ENOBUFS: i32 = 105;
/// The ipset subsystem of nfnetlink.
const SUBSYSTEM: u16 = 6;
const LIST_SETNAME: u32 = 0x2;
const LIST_HEADER: u32 = 0x4;
/// Makes a set whose creator chose no start value distinct from ours.
const SOME_INITVAL: u32 = 0x5eed_5eed;

/// A socket to a [`ModelKernel`].
#[derive(Debug)]
pub struct Loopback {
    kernel: ModelKernel,
    answers: VecDeque<Vec<u8>>,
    /// Answers that arrive once the asker has given up.
    late: VecDeque<Vec<u8>>,
    overrun: bool,
    /// The set that an unfinished listing of ours holds.
    holding: Option<RawName>,
}

/// How a message ends.
enum Ending {
    /// With these datagrams and no acknowledgement.
    Answered(Vec<Vec<u8>>),
    /// With an acknowledgement, if one is asked for.
    Done,
    /// With an error, and for a batch the number and place of the entry.
    Refused(Code, Option<(Vec<u8>, usize)>),
    /// With nothing, or too late, or with lost answers.
    Trouble(Trouble, Vec<Vec<u8>>),
}

impl From<Code> for Ending {
    fn from(code: Code) -> Self {
        Self::Refused(code, None)
    }
}

impl Loopback {
    /// A socket to this kernel.
    pub fn new(kernel: ModelKernel) -> Self {
        Self {
            kernel,
            answers: VecDeque::new(),
            late: VecDeque::new(),
            overrun: false,
            holding: None,
        }
    }

    fn let_go(&mut self) {
        let Some(name) = self.holding.take() else { return };
        if let Some(slot) = self.kernel.machine().sets.get_mut(&name) {
            slot.dumps = slot.dumps.saturating_sub(1);
        }
    }

    fn take(&mut self, message: &Message<'_>) {
        if !message.has(NLM_F_REQUEST) {
            if message.has(NLM_F_ACK) {
                self.answers.push_back(encode::acknowledgement(message, None));
            }
            return;
        }
        let ending = self.answer(message).unwrap_or_else(Ending::from);
        let acknowledged = |code| vec![encode::acknowledgement(message, code)];
        let datagrams = match ending {
            Ending::Answered(datagrams) => datagrams,
            Ending::Done if message.has(NLM_F_ACK) => acknowledged(None),
            Ending::Done => Vec::new(),
            Ending::Refused(code, None) => acknowledged(Some(code)),
            Ending::Refused(code, Some((line, at))) => {
                vec![encode::echo(message, code, &line, at)]
            }
            Ending::Trouble(Trouble::Late, _) => {
                self.late.extend(acknowledged(None));
                Vec::new()
            }
            Ending::Trouble(Trouble::Overrun, _) => {
                self.overrun = true;
                Vec::new()
            }
            Ending::Trouble(_, datagrams) => datagrams,
        };
        self.answers.extend(datagrams);
    }

    fn answer(&mut self, message: &Message<'_>) -> Result<Ending, Code> {
        if message.kind >> 8 != SUBSYSTEM {
            return Err(Code::INVALID);
        }
        let attributes = message.attributes()?;
        if attributes.need(PROTOCOL)?.byte()? < 6 {
            return Err(Code::PROTOCOL);
        }
        match message.kind & 0xff {
            1 => Ok(Ending::Answered(vec![versions(message)])),
            2 => Ok(self.ask(&create(message, &attributes)?)),
            3 => {
                let (name, exclusive) = (set_name(&attributes)?, message.has(NLM_F_EXCL));
                Ok(self.ask(&ModelRequest::Destroy { name, exclusive }))
            }
            4 => Ok(self.ask(&ModelRequest::Flush(set_name(&attributes)?))),
            5 => {
                let (from, to) = both_names(&attributes)?;
                Ok(self.ask(&ModelRequest::Rename { from, to }))
            }
            6 => {
                let (first, second) = both_names(&attributes)?;
                Ok(self.ask(&ModelRequest::Swap(first, second)))
            }
            7 | 8 => self.list(message, &attributes),
            9 | 10 => self.batch(message, &attributes),
            11 => self.test(&attributes),
            13 => revisions(message, &attributes),
            0 => Err(Code::NOT_SUPPORTED),
            _ => Err(Code::INVALID),
        }
    }

    fn ask(&self, request: &ModelRequest) -> Ending {
        match self.kernel.machine().serve(request) {
            Ok(_) => Ending::Done,
            Err(Trouble::Refused(refusal)) => refusal.code.into(),
            Err(trouble) => Ending::Trouble(trouble, Vec::new()),
        }
    }

    fn test(&self, attributes: &Attributes<'_>) -> Result<Ending, Code> {
        let name = set_name(attributes)?;
        let (member, _) = decode::entry(attributes.need(DATA)?)?;
        let request = ModelRequest::Test { name, members: vec![member] };
        Ok(match self.kernel.machine().serve(&request) {
            Ok(ModelReply::Present(present)) if present == [false] => Code::MEMBER.into(),
            Ok(_) => Ending::Done,
            Err(Trouble::Refused(refusal)) => refusal.code.into(),
            Err(trouble) => Ending::Trouble(trouble, Vec::new()),
        })
    }

    /// An entry that cannot be read ends its message where it stands: those
    /// before it are done.
    fn batch(&self, message: &Message<'_>, attributes: &Attributes<'_>) -> Result<Ending, Code> {
        let name = set_name(attributes)?;
        let nests = match (attributes.get(DATA), attributes.get(ADT), attributes.get(LINENO)) {
            (Some(one), None, _) => vec![one],
            (None, Some(many), Some(_)) => many.nest()?,
            _ => return Err(Code::PROTOCOL),
        };
        let (mut members, mut lines, mut malformed) = (Vec::new(), Vec::new(), None);
        for nest in nests {
            match decode::entry(nest) {
                Ok((member, line)) => {
                    members.push(member);
                    lines.push(line);
                }
                Err(code) => {
                    malformed = Some(code);
                    break;
                }
            }
        }
        let exclusive = message.has(NLM_F_EXCL);
        let request = match message.kind & 0xff {
            9 => ModelRequest::Add { name, members, exclusive },
            _ => ModelRequest::Delete { name, members, exclusive },
        };
        Ok(match self.kernel.machine().serve(&request) {
            Err(Trouble::Refused(ModelRefusal { code, position })) => {
                let line = position.and_then(|at| lines.get(at).copied().flatten());
                let echoed = line.filter(|line| line.iter().any(|&byte| byte != 0));
                Ending::Refused(code, echoed.and_then(|line| echo_place(message, attributes, line)))
            }
            Err(trouble) => Ending::Trouble(trouble, Vec::new()),
            Ok(_) => malformed.map_or(Ending::Done, Ending::from),
        })
    }

    fn list(&mut self, message: &Message<'_>, attributes: &Attributes<'_>) -> Result<Ending, Code> {
        if self.holding.is_some() {
            return Err(Code::SWAP_BUSY);
        }
        let flags = attributes.get(FLAGS).map_or(Ok(0), decode::Attribute::number)?;
        let name = attributes.get(SETNAME).map(decode::Attribute::name).transpose()?;
        let request = match name.clone() {
            _ if flags & LIST_SETNAME != 0 => ModelRequest::Names,
            None => ModelRequest::List,
            Some(name) if flags & LIST_HEADER != 0 => ModelRequest::Header(name),
            Some(name) => ModelRequest::Dump(name),
        };
        let outcome = self.kernel.machine().serve(&request);
        let (sets, torn) = match (outcome, &name) {
            (Ok(ModelReply::Sets(sets)), _) => (sets, false),
            (Err(Trouble::Torn), Some(name)) => {
                let slot = self.kernel.machine().sets.get(name).cloned();
                (slot.map(|slot| (name.clone(), slot)).into_iter().collect(), true)
            }
            (Err(Trouble::Refused(refusal)), _) => return Err(refusal.code),
            (Err(trouble), _) => return Ok(Ending::Trouble(trouble, Vec::new())),
            (Ok(_), _) => return Err(Code::INVALID),
        };
        let mut datagrams = Vec::new();
        for (name, slot) in &sets {
            let parts = match &request {
                ModelRequest::Names => vec![encode::named(name)],
                ModelRequest::Dump(_) => encode::parts(name, slot, torn),
                _ => vec![encode::header(name, slot)],
            };
            datagrams.extend(parts.iter().map(|part| encode::part(message, &part.0)));
        }
        datagrams.push(encode::done(message));
        if let ModelRequest::Dump(name) = request
            && let Some(slot) = self.kernel.machine().sets.get_mut(&name)
        {
            slot.dumps += 1;
            self.holding = Some(name);
        }
        Ok(Ending::Answered(datagrams))
    }
}

impl Transport for Loopback {
    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        for message in Message::all(datagram) {
            self.take(&message);
        }
        Ok(())
    }

    fn receive(&mut self, into: &mut Vec<u8>) -> io::Result<()> {
        into.clear();
        if std::mem::take(&mut self.overrun) {
            return Err(io::Error::from_raw_os_error(ENOBUFS));
        }
        let Some(datagram) = self.answers.pop_front() else {
            self.answers.append(&mut self.late);
            return Err(io::ErrorKind::WouldBlock.into());
        };
        if self.answers.is_empty() {
            self.let_go();
        }
        into.extend_from_slice(&datagram);
        Ok(())
    }

    fn reset(&mut self) -> io::Result<()> {
        self.answers.clear();
        self.late.clear();
        self.overrun = false;
        self.let_go();
        Ok(())
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.let_go();
    }
}

fn set_name(attributes: &Attributes<'_>) -> Result<RawName, Code> {
    attributes.need(SETNAME)?.name()
}

fn both_names(attributes: &Attributes<'_>) -> Result<(RawName, RawName), Code> {
    Ok((set_name(attributes)?, attributes.need(TYPENAME_OR_SETNAME2)?.name()?))
}

fn create(message: &Message<'_>, attributes: &Attributes<'_>) -> Result<ModelRequest, Code> {
    let type_name = attributes.need(TYPENAME_OR_SETNAME2)?.name()?;
    let revision = attributes.need(REVISION)?.byte()?;
    let family = decode::family(attributes.need(FAMILY)?.byte()?).ok_or(Code::FAMILY)?;
    if type_name != RawName::from("hash:net") || revision > REVISION_MAX {
        return Err(Code::FIND_TYPE);
    }
    let described = decode::description(attributes.get(DATA))?;
    let mut set = RawSet::hash_net(family);
    set.capacity.hashsize = described.hashsize;
    set.capacity.maxelem = described.maxelem;
    set.initval = described.initval.unwrap_or(SOME_INITVAL);
    let name = set_name(attributes)?;
    Ok(ModelRequest::Create { name, set, exclusive: message.has(NLM_F_EXCL) })
}

fn versions(message: &Message<'_>) -> Vec<u8> {
    encode::answer(message, &Writer::default().byte(1, 7).byte(10, 6).0)
}

fn revisions(message: &Message<'_>, attributes: &Attributes<'_>) -> Result<Ending, Code> {
    let type_name = attributes.need(TYPENAME_OR_SETNAME2)?.name()?;
    let family = attributes.need(FAMILY)?.byte()?;
    if type_name != RawName::from("hash:net") || decode::family(family).is_none() {
        return Err(Code::FIND_TYPE);
    }
    let body = Writer::default().byte(1, 7).string(3, &type_name.0).byte(5, family);
    let body = body.byte(4, REVISION_MAX).byte(10, 0);
    Ok(Ending::Answered(vec![encode::answer(message, &body.0)]))
}

/// Where in the message the batch's own number stands.
fn echo_place(
    message: &Message<'_>,
    attributes: &Attributes<'_>,
    line: &[u8],
) -> Option<(Vec<u8>, usize)> {
    let place = attributes.get(LINENO)?.raw();
    let at = place.as_ptr().addr() - message.bytes.as_ptr().addr();
    Some((line.to_vec(), at))
}
