//! Addresses from standard input, one a line, and what is so of each to standard
//! output, a line each: for programs that start another one and ask it so, as
//! Apache does by `prg:`. It reads the lists itself and follows them.

use std::io::{self, BufRead as _, Write as _};
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::thread;
use std::time::SystemTime;

use super::limits::{LINE_BYTES_MAX, LINES_LOOK};
use super::lists::{AddressStanding, Folder, Knowledge};
use super::settings::GatewaySettings;

/// Answers until standard input ends: `listed` and the name of the list,
/// `unlisted`, or `unknown` and why. Nothing else is ever said, and each line
/// gets one at once.
///
/// # Errors
/// If input or output break off.
pub(crate) fn answer_lines(settings: &GatewaySettings) -> io::Result<()> {
    let mut folder = Folder::new(settings.daemon.lists_dir.clone());
    let known = Arc::new(RwLock::new(Arc::new(folder.look().unwrap_or_default())));
    let shared = known.clone();
    // It ends with the process.
    thread::Builder::new().name("lists".to_owned()).spawn(move || {
        loop {
            thread::sleep(LINES_LOOK);
            if let Some(news) = folder.look() {
                *shared.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(news);
            }
        }
    })?;
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let mut line = Vec::new();
    while next(&mut input, &mut line)? {
        let known = known.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut said = say(&known, &line, settings);
        said.push('\n');
        output.write_all(said.as_bytes())?;
        output.flush()?;
    }
    Ok(())
}

/// The next line; of one that is too long the beginning. Whether there is one.
fn next(input: &mut io::StdinLock<'_>, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(!line.is_empty());
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let piece = &buffer[..end.unwrap_or(buffer.len())];
        let room = LINE_BYTES_MAX.saturating_sub(line.len()).min(piece.len());
        line.extend_from_slice(&piece[..room]);
        let read = piece.len() + usize::from(end.is_some());
        input.consume(read);
        if end.is_some() {
            return Ok(true);
        }
    }
}

fn say(known: &Knowledge, line: &[u8], settings: &GatewaySettings) -> String {
    let address = str::from_utf8(line).ok().and_then(|text| text.trim().parse::<IpAddr>().ok());
    let Some(address) = address else { return "unknown: no address".to_owned() };
    match known.standing(address, &settings.check.lists, settings.check.oldest(SystemTime::now())) {
        AddressStanding::Listed(list) => format!("listed {}", list.name),
        AddressStanding::Unlisted => "unlisted".to_owned(),
        AddressStanding::Unknown(gap) => format!("unknown: {gap}"),
    }
}
