//! Pictures of people (S-MEDIA-03): looked at before they are decoded, decoded within bounds, and
//! written anew, so that nothing but pixels is kept or published.
//!
//! The engine decodes nothing itself. A [`PictureJob`] is handed out with the foreign file in it, and whoever
//! runs it says how [`Pixels`] are made of that: the runtime in a process that may do nothing else
//! (S-PROC-01), a test with [`decode`]. Only pixels come back, and these are written as PNG here.

use std::fmt;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::work::{Done, WorkResult};

/// Largest file that is looked at, in bytes.
pub const LARGEST_FILE: usize = 1 << 20;

/// Largest picture that is decoded, in pixels: 16 MiB as RGBA.
const MOST_PIXELS: usize = 4 << 20;

/// Longest side before decoding, in pixels.
pub const LONGEST_SIDE: usize = 4_096;

/// Longest side of a picture in a view, in pixels.
pub(crate) const VIEW_SIDE: usize = 128;

/// Largest picture of one's own as given, in bytes (XEP-0084 advises less than 8 KiB; many servers
/// take 64 KiB).
pub(crate) const OWN_LARGEST_FILE: usize = 64 << 10;

/// Longest side of a picture of one's own, in pixels.
pub(crate) const OWN_SIDE: usize = 512;

/// Memory that the decoders may ask for besides the pixels, in bytes.
const DECODER_MEMORY: usize = 32 << 20;

/// Why a picture is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// The file is too large.
    #[error("the picture has {bytes} bytes, more than {limit}")]
    TooLarge {
        /// How large it is.
        bytes: usize,
        /// How large it may be.
        limit: usize,
    },
    /// It has too many pixels; nothing was decoded.
    #[error("the picture is {width} × {height}, more than {limit} a side or too many in all")]
    TooManyPixels {
        /// As its header says.
        width: usize,
        /// As its header says.
        height: usize,
        /// Longest side.
        limit: usize,
    },
    /// Neither PNG nor JPEG, or a kind of them that nobody uses for pictures.
    #[error("the picture has an unknown format")]
    UnknownFormat,
    /// It begins like one but does not decode.
    #[error("the picture does not decode")]
    Damaged,
    /// There is nothing that decodes.
    #[error("pictures are not decoded here")]
    NoDecoder,
}

/// A decoded picture: 8 bits a channel, RGBA, not premultiplied.
#[derive(Clone, PartialEq, Eq)]
pub struct Pixels {
    width: usize,
    height: usize,
    rgba: Vec<u8>,
}

impl Pixels {
    /// Absent when a side is zero, or there are not exactly four bytes for each pixel.
    pub fn new(width: usize, height: usize, rgba: Vec<u8>) -> Option<Self> {
        let bytes = width.checked_mul(height)?.checked_mul(4)?;
        (bytes > 0 && rgba.len() == bytes).then_some(Self {
            width,
            height,
            rgba,
        })
    }

    /// In pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// In pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Row after row, four bytes a pixel.
    pub fn rgba(&self) -> &[u8] {
        &self.rgba
    }
}

impl fmt::Debug for Pixels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pixels({} × {})", self.width, self.height)
    }
}

/// A foreign file that is to become a small PNG.
pub struct PictureJob {
    file: Vec<u8>,
    wanted: Wanted,
}

#[derive(Clone, Copy)]
enum Wanted {
    /// At most so many pixels a side.
    View(usize),
    /// To be published.
    Own,
}

impl PictureJob {
    /// A picture of somebody else, at most `side` pixels a side.
    pub(crate) fn view(file: Vec<u8>, side: usize) -> Self {
        Self {
            file,
            wanted: Wanted::View(side),
        }
    }

    /// One of one's own.
    pub(crate) fn own(file: Vec<u8>) -> Self {
        Self {
            file,
            wanted: Wanted::Own,
        }
    }

    /// The file, which nobody has looked into.
    pub fn file(&self) -> &[u8] {
        &self.file
    }

    /// The longest side that is wanted, in pixels.
    pub fn side(&self) -> usize {
        match self.wanted {
            Wanted::View(side) => side,
            Wanted::Own => OWN_SIDE,
        }
    }

    /// Writes the picture anew with what `decode` makes of a file and the longest side. Takes up to a
    /// second and what `decode` takes: not for the engine's thread.
    pub fn run(
        self,
        decode: impl FnOnce(&[u8], usize) -> Result<Pixels, PictureError>,
    ) -> WorkResult {
        WorkResult(match self.wanted {
            Wanted::View(side) => Done::Picture(reencode(&self.file, side, decode)),
            Wanted::Own => Done::OwnPicture(own(&self.file, decode)),
        })
    }
}

impl fmt::Debug for PictureJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PictureJob")
    }
}

