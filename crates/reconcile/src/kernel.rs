//! The kernel as seen from here: what can be asked, what can be done, and how
//! either can fail. `Observe` alone cannot write, which is all that planning gets.

use std::fmt;
use std::ops::ControlFlow;

use blocklist::AnyPrefix;

use crate::{
    Chunk, Members, Object, Op, RuleSet, RulesFound, Series, SetHeader, SetName, SetPrefix,
    WriteOrder,
};

/// Reading the kernel's ipsets.
pub trait Observe {
    /// The headers of all sets whose names have our form, in no order. Sets
    /// with other names are passed over unread. Walks each table once.
    ///
    /// # Errors
    /// [`KernelError`]; a set that vanishes meanwhile is no error, it is
    /// left out.
    fn sets(&mut self, prefix: &SetPrefix) -> Result<Vec<SetHeader>, KernelError>;

    /// The header of one set, `None` if there is no such set. Walks the
    /// table: about 20 ns a bucket and member with a CPU's packets waiting.
    ///
    /// # Errors
    /// [`KernelError`].
    fn header(&mut self, set: &SetName) -> Result<Option<SetHeader>, KernelError>;

    /// All members of a set, checked for completeness.
    ///
    /// # Errors
    /// `NotFound`; `Changed` if what was read does not fit what the kernel
    /// counted, which happens when somebody writes meanwhile; others.
    fn members(&mut self, set: &SetName) -> Result<Members, KernelError>;

    /// Whether a set holds exactly these members: what [`Self::members`] would
    /// say, for which nothing of it need be kept in memory.
    ///
    /// # Errors
    /// As [`Self::members`], but for `Changed`: what does not fit is no.
    fn holds(&mut self, set: &SetName, members: &Members) -> Result<bool, KernelError> {
        match self.members(set) {
            Ok(found) => Ok(found == *members),
            Err(error) if error.kind == KernelErrorKind::Changed => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// How many of these members the set lacks, at about 0.5 µs each. The test
    /// is exact but for a member of full length: that counts as present while
    /// a wider member covers it, since the kernel looks it up like a packet's
    /// address.
    ///
    /// # Errors
    /// `NotFound`, others.
    fn absent(&mut self, set: &SetName, chunk: &Chunk) -> Result<usize, KernelError>;

    /// Whether a packet with this address would match the set.
    ///
    /// # Errors
    /// `NotFound`, others.
    fn matches(&mut self, set: &SetName, address: AnyPrefix) -> Result<bool, KernelError>;

    /// What stands where these rules should. A kernel that knows no rules has
    /// none.
    ///
    /// # Errors
    /// `NotFound` if a rule's set is missing, `Changed` if others change rules
    /// all the time, others.
    fn rules(&mut self, wanted: &RuleSet) -> Result<RulesFound, KernelError> {
        let none = wanted.rules().is_empty();
        Ok(if none { RulesFound::AsWanted(Vec::new()) } else { RulesFound::Absent })
    }
}

/// Changing the kernel's ipsets.
pub trait Kernel: Observe {
    /// Does one op. After `Ok` all of it has happened.
    ///
    /// # Errors
    /// [`KernelError`]; only `Unknown` leaves open whether the op happened.
    fn execute(&mut self, op: &Op) -> Result<(), KernelError>;

    /// Does the ops of a series from one number on, one after the other, each as
    /// [`Self::execute`] does it. `done` hears of every op that was done, and may
    /// end it.
    ///
    /// # Errors
    /// That of the first op that failed, which is the last one that was tried.
    fn execute_series(
        &mut self,
        series: &Series,
        from: usize,
        done: &mut dyn FnMut(&Op) -> ControlFlow<()>,
    ) -> Result<(), KernelError> {
        for op in series.ops(from) {
            self.execute(&op)?;
            if done(&op).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// In which order it takes these members fastest, or lets go of them, in a
    /// set as described. A wrong answer costs nothing but time.
    fn order(&self, _set: &SetHeader, _members: &Members) -> WriteOrder {
        WriteOrder::SORTED
    }

    /// Makes the rules of a family these and no others, in one transaction.
    /// Returns whether there was anything to do. A kernel that knows no rules
    /// cannot.
    ///
    /// # Errors
    /// [`KernelError`]; only `Unknown` and `Changed` leave open whether it
    /// happened. `Exists` if a table of our name is not ours.
    fn put_rules(&mut self, wanted: &RuleSet) -> Result<bool, KernelError> {
        if wanted.rules().is_empty() {
            return Ok(false);
        }
        Err(KernelError {
            stage: Stage::Put,
            object: Some(Object::Rules(wanted.family())),
            kind: KernelErrorKind::Unsupported,
            member: None,
            detail: String::new(),
        })
    }
}

/// A kernel by reference is a kernel.
impl<K: Observe + ?Sized> Observe for &mut K {
    fn sets(&mut self, prefix: &SetPrefix) -> Result<Vec<SetHeader>, KernelError> {
        (**self).sets(prefix)
    }
    fn header(&mut self, set: &SetName) -> Result<Option<SetHeader>, KernelError> {
        (**self).header(set)
    }
    fn members(&mut self, set: &SetName) -> Result<Members, KernelError> {
        (**self).members(set)
    }
    fn holds(&mut self, set: &SetName, members: &Members) -> Result<bool, KernelError> {
        (**self).holds(set, members)
    }
    fn absent(&mut self, set: &SetName, chunk: &Chunk) -> Result<usize, KernelError> {
        (**self).absent(set, chunk)
    }
    fn matches(&mut self, set: &SetName, address: AnyPrefix) -> Result<bool, KernelError> {
        (**self).matches(set, address)
    }
    fn rules(&mut self, wanted: &RuleSet) -> Result<RulesFound, KernelError> {
        (**self).rules(wanted)
    }
}

impl<K: Kernel + ?Sized> Kernel for &mut K {
    fn execute(&mut self, op: &Op) -> Result<(), KernelError> {
        (**self).execute(op)
    }
    fn execute_series(
        &mut self,
        series: &Series,
        from: usize,
        done: &mut dyn FnMut(&Op) -> ControlFlow<()>,
    ) -> Result<(), KernelError> {
        (**self).execute_series(series, from, done)
    }
    fn order(&self, set: &SetHeader, members: &Members) -> WriteOrder {
        (**self).order(set, members)
    }
    fn put_rules(&mut self, wanted: &RuleSet) -> Result<bool, KernelError> {
        (**self).put_rules(wanted)
    }
}

/// What the kernel did not do, at which stage, to which set, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot {stage}{}: {kind}{}{}", Subject(object.as_ref()), Culprit(*member), Detail(detail))]
pub struct KernelError {
    /// What was being done.
    pub stage: Stage,
    /// To which object, where it was one.
    pub object: Option<Object>,
    /// Why it failed, as far as a program cares.
    pub kind: KernelErrorKind,
    /// The first member that failed, where it is known.
    pub member: Option<AnyPrefix>,
    /// The kernel's own words or number, for people. May be empty.
    pub detail: String,
}

impl KernelError {
    /// An error without member and detail.
    pub fn new(stage: Stage, set: &SetName, kind: KernelErrorKind) -> Self {
        Self { stage, object: Some(set.into()), kind, member: None, detail: String::new() }
    }
}

struct Subject<'a>(Option<&'a Object>);
impl fmt::Display for Subject<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |object| write!(out, " {object}"))
    }
}

