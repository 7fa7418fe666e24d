//! A picture of the person's own, made small: square, at most 192 pixels wide, without what the camera wrote into it.

use std::path::Path;

use base64::Engine as _;
use slint::Image;

/// A photo from a camera is smaller; anything larger is a mistake.
const LARGEST_FILE: u64 = 10 * 1024 * 1024;

/// What the api takes, in bytes.
const LARGEST_PNG: usize = 64 * 1024;

/// Reads a PNG or JPEG file and returns it as a small PNG in base64; `None` when it is no such picture.
pub(super) fn read(path: &Path) -> Option<String> {
    let size = std::fs::metadata(path)
        .ok()
        .filter(std::fs::Metadata::is_file)?
        .len();
    if size > LARGEST_FILE {
        return None;
    }
    let pixels = Image::load_from_path(path).ok()?.to_rgba8()?;
    let (width, height) = (pixels.width() as usize, pixels.height() as usize);
    let bytes = pixels.as_bytes();
    [192, 160, 128, 96, 64].into_iter().find_map(|side| {
        let png = encode(&shrink(bytes, width, height, side)?, side)?;
        (png.len() <= LARGEST_PNG).then(|| base64::engine::general_purpose::STANDARD.encode(png))
    })
}

/// The square in the middle, averaged down (or repeated up) to `side` × `side`; RGBA, four bytes a pixel.
fn shrink(bytes: &[u8], width: usize, height: usize, side: usize) -> Option<Vec<u8>> {
    let square = width.min(height);
    if square == 0 {
        return None;
    }
    let (left, top) = ((width - square) / 2, (height - square) / 2);
    let mut out = Vec::with_capacity(side * side * 4);
    for y in 0..side {
        let rows = y * square / side..((y + 1) * square).div_ceil(side);
        for x in 0..side {
            let columns = x * square / side..((x + 1) * square).div_ceil(side);
            let mut sum = [0usize; 4];
            let mut count = 0usize;
            for row in rows.clone() {
                for column in columns.clone() {
                    let at = ((top + row) * width + left + column) * 4;
                    for (total, byte) in sum.iter_mut().zip(bytes.get(at..at + 4)?) {
                        *total += usize::from(*byte);
                    }
                    count += 1;
                }
            }
            out.extend(sum.map(|total| u8::try_from(total / count.max(1)).unwrap_or(u8::MAX)));
        }
    }
    Some(out)
}

fn encode(pixels: &[u8], side: usize) -> Option<Vec<u8>> {
    let side = u32::try_from(side).ok()?;
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, side, side);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header().ok()?.write_image_data(pixels).ok()?;
    Some(png)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_square_is_averaged() {
        // Four columns, two rows; only the two columns in the middle count.
        let line: Vec<u8> = [[9u8; 4], [10; 4], [20; 4], [99; 4]].concat();
        let bytes = [line.clone(), line].concat();
        assert_eq!(shrink(&bytes, 4, 2, 1), Some(vec![15; 4]));
        assert_eq!(
            shrink(&bytes, 4, 2, 2),
            Some([[10u8; 4], [20; 4], [10; 4], [20; 4]].concat())
        );
        assert_eq!(shrink(&[], 0, 0, 64), None);
    }

    #[test]
    fn a_file_that_is_no_picture_is_refused() {
        assert_eq!(read(Path::new("Cargo.toml")), None);
        assert_eq!(read(Path::new("/nonexistent.png")), None);
    }
}