/// Reads a foreign picture and writes it anew as PNG, at most `side` pixels a side. Its first frame
/// only, and nothing besides its pixels.
///
/// # Errors
///
/// `PictureError` as it says.
pub(crate) fn reencode(
    file: &[u8],
    side: usize,
    decode: impl FnOnce(&[u8], usize) -> Result<Pixels, PictureError>,
) -> Result<Vec<u8>, PictureError> {
    encode(&within(decode(file, side)?, side)?)
}

/// A picture of one's own as it is published.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Own {
    pub png: Vec<u8>,
    pub width: usize,
    pub height: usize,
}

/// Checks a picture of one's own and strips everything but its pixels.
///
/// # Errors
///
/// `PictureError`: not a PNG, larger than `OWN_LARGEST_FILE` or `OWN_SIDE`, or damaged.
pub(crate) fn own(
    file: &[u8],
    decode: impl FnOnce(&[u8], usize) -> Result<Pixels, PictureError>,
) -> Result<Own, PictureError> {
    if file.len() > OWN_LARGEST_FILE {
        return Err(PictureError::TooLarge {
            bytes: file.len(),
            limit: OWN_LARGEST_FILE,
        });
    }
    if !file.starts_with(PNG) {
        return Err(PictureError::UnknownFormat);
    }
    let (width, height) = png_sides(file).ok_or(PictureError::Damaged)?;
    if width > OWN_SIDE || height > OWN_SIDE {
        return Err(PictureError::TooManyPixels {
            width,
            height,
            limit: OWN_SIDE,
        });
    }
    let mut pixels = within(decode(file, OWN_SIDE)?, OWN_SIDE)?;
    // A palette or a clever packer may have made the original smaller than ours.
    for side in [OWN_SIDE, 256, 192, 128, 96] {
        pixels = shrink(pixels, side);
        let png = encode(&pixels)?;
        if png.len() <= OWN_LARGEST_FILE {
            return Ok(Own {
                png,
                width: pixels.width,
                height: pixels.height,
            });
        }
    }
    Err(PictureError::TooLarge {
        bytes: file.len(),
        limit: OWN_LARGEST_FILE,
    })
}

/// Width and height as the first chunk of a PNG says, which has its place (ISO/IEC 15948 §5.6, §11.2.2).
fn png_sides(file: &[u8]) -> Option<(usize, usize)> {
    let side = |at: usize| Some(u32::from_be_bytes(*file.get(at..)?.first_chunk()?) as usize);
    Some((side(16)?, side(20)?))
}

/// Whoever decoded may not be believed.
fn within(pixels: Pixels, side: usize) -> Result<Pixels, PictureError> {
    if pixels.width > side || pixels.height > side {
        return Err(PictureError::Damaged);
    }
    Ok(pixels)
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const JPEG: &[u8] = b"\xff\xd8\xff";

/// Decodes PNG or JPEG and makes it at most `side` pixels a side. For a process that may do nothing else, and
/// for tests.
///
/// # Errors
///
/// `PictureError` as it says.
pub fn decode(file: &[u8], side: usize) -> Result<Pixels, PictureError> {
    if file.len() > LARGEST_FILE {
        return Err(PictureError::TooLarge {
            bytes: file.len(),
            limit: LARGEST_FILE,
        });
    }
    // The decoders are free of `unsafe` on this path and fuzzed; should one panic all the same, it is
    // a damaged picture.
    let pixels = catch_unwind(AssertUnwindSafe(|| {
        if file.starts_with(PNG) {
            decode_png(file)
        } else if file.starts_with(JPEG) {
            decode_jpeg(file)
        } else {
            Err(PictureError::UnknownFormat)
        }
    }))
    .unwrap_or(Err(PictureError::Damaged))?;
    Ok(shrink(pixels, side))
}

fn check_size(width: usize, height: usize) -> Result<(), PictureError> {
    let pixels = width.saturating_mul(height);
    if width == 0 || height == 0 {
        return Err(PictureError::Damaged);
    }
    if width > LONGEST_SIDE || height > LONGEST_SIDE || pixels > MOST_PIXELS {
        return Err(PictureError::TooManyPixels {
            width,
            height,
            limit: LONGEST_SIDE,
        });
    }
    Ok(())
}

fn decode_png(file: &[u8]) -> Result<Pixels, PictureError> {
    let limits = png::Limits {
        bytes: DECODER_MEMORY,
    };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(file), limits);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(
        png::Transformations::normalize_to_color8() | png::Transformations::ALPHA,
    );
    let header = decoder
        .read_header_info()
        .map_err(|_| PictureError::Damaged)?;
    let (width, height) = (header.width as usize, header.height as usize);
    check_size(width, height)?;
    let mut reader = decoder.read_info().map_err(|_| PictureError::Damaged)?;
    let size = reader.output_buffer_size().ok_or(PictureError::Damaged)?;
    if size > MOST_PIXELS * 4 {
        return Err(PictureError::Damaged);
    }
    let mut buffer = vec![0; size];
    let frame = reader
        .next_frame(&mut buffer)
        .map_err(|_| PictureError::Damaged)?;
    buffer.truncate(frame.buffer_size());
    let rgba = match frame.color_type {
        png::ColorType::Rgba => buffer,
        png::ColorType::Rgb => expand::<3>(&buffer, |[r, g, b]| [r, g, b, 255]),
        png::ColorType::GrayscaleAlpha => expand::<2>(&buffer, |[y, a]| [y, y, y, a]),
        png::ColorType::Grayscale => expand::<1>(&buffer, |[y]| [y, y, y, 255]),
        png::ColorType::Indexed => return Err(PictureError::Damaged),
    };
    finish(width, height, rgba)
}

