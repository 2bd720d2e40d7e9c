//! Who may be a client of the control socket at the same time as who else.
//! Counting and choosing only: neither sockets nor clocks are known here.
//!
//! * Root and the daemon's own user have places that nobody else can take.
//! * One of the others has so many places at the most, and when all of theirs
//!   are taken, whoever has most of them gives one to whoever has fewer.
//! * Who has a place and has not asked yet is the first to go.

use std::collections::BTreeMap;

use super::limits::{KEPT_PLACES, PLACES_PER_USER, SHARED_PLACES};

/// What a client is to the daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// Root, or the user that the daemon runs as.
    Owner,
    /// Anybody else whom the permissions of the socket let in.
    Other,
}

/// The number of a client, in the order of coming.
pub(super) type ClientNumber = u64;

/// What becomes of somebody who knocks.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admission<T> {
    /// There is a place.
    Enter(ClientNumber),
    /// There is one because somebody else has to go, who is told by this.
    EnterFor(ClientNumber, T),
    /// There is none.
    TurnedAway(Crowd),
}

/// Of whom there are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Crowd {
    /// Clients of this one user.
    OfUser,
    /// Clients of all users.
    OfAll,
}

/// The places. `T` is what tells a client to go.
#[derive(Debug)]
pub(super) struct ClientPlaces<T> {
    last: ClientNumber,
    taken: BTreeMap<ClientNumber, Occupied<T>>,
}

#[derive(Debug)]
struct Occupied<T> {
    uid: u32,
    rank: Rank,
    /// Its request is there.
    has_asked: bool,
    go: T,
}

impl<T> Default for ClientPlaces<T> {
    fn default() -> Self {
        Self { last: 0, taken: BTreeMap::new() }
    }
}

impl<T> ClientPlaces<T> {
    /// Lets a client in, or not.
    pub(super) fn admit(&mut self, uid: u32, rank: Rank, go: T) -> Admission<T> {
        let leaver = match self.room(uid, rank) {
            Room::Free => None,
            Room::InPlaceOf(number) => self.taken.remove(&number),
            Room::None(crowd) => return Admission::TurnedAway(crowd),
        };
        self.last += 1;
        self.taken.insert(self.last, Occupied { uid, rank, has_asked: false, go });
        match leaver {
            None => Admission::Enter(self.last),
            Some(leaver) => Admission::EnterFor(self.last, leaver.go),
        }
    }

    /// Notes that the request of a client is there.
    pub(super) fn has_asked(&mut self, number: ClientNumber) {
        if let Some(taken) = self.taken.get_mut(&number) {
            taken.has_asked = true;
        }
    }

    /// Frees a place, if that has not happened.
    pub(super) fn leave(&mut self, number: ClientNumber) {
        self.taken.remove(&number);
    }

    fn room(&self, uid: u32, rank: Rank) -> Room {
        let of_rank = || self.taken.iter().filter(|(_, taken)| taken.rank == rank);
        let of_user = |uid| of_rank().filter(move |(_, taken)| taken.uid == uid);
        let places = match rank {
            Rank::Owner => KEPT_PLACES,
            Rank::Other => SHARED_PLACES,
        };
        let own = of_user(uid).count();
        if rank == Rank::Other && own >= PLACES_PER_USER {
            return idle(of_user(uid)).map_or(Room::None(Crowd::OfUser), Room::InPlaceOf);
        }
        if of_rank().count() < places {
            return Room::Free;
        }
        let mut counts = BTreeMap::<u32, usize>::new();
        for (_, taken) in of_rank() {
            *counts.entry(taken.uid).or_default() += 1;
        }
        let most = counts.into_iter().max_by_key(|(_, count)| *count);
        let leaver = most.and_then(|(most, count)| match () {
            // With one place less it still has no fewer than the newcomer.
            () if count >= own + 2 => {
                idle(of_user(most)).or_else(|| of_user(most).next().map(|(&number, _)| number))
            }
            () => idle(of_user(uid)),
        });
        leaver.map_or(Room::None(Crowd::OfAll), Room::InPlaceOf)
    }
}

