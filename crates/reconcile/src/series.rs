//! Many ops on one set, known before the first of them is carried out: so that
//! whoever carries them out can get the next one ready while one is under way.

use crate::members::CHUNK_MAX;
use crate::{Chunk, Members, Op, Presence, SetName, WriteOrder};

/// Adds or deletes of members of one set. Between them they hold each of the
/// members once.
#[derive(Clone, Debug)]
pub struct Series {
    set: SetName,
    members: Members,
    order: WriteOrder,
    /// What an add may find; without it, the members are deleted.
    presence: Option<Presence>,
}

impl Series {
    /// Adds the members in this order. One of others is passed over.
    pub fn add(set: &SetName, members: &Members, order: WriteOrder, presence: Presence) -> Self {
        Self::new(set, members, order, Some(presence))
    }

    /// Deletes the members in this order. One of others is passed over.
    pub fn delete(set: &SetName, members: &Members, order: WriteOrder) -> Self {
        Self::new(set, members, order, None)
    }

    fn new(
        set: &SetName,
        members: &Members,
        order: WriteOrder,
        presence: Option<Presence>,
    ) -> Self {
        let order = if order.fits(members.len()) { order } else { WriteOrder::SORTED };
        Self { set: set.clone(), members: members.clone(), order, presence }
    }

    /// How many ops there are.
    pub fn len(&self) -> usize {
        self.members.len().div_ceil(CHUNK_MAX)
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The ops from one number on, counted from 0, to the last one.
    pub fn ops(&self, from: usize) -> impl Iterator<Item = Op> + '_ {
        (from..self.len()).map(|number| {
            let set = self.set.clone();
            let chunk = Chunk::numbered(&self.members, &self.order, number);
            match self.presence {
                Some(presence) => Op::Add { set, chunk, presence },
                None => Op::Delete { set, chunk },
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use blocklist::{Family, Prefix, PrefixSet};
    use proptest::prelude::*;

    use super::*;
    use crate::SetPrefix;

    /// The members of these ops, all of which have to be of this kind.
    fn written(ops: impl Iterator<Item = Op>, presence: Option<Presence>) -> Vec<String> {
        let chunks = ops.map(|op| match (op, presence) {
            (Op::Add { chunk, presence, .. }, Some(wanted)) if presence == wanted => chunk,
            (Op::Delete { chunk, .. }, None) => chunk,
            (op, _) => panic!("{op:?}"),
        });
        chunks.flat_map(|chunk| chunk.iter().map(|it| it.to_string()).collect::<Vec<_>>()).collect()
    }

    proptest! {
        #[test]
        fn from_any_op_on_each_member_that_is_left_comes_once_in_the_order_that_was_asked_for(
            count in 0_u32..5_000,
            from in 0_usize..7,
            turn in 1_usize..40,
            presence in prop_oneof![
                Just(None),
                Just(Some(Presence::New)),
                Just(Some(Presence::Any)),
            ],
        ) {
            let members: PrefixSet<u32> = (0..count).map(Prefix::host).collect();
            let members = Members::from(members);
            let groups: Vec<_> = (0..members.len()).map(|place| u16::from(place % turn == 0)).collect();
            let order = WriteOrder::grouped(&groups);
            let set = SetPrefix::new("t-").expect("fits").live("x", Family::Ipv4).expect("fits");
            let series = Series::new(&set, &members, order.clone(), presence);
            prop_assert_eq!(series.ops(0).count(), series.len());
            let all: Vec<_> = members
                .chunks_in(order)
                .flat_map(|chunk| chunk.iter().map(|it| it.to_string()).collect::<Vec<_>>())
                .collect();
            let left = &all[all.len().min(from * CHUNK_MAX)..];
            prop_assert_eq!(written(series.ops(from), presence), left);
        }
    }

    #[test]
    fn an_order_of_other_members_is_passed_over() {
        let members: PrefixSet<u32> = (0..9).map(Prefix::host).collect();
        let set = SetPrefix::new("t-").expect("fits").live("x", Family::Ipv4).expect("fits");
        let series = Series::delete(&set, &members.into(), WriteOrder::grouped(&[1, 0]));
        let want: Vec<_> = (0..9).map(|last| format!("0.0.0.{last}")).collect();
        assert_eq!(written(series.ops(0), None), want);
    }
}
