use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::*;

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the folder is part of the crate")
        .map(|entry| entry.expect("it reads").path())
        .filter(|path| path.extension().is_some_and(|e| e == "png" || e == "jpg"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

fn reencode(file: &[u8], side: usize) -> Result<Vec<u8>, PictureError> {
    super::reencode(file, side, decode)
}

fn own(file: &[u8]) -> Result<Own, PictureError> {
    super::own(file, decode)
}

fn size(png: &[u8]) -> (usize, usize) {
    let pixels = decode(png, LONGEST_SIDE).expect("what we wrote decodes");
    (pixels.width, pixels.height)
}

/// A PNG whose header claims a size, with nothing behind it.
fn header(width: u32, height: u32) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgba);
    let writer = encoder.write_header().expect("a header is written");
    drop(writer);
    file
}

fn plain(width: usize, height: usize, pixel: [u8; 4]) -> Pixels {
    Pixels {
        width,
        height,
        rgba: pixel.repeat(width * height),
    }
}

#[test]
fn s_media_03_every_kind_of_png_is_read_and_written_anew() {
    for file in files("pngsuite/ok") {
        let bytes = std::fs::read(&file).expect("it reads");
        let png = reencode(&bytes, VIEW_SIDE).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let (width, height) = size(&png);
        assert!(width <= VIEW_SIDE && height <= VIEW_SIDE);
    }
}

#[test]
fn s_media_01_pictures_made_to_crash_end_within_a_second() {
    for file in files("pngsuite/crashers") {
        let bytes = std::fs::read(&file).expect("it reads");
        let start = Instant::now();
        let _ = reencode(&bytes, VIEW_SIDE);
        assert!(
            start.elapsed() < Duration::from_secs(1),
            "{}",
            file.display()
        );
    }
}

#[test]
fn s_media_03_jpeg_of_all_common_kinds_is_read() {
    for file in files("pictures") {
        let bytes = std::fs::read(&file).expect("it reads");
        let png = reencode(&bytes, VIEW_SIDE).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        assert_eq!(size(&png), (128, 64), "{}", file.display());
        assert!(!png.windows(4).any(|w| w == b"Exif"));
    }
}

#[test]
fn s_media_03_a_size_is_refused_before_anything_is_decoded() {
    let start = Instant::now();
    for (width, height) in [
        (100_000, 100_000),
        (4_097, 1),
        (1, 4_097),
        (4_096, 4_096),
        (65_535, 65_535),
    ] {
        assert!(matches!(
            reencode(&header(width, height), VIEW_SIDE),
            Err(PictureError::TooManyPixels { .. })
        ));
    }
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[test]
fn s_media_03_too_many_bytes_and_other_formats_are_refused() {
    let mut large = PNG.to_vec();
    large.resize(LARGEST_FILE + 1, 0);
    assert!(matches!(
        reencode(&large, VIEW_SIDE),
        Err(PictureError::TooLarge { .. })
    ));
    for other in [
        &b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>"[..],
        b"GIF89a",
        b"RIFF\0\0\0\0WEBP",
        b"BM",
        b"",
        b"\x89PNG",
    ] {
        assert_eq!(reencode(other, VIEW_SIDE), Err(PictureError::UnknownFormat));
    }
}

#[test]
fn a_cut_or_changed_file_is_damaged_and_never_panics() {
    let whole = encode(&plain(64, 64, [10, 20, 30, 255])).expect("it encodes");
    for cut in (8..whole.len()).step_by(5) {
        let _ = reencode(&whole[..cut], VIEW_SIDE);
    }
    for place in (8..whole.len()).step_by(5) {
        let mut changed = whole.clone();
        changed[place] ^= 0xff;
        let _ = reencode(&changed, VIEW_SIDE);
    }
    if let Some(file) = files("pictures").first() {
        let whole = std::fs::read(file).expect("it reads");
        for place in (0..whole.len()).step_by(31) {
            let mut changed = whole.clone();
            changed[place] ^= 0x55;
            let _ = reencode(&changed, VIEW_SIDE);
            let _ = reencode(&whole[..place], VIEW_SIDE);
        }
    }
}

#[test]
fn shrinking_keeps_the_shape_and_the_colour() {
    let small = shrink(plain(1_000, 500, [10, 20, 30, 255]), VIEW_SIDE);
    assert_eq!((small.width, small.height), (128, 64));
    assert_eq!(&small.rgba[..4], [10, 20, 30, 255]);
    let thin = shrink(plain(4_000, 1, [1, 2, 3, 255]), VIEW_SIDE);
    assert_eq!((thin.width, thin.height), (128, 1));
    // What is clear has no colour of its own to give.
    let mut half = plain(256, 1, [200, 0, 0, 255]);
    for pixel in half.rgba.chunks_exact_mut(8) {
        pixel[..4].copy_from_slice(&[0, 0, 0, 0]);
    }
    let half = shrink(half, VIEW_SIDE);
    assert_eq!(&half.rgba[..4], [200, 0, 0, 127]);
}

#[test]
fn a_small_picture_stays_as_large_as_it_is() {
    let png = encode(&plain(20, 30, [1, 2, 3, 128])).expect("it encodes");
    assert_eq!(
        size(&reencode(&png, VIEW_SIDE).expect("it is fine")),
        (20, 30)
    );
}

#[test]
fn s_media_03_ones_own_picture_is_a_small_png_and_loses_what_is_not_pixels() {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 8, 8);
    encoder.set_color(png::ColorType::Rgb);
    encoder
        .add_text_chunk("Comment".into(), "canary: taken at home".into())
        .expect("a text is added");
    let mut writer = encoder.write_header().expect("a header is written");
    writer
        .write_image_data(&[7; 8 * 8 * 3])
        .expect("pixels are written");
    writer.finish().expect("it ends");
    let published = own(&file).expect("it is fine");
    assert_eq!((published.width, published.height), (8, 8));
    assert!(!published.png.windows(6).any(|w| w == b"canary"));

    assert_eq!(own(b"\xff\xd8\xff"), Err(PictureError::UnknownFormat));
    let wide = encode(&plain(513, 2, [0, 0, 0, 255])).expect("it encodes");
    assert!(matches!(
        own(&wide),
        Err(PictureError::TooManyPixels { limit: 512, .. })
    ));
    assert!(matches!(
        own(&vec![0; OWN_LARGEST_FILE + 1]),
        Err(PictureError::TooLarge { .. })
    ));
}

#[test]
fn s_proc_01_what_a_decoder_answers_is_not_believed() {
    let png = encode(&plain(20, 30, [1, 2, 3, 128])).expect("it encodes");
    for (width, height) in [(129, 1), (1, 129), (4_000, 4_000)] {
        let lying = |_: &[u8], _: usize| Ok(plain(width, height, [0; 4]));
        assert_eq!(
            super::reencode(&png, VIEW_SIDE, lying),
            Err(PictureError::Damaged)
        );
    }
    let lying = |_: &[u8], _: usize| Ok(plain(513, 2, [0; 4]));
    assert_eq!(super::own(&png, lying), Err(PictureError::Damaged));
    for (width, height, bytes) in [
        (0, 1, 0),
        (1, 0, 0),
        (1, 1, 3),
        (2, 1, 4),
        (usize::MAX, 2, 8),
    ] {
        assert_eq!(Pixels::new(width, height, vec![0; bytes]), None);
    }
}
