//! Tickets: by which an answer names the question that it answers. One to
//! another question than the present one is dropped.

/// The number of one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

/// Gives out tickets, each once.
#[derive(Clone, Debug, Default)]
pub struct Tickets(u64);

impl Tickets {
    /// A ticket that nobody has had.
    pub fn draw(&mut self) -> Ticket {
        self.0 += 1;
        Ticket(self.0)
    }
}