enum Room {
    Free,
    InPlaceOf(ClientNumber),
    None(Crowd),
}

/// The first who has not asked yet.
fn idle<'a, T: 'a>(
    mut taken: impl Iterator<Item = (&'a ClientNumber, &'a Occupied<T>)>,
) -> Option<ClientNumber> {
    taken.find(|(_, taken)| !taken.has_asked).map(|(&number, _)| number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMBER: u32 = 1000;

    /// What becomes of the clients of these users, one after the other: whoever
    /// had to go is named by what number it had.
    fn check(
        places: &mut ClientPlaces<ClientNumber>,
        uid: u32,
        want: &Admission<ClientNumber>,
    ) -> ClientNumber {
        let rank = if uid == 0 { Rank::Owner } else { Rank::Other };
        let number = places.last + 1;
        assert_eq!(places.admit(uid, rank, number), *want, "user {uid}");
        number
    }

    fn enter(places: &mut ClientPlaces<ClientNumber>, uid: u32) -> ClientNumber {
        let number = places.last + 1;
        check(places, uid, &Admission::Enter(number))
    }

    fn enter_and_ask(places: &mut ClientPlaces<ClientNumber>, uid: u32) -> ClientNumber {
        let number = enter(places, uid);
        places.has_asked(number);
        number
    }

    #[test]
    fn one_user_cannot_take_the_places_of_another() {
        let mut places = ClientPlaces::default();
        for _ in 0..PLACES_PER_USER {
            enter_and_ask(&mut places, MEMBER);
        }
        for _ in 0..1_000 {
            check(&mut places, MEMBER, &Admission::TurnedAway(Crowd::OfUser));
        }
        enter(&mut places, MEMBER + 1);
        for _ in 0..KEPT_PLACES {
            enter_and_ask(&mut places, 0);
        }
        check(&mut places, 0, &Admission::TurnedAway(Crowd::OfAll));
    }

    #[test]
    fn who_has_not_asked_goes_first_and_the_oldest_of_them() {
        let mut places = ClientPlaces::default();
        for _ in 0..PLACES_PER_USER - 2 {
            enter_and_ask(&mut places, MEMBER);
        }
        let (first, second) = (enter(&mut places, MEMBER), enter(&mut places, MEMBER));
        let third = second + 1;
        check(&mut places, MEMBER, &Admission::EnterFor(third, first));
        places.has_asked(second);
        check(&mut places, MEMBER, &Admission::EnterFor(third + 1, third));
    }

    #[test]
    fn who_has_most_gives_to_who_has_fewer() {
        let mut places = ClientPlaces::default();
        let users = SHARED_PLACES / PLACES_PER_USER;
        for user in 0..users {
            for _ in 0..PLACES_PER_USER {
                enter_and_ask(&mut places, MEMBER + u32::try_from(user).expect("few"));
            }
        }
        let late = MEMBER + 100;
        // Each takes one from some user, the one that has been there longest.
        for _ in 0..PLACES_PER_USER / 2 {
            let rank = Rank::Other;
            let number = places.last + 1;
            let admission = places.admit(late, rank, number);
            assert!(matches!(admission, Admission::EnterFor(..)), "{admission:?}");
            places.has_asked(number);
        }
        let total = places.taken.len();
        assert_eq!(total, SHARED_PLACES);
        let fewest = (0..users).map(|user| {
            let uid = MEMBER + u32::try_from(user).expect("few");
            places.taken.values().filter(|taken| taken.uid == uid).count()
        });
        assert!(fewest.min().expect("there are users") >= PLACES_PER_USER - 3);
    }

    #[test]
    fn a_place_that_is_left_is_free() {
        let mut places = ClientPlaces::default();
        let numbers: Vec<_> =
            (0..PLACES_PER_USER).map(|_| enter_and_ask(&mut places, MEMBER)).collect();
        check(&mut places, MEMBER, &Admission::TurnedAway(Crowd::OfUser));
        for number in numbers {
            places.leave(number);
        }
        enter(&mut places, MEMBER);
    }
}