struct Culprit(Option<AnyPrefix>);
impl fmt::Display for Culprit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |member| write!(out, ", at member {member}"))
    }
}

struct Detail<'a>(&'a str);
impl fmt::Display for Detail<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(out, " ({})", self.0) }
    }
}

/// What was being done when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Opening the socket and agreeing on versions.
    Connect,
    /// Finding out which sets there are.
    List,
    /// Reading the members of a set.
    Dump,
    /// Testing members.
    Test,
    /// [`Op::Create`].
    Create,
    /// [`Op::Add`].
    Add,
    /// [`Op::Delete`].
    Delete,
    /// [`Op::Swap`].
    Swap,
    /// [`Op::Retire`].
    Retire,
    /// [`Op::Flush`].
    Flush,
    /// [`Op::Destroy`].
    Destroy,
    /// Reading back what was written.
    Verify,
    /// Making rules what they should be, in one transaction.
    Put,
    /// Taking all rules of a family away.
    Remove,
}

impl fmt::Display for Stage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Connect => "connect to ipset in the kernel",
            Self::List => "list",
            Self::Dump => "read the members of",
            Self::Test => "test members of",
            Self::Create => "create",
            Self::Add => "add to",
            Self::Delete => "delete from",
            Self::Swap => "swap",
            Self::Retire => "retire",
            Self::Flush => "flush",
            Self::Destroy => "destroy",
            Self::Verify => "verify",
            Self::Put => "put in place",
            Self::Remove => "remove",
        })
    }
}

/// Why the kernel did not do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum KernelErrorKind {
    /// There is no such set.
    #[error("no such set")]
    NotFound,
    /// The name is taken, or a member that had to be new is there.
    #[error("exists already")]
    Exists,
    /// The set is referred to, or somebody is reading it.
    #[error("busy, referred to by a rule or held by a dump")]
    Busy,
    /// The set holds no more members, or the kernel no more sets.
    #[error("full")]
    Full,
    /// The sets do not fit each other, or the set is of another type.
    #[error("the type does not fit")]
    Mismatch,
    /// What was read is not what should be there.
    #[error("somebody else changed it meanwhile")]
    Changed,
    /// `CAP_NET_ADMIN` is missing.
    #[error("not permitted, CAP_NET_ADMIN is needed")]
    Denied,
    /// The kernel lacks ipset, `hash:net` or the revision we need.
    #[error("this kernel cannot")]
    Unsupported,
    /// The kernel has no memory for it.
    #[error("out of memory")]
    Memory,
    /// No answer, or one that cannot be: it may or may not have happened.
    #[error("no usable answer from the kernel")]
    Unknown,
    /// The kernel refused the message as such, which is a defect of ours.
    #[error("the kernel refused the message")]
    Refused,
}
