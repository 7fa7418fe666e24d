use std::collections::HashMap;

use base64::Engine as _;
use slint::Image;

/// Wider or higher than this is not a picture of a person but an attempt to fill the memory.
const LARGEST: u32 = 1024;

/// Pictures of people, by hash; each is asked for once.
#[derive(Default)]
pub struct Pictures {
    known: HashMap<String, Option<Image>>,
}

impl Pictures {
    /// The picture, if it is here; `Err` when it must be asked for (said once).
    pub fn get(&mut self, hash: &str) -> Result<Option<Image>, ()> {
        match self.known.get(hash) {
            Some(picture) => Ok(picture.clone()),
            None => {
                self.known.insert(hash.to_owned(), None);
                Err(())
            }
        }
    }

    /// Takes the picture that was asked for; whether there is something to show.
    pub fn put(&mut self, hash: String, base64: Option<&str>) -> bool {
        let picture = base64.and_then(decode);
        let some = picture.is_some();
        self.known.insert(hash, picture);
        some
    }
}

/// Decodes PNG or JPEG in base64, if its header promises a sane size.
pub fn decode(base64: &str) -> Option<Image> {
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(base64)
        .ok()?;
    let (format, width, height) = size(&bytes)?;
    if width == 0 || height == 0 || width > LARGEST || height > LARGEST {
        return None;
    }
    Image::load_from_data(&bytes, Some(format)).ok()
}

/// Format and size as the header says, without decoding anything.
fn size(bytes: &[u8]) -> Option<(&'static str, u32, u32)> {
    let be32 = |at: usize| Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?));
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some(("png", be32(16)?, be32(20)?));
    }
    if !bytes.starts_with(&[0xff, 0xd8]) {
        return None;
    }
    let mut at = 2;
    loop {
        let &[mark, kind, high, low] = bytes.get(at..)?.first_chunk()?;
        if mark != 0xff {
            return None;
        }
        // Start of frame, all variants; C4, C8 and CC are something else (ITU T.81 table B.1).
        if matches!(kind, 0xc0..=0xcf) && !matches!(kind, 0xc4 | 0xc8 | 0xcc) {
            let &[h1, h0, w1, w0] = bytes.get(at + 5..)?.first_chunk()?;
            return Some((
                "jpg",
                u32::from(u16::from_be_bytes([w1, w0])),
                u32::from(u16::from_be_bytes([h1, h0])),
            ));
        }
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes
    }

    #[test]
    fn the_size_is_read_from_the_header() {
        assert_eq!(size(&png(64, 48)), Some(("png", 64, 48)));
        let jpeg = [
            0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0, 0xff, 0xc0, 0, 11, 8, 0, 48, 0, 64, 3,
        ];
        assert_eq!(size(&jpeg), Some(("jpg", 64, 48)));
    }

    #[test]
    fn a_picture_that_would_fill_the_memory_is_not_decoded() {
        let base64 = base64::engine::general_purpose::STANDARD.encode(png(60_000, 60_000));
        assert!(decode(&base64).is_none());
    }

    #[test]
    fn bytes_that_end_too_early_are_no_picture() {
        let whole = [
            0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0, 0xff, 0xc0, 0, 11, 8, 0, 48, 0,
        ];
        for end in 0..whole.len() {
            assert_eq!(size(&whole[..end]), None);
            assert_eq!(size(&png(1, 1)[..end]), None);
        }
    }
}
