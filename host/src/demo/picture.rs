//! Small pictures, drawn by formula.

use std::iter;

/// Points in a row.
const WIDTH: u32 = 320;
/// Rows.
const HEIGHT: u32 = 200;

/// A colour: red, green, blue.
pub(super) type Colour = [u8; 3];

/// A PNG that runs from one colour in the top left to another in the bottom right.
pub(super) fn png(from: Colour, to: Colour) -> Vec<u8> {
    // One byte for each point, which the palette turns into a colour; each row begins with its filter, none.
    let rows = (0..HEIGHT).flat_map(|y| {
        let points = (0..WIDTH).map(move |x| shade(x, y));
        iter::once(0).chain(points)
    });
    let palette: Vec<u8> = (0..=255).flat_map(|shade| mix(from, to, shade)).collect();
    let mut header = [WIDTH.to_be_bytes(), HEIGHT.to_be_bytes()].concat();
    // 8 bits a point, from a palette; deflate, adaptive filters, not interlaced.
    header.extend([8, 3, 0, 0, 0]);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in [
        (b"IHDR", header),
        (b"PLTE", palette),
        (b"IDAT", zlib(&rows.collect::<Vec<u8>>())),
        (b"IEND", Vec::new()),
    ] {
        file.extend(chunk(kind, &data));
    }
    file
}

/// An SVG of circles between two colours.
pub(super) fn svg(from: Colour, to: Colour) -> String {
    let circles: String = (0..8)
        .map(|ring: u8| {
            let [red, green, blue] = mix(from, to, ring * 36);
            let radius = 96 - u32::from(ring) * 12;
            format!("  <circle cx=\"100\" cy=\"100\" r=\"{radius}\" fill=\"rgb({red},{green},{blue})\"/>\n")
        })
        .collect();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"200\" height=\"200\" viewBox=\"0 0 200 200\">\n{circles}</svg>\n"
    )
}

/// How far a point is on the way from corner to corner, with a slow wave in it.
fn shade(x: u32, y: u32) -> u8 {
    let (x, y) = (
        f64::from(x) / f64::from(WIDTH),
        f64::from(y) / f64::from(HEIGHT),
    );
    let wave = ((x * 9.0).sin() + (y * 7.0).cos()) / 20.0;
    (((x + y) / 2.0 + wave).clamp(0.0, 1.0) * 255.0) as u8
}

fn mix(from: Colour, to: Colour, share: u8) -> Colour {
    let mut mixed = from;
    for (mixed, to) in mixed.iter_mut().zip(to) {
        let sum = u32::from(*mixed) * (255 - u32::from(share)) + u32::from(to) * u32::from(share);
        *mixed = u8::try_from(sum / 255).unwrap_or(u8::MAX);
    }
    mixed
}

/// A PNG chunk: length, kind, data, and the CRC-32 of kind and data.
fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap_or_default();
    let body = [kind, data].concat();
    let crc = crc32(&body);
    [&length.to_be_bytes(), &body[..], &crc.to_be_bytes()].concat()
}

/// A zlib stream (RFC 1950) of stored blocks: nothing is compressed, so nothing need compress.
fn zlib(data: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    let mut blocks = data.chunks(usize::from(u16::MAX)).peekable();
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).unwrap_or_default();
        stream.push(u8::from(blocks.peek().is_none()));
        stream.extend(length.to_le_bytes());
        stream.extend((!length).to_le_bytes());
        stream.extend(block);
    }
    stream.extend(adler32(data).to_be_bytes());
    stream
}

fn adler32(data: &[u8]) -> u32 {
    let (low, high) = data.iter().fold((1, 0), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % 65_521;
        (low, (high + low) % 65_521)
    });
    high << 16 | low
}

fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums() {
        // The check values of the two algorithms.
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(adler32(b"Wikipedia"), 0x11E6_0398);
    }

    #[test]
    fn a_picture_has_the_parts_of_a_png() {
        let file = png([0, 0, 0], [255, 255, 255]);
        assert!(file.starts_with(b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR"));
        assert!(file.ends_with(b"IEND\xae\x42\x60\x82"));
        assert!(file.len() < 70_000);
    }

    #[test]
    fn stored_blocks_hold_all_bytes() {
        let data = vec![9; 70_000];
        let stream = zlib(&data);
        assert_eq!(stream.len(), 2 + 5 + 65_535 + 5 + (70_000 - 65_535) + 4);
        assert_eq!(stream[2..7], [0, 0xFF, 0xFF, 0, 0]);
        assert_eq!(stream[2 + 5 + 65_535], 1);
    }
}
