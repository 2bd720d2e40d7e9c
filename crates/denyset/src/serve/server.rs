//! The daemon's end of the control socket: who is let in, and who has to go
//! for it. The clients' sessions are tasks of their own; what they are answered
//! is not known here.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::UnixStream;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::answers::Answers;
use super::limits::{ACCEPT_PAUSE, REQUEST_TIME_MAX};
use super::pace::Pace;
use super::places::{Admission, ClientNumber, ClientPlaces, Crowd};
use super::session::{ClientCredentials, ClientVisit, turn_away};
use super::socket::Socket;

/// The places, shared with the sessions that have them. Dropping what is in
/// them tells a session to go.
type Seats = Arc<Mutex<ClientPlaces<oneshot::Sender<()>>>>;

/// Attends to clients.
#[derive(Debug)]
pub struct Server {
    socket: Socket,
    answers: Arc<Answers>,
    pub(super) patience: Duration,
}

/// The place of a session, which is free when it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Seats,
    number: ClientNumber,
}

impl Server {
    /// Those who come to `socket` are given these answers.
    pub fn new(socket: Socket, answers: Answers) -> Self {
        Self { socket, answers: Arc::new(answers), patience: REQUEST_TIME_MAX }
    }

    /// Attends to clients until the future is dropped, which ends all
    /// sessions.
    pub async fn serve(self) {
        let seats = Seats::default();
        let mut sessions = JoinSet::new();
        let mut pace = Pace::new(Instant::now());
        loop {
            let client = self.socket.listener.accept().await;
            while sessions.try_join_next().is_some() {}
            match client {
                Ok((stream, _)) => {
                    if let Some(visit) = self.let_in(stream, &seats) {
                        sessions.spawn(visit.attend());
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a client of the control socket: {error}");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
            if let Some(pause) = pace.next(Instant::now()) {
                sleep(pause).await;
            }
        }
    }

    /// A client's visit, or its dismissal.
    fn let_in(&self, stream: UnixStream, seats: &Seats) -> Option<ClientVisit> {
        let peer = ClientCredentials::of(&stream).ok()?;
        let (go, called_off) = oneshot::channel();
        let admission = lock(seats).admit(peer.uid, peer.rank(), go);
        let number = match admission {
            Admission::Enter(number) => number,
            // Dropping the sender tells the other one.
            Admission::EnterFor(number, _) => number,
            Admission::TurnedAway(Crowd::OfUser) => {
                turn_away(&stream, "the daemon has too many clients of this user at once");
                return None;
            }
            Admission::TurnedAway(Crowd::OfAll) => {
                turn_away(&stream, "the daemon has too many clients at once");
                return None;
            }
        };
        Some(ClientVisit {
            stream,
            peer,
            seat: Seat { seats: seats.clone(), number },
            called_off,
            answers: self.answers.clone(),
            patience: self.patience,
        })
    }
}

impl Seat {
    /// The request is there.
    pub(super) fn has_asked(&self) {
        lock(&self.seats).has_asked(self.number);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        lock(&self.seats).leave(self.number);
    }
}

fn lock(seats: &Seats) -> std::sync::MutexGuard<'_, ClientPlaces<oneshot::Sender<()>>> {
    seats.lock().unwrap_or_else(PoisonError::into_inner)
}
