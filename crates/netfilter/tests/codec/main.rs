//! The codec against a second one: whatever this crate writes, neli must read
//! as it was meant, and write again byte by byte; whatever the kernel wrote,
//! both must read alike. Two codecs that share no line seldom share a mistake.

mod generate;
mod intent;
mod oracle;
mod replies;
mod requests;
