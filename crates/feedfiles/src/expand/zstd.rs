//! The frames of a zstd file one after the other (RFC 8878, section 3), with
//! their checksums, which the decoder computes and does not compare.

use std::io::{self, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

use crate::limits::DECODER_BYTES_MAX;

/// Magic number and length of a frame that is skipped.
const SKIPPED_HEADER_BYTES: usize = 8;

/// What is in all frames.
pub(super) struct Frames<'a> {
    rest: &'a [u8],
    frame: Option<StreamingDecoder<&'a [u8], FrameDecoder>>,
}

impl<'a> Frames<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, frame: None }
    }

    /// Begins the next frame, or skips it.
    fn begin(&mut self) -> io::Result<()> {
        match StreamingDecoder::new_with_max_window_size(self.rest, DECODER_BYTES_MAX) {
            Ok(frame) => self.frame = Some(frame),
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length,
                ..
            })) => {
                let end = usize::try_from(length).ok();
                let end = end.and_then(|length| length.checked_add(SKIPPED_HEADER_BYTES));
                let rest = end.and_then(|end| self.rest.get(end..));
                self.rest = rest.ok_or(io::ErrorKind::UnexpectedEof)?;
            }
            Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
        }
        Ok(())
    }
}

impl Read for Frames<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(mut frame) = self.frame.take() {
                let read = frame.read(into)?;
                if read > 0 {
                    self.frame = Some(frame);
                    return Ok(read);
                }
                let (rest, decoder) = frame.into_parts();
                let promised = decoder.get_checksum_from_data();
                if promised.is_some() && promised != decoder.get_calculated_checksum() {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "a wrong checksum"));
                }
                self.rest = rest;
            }
            if self.rest.is_empty() {
                return Ok(0);
            }
            self.begin()?;
        }
    }
}