fn decode_jpeg(file: &[u8]) -> Result<Pixels, PictureError> {
    let options = DecoderOptions::new_safe()
        .set_max_width(LONGEST_SIDE)
        .set_max_height(LONGEST_SIDE)
        // Ten are usual; each costs a pass over the whole picture.
        .jpeg_set_max_scans(24)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(Cursor::new(file), options);
    decoder
        .decode_headers()
        .map_err(|_| PictureError::Damaged)?;
    let info = decoder.info().ok_or(PictureError::Damaged)?;
    let (width, height) = (usize::from(info.width), usize::from(info.height));
    check_size(width, height)?;
    let rgb = decoder.decode().map_err(|_| PictureError::Damaged)?;
    finish(width, height, expand::<3>(&rgb, |[r, g, b]| [r, g, b, 255]))
}

fn expand<const N: usize>(packed: &[u8], pixel: impl Fn([u8; N]) -> [u8; 4]) -> Vec<u8> {
    let (pixels, _) = packed.as_chunks::<N>();
    pixels.iter().flat_map(|p| pixel(*p)).collect()
}

fn finish(width: usize, height: usize, rgba: Vec<u8>) -> Result<Pixels, PictureError> {
    Pixels::new(width, height, rgba).ok_or(PictureError::Damaged)
}

/// Makes a picture at most `side` pixels a side by the mean of the pixels that fall together, each
/// weighted by how opaque it is. Smaller pictures stay as they are.
fn shrink(pixels: Pixels, side: usize) -> Pixels {
    let longest = pixels.width.max(pixels.height);
    if longest <= side {
        return pixels;
    }
    let width = (pixels.width * side / longest).max(1);
    let height = (pixels.height * side / longest).max(1);
    let mut rgba = Vec::with_capacity(width * height * 4);
    let (source, _) = pixels.rgba.as_chunks::<4>();
    for y in 0..height {
        let rows = y * pixels.height / height..((y + 1) * pixels.height / height).max(1);
        for x in 0..width {
            let columns = x * pixels.width / width..((x + 1) * pixels.width / width).max(1);
            let mut sum = [0_u64; 3];
            let mut alpha = 0_u64;
            let mut count = 0_u64;
            for row in rows.clone() {
                let start = row * pixels.width;
                let line = source
                    .get(start + columns.start..start + columns.end)
                    .unwrap_or(&[]);
                for [r, g, b, a] in line {
                    let weight = u64::from(*a);
                    sum[0] += u64::from(*r) * weight;
                    sum[1] += u64::from(*g) * weight;
                    sum[2] += u64::from(*b) * weight;
                    alpha += weight;
                    count += 1;
                }
            }
            let mean = |channel: u64| channel.checked_div(alpha).unwrap_or(0).min(255) as u8;
            rgba.extend(sum.map(mean));
            rgba.push(alpha.checked_div(count).unwrap_or(0).min(255) as u8);
        }
    }
    Pixels {
        width,
        height,
        rgba,
    }
}

fn encode(pixels: &Pixels) -> Result<Vec<u8>, PictureError> {
    let mut file = Vec::new();
    let (opaque, _) = pixels.rgba.as_chunks::<4>();
    let opaque = opaque.iter().all(|p| p[3] == 255);
    let mut encoder = png::Encoder::new(&mut file, pixels.width as u32, pixels.height as u32);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_color(if opaque {
        png::ColorType::Rgb
    } else {
        png::ColorType::Rgba
    });
    encoder.set_compression(png::Compression::High);
    let mut writer = encoder.write_header().map_err(|_| PictureError::Damaged)?;
    let written = if opaque {
        let (packed, _) = pixels.rgba.as_chunks::<4>();
        let rgb: Vec<u8> = packed.iter().flat_map(|p| [p[0], p[1], p[2]]).collect();
        writer.write_image_data(&rgb)
    } else {
        writer.write_image_data(&pixels.rgba)
    };
    written
        .and_then(|()| writer.finish())
        .map_err(|_| PictureError::Damaged)?;
    Ok(file)
}

#[cfg(test)]
mod tests;
