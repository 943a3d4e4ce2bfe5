//! Small files that ask a codec for much memory, written byte by byte.
//!
//! It needs nothing but the standard library: the tests through SQL build the same files from it.

/// A TIFF with one directory, little-endian: tag, type (1, 3 or 4) and values of each entry. The pixels begin at byte 8.
pub fn tiff(entries: &[(u16, u16, &[u32])], pixels: &[u8]) -> Vec<u8> {
    let mut file = b"II*\0\0\0\0\0".to_vec();
    file.extend(pixels);
    let mut directory = (entries.len() as u16).to_le_bytes().to_vec();
    for &(tag, kind, values) in entries {
        let size = [0, 1, 0, 2, 4][usize::from(kind)];
        let mut bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()[..size].to_vec()).collect();
        if bytes.len() > 4 {
            let at = file.len() as u32;
            file.extend(&bytes);
            bytes = at.to_le_bytes().to_vec();
        }
        bytes.resize(4, 0);
        directory.extend([tag.to_le_bytes(), kind.to_le_bytes()].concat());
        directory.extend((values.len() as u32).to_le_bytes());
        directory.extend(bytes);
    }
    let at = file.len() as u32;
    file[4..8].copy_from_slice(&at.to_le_bytes());
    file.extend(directory);
    file.extend([0; 4]);
    file
}

/// 4 x 4 pixels in one tile of 4,294,967,295 x 16, with a channel that is dropped: a row of the tile takes 34 GB.
pub fn tiff_tile() -> Vec<u8> {
    let tags: [(u16, u16, &[u32]); 12] = [
        (256, 3, &[4]),
        (257, 3, &[4]),
        (258, 3, &[16, 16, 16, 16]),
        (259, 3, &[1]),
        (262, 3, &[2]),
        (277, 3, &[4]),
        (284, 3, &[1]),
        (322, 4, &[u32::MAX]),
        (323, 4, &[16]),
        (324, 4, &[8]),
        (325, 4, &[4096]),
        (338, 3, &[0]),
    ];
    tiff(&tags, &[0; 4096])
}

/// One pixel, and 8 million offsets of strips: the list takes 32 bytes for each.
pub fn tiff_list() -> Vec<u8> {
    let offsets = vec![8; 8_000_000];
    let tags: [(u16, u16, &[u32]); 8] = [
        (256, 3, &[1]),
        (257, 3, &[1]),
        (258, 3, &[8]),
        (259, 3, &[1]),
        (262, 3, &[1]),
        (273, 1, &offsets),
        (277, 3, &[1]),
        (279, 1, &[1]),
    ];
    tiff(&tags, &[0; 8])
}

/// A WebP file of these chunks.
pub fn webp(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut body = b"WEBP".to_vec();
    for (kind, content) in chunks {
        body.extend(*kind);
        body.extend((content.len() as u32).to_le_bytes());
        body.extend(*content);
        body.resize(body.len().next_multiple_of(2), 0);
    }
    [b"RIFF", &(body.len() as u32).to_le_bytes()[..], &body].concat()
}

/// The chunk that makes a WebP an extended one: what is in it, and the sides of its canvas.
pub fn canvas(flags: u8, width: u32, height: u32) -> Vec<u8> {
    [&[flags, 0, 0, 0][..], &(width - 1).to_le_bytes()[..3], &(height - 1).to_le_bytes()[..3]].concat()
}

/// A lossy picture for a chunk `VP8 `: all zeros, which is one colour; `bytes` of them.
pub fn lossy(width: u32, height: u32, bytes: usize) -> Vec<u8> {
    let first = (bytes / 2).min(0x7_ffff);
    let mut picture = ((first as u32) << 5 | 1 << 4).to_le_bytes()[..3].to_vec();
    picture.extend([0x9d, 0x01, 0x2a]);
    picture.extend([(width as u16).to_le_bytes(), (height as u16).to_le_bytes()].concat());
    picture.resize(10 + bytes, 0);
    picture
}

/// A canvas of one pixel, with a picture of 16,383 x 16,383.
pub fn webp_canvas() -> Vec<u8> {
    webp(&[(b"VP8X", &canvas(0, 1, 1)), (b"VP8 ", &lossy(16_383, 16_383, 4_000_000))])
}

/// Bits from the lowest of each byte on.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    count: usize,
}

impl Bits {
    fn put(&mut self, value: u32, count: usize) {
        for at in 0..count {
            if self.count.is_multiple_of(8) {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((value >> at & 1) as u8) << (self.count % 8);
            }
            self.count += 1;
        }
    }

    /// A Huffman code's bits: the highest comes first.
    fn put_code(&mut self, code: u32, count: usize) {
        for at in (0..count).rev() {
            self.put(code >> at & 1, 1);
        }
    }
}

/// A lossless picture for a chunk `VP8L`: 4 x 4 pixels of one block, whose number says that there are `groups` groups
/// of codes. Each group takes 58 bytes here and 20 KB in the decoder: eleven symbols, of 1 to 10 bits.
pub fn tables(groups: u32) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.put(0x2f, 8);
    bits.put(3 | 3 << 14, 32);
    // No transform, no colour cache, numbers for blocks of 4 x 4; one of them, without a cache.
    bits.put(0, 2);
    bits.put(1, 1);
    bits.put(0, 3 + 1);
    // Codes of one symbol: the number's lower and upper half, then blue, alpha and distance.
    for symbol in [(groups - 1) & 255, (groups - 1) >> 8, 0, 0, 0] {
        bits.put(0b101, 3);
        bits.put(symbol, 8);
    }
    // The lengths 1 to 6 are written with 3 bits, 7 to 10 with 4.
    let written = |length: u32| if length <= 6 { (length - 1, 3) } else { (12 + length - 7, 4) };
    for _ in 0..groups * 5 {
        bits.put(0, 1);
        bits.put(14 - 4, 4);
        for length in [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10] {
            bits.put(if (1..=10).contains(&length) { written(length).1 as u32 } else { 0 }, 3);
        }
        bits.put(1 | 1 << 1, 1 + 3);
        bits.put(11 - 2, 4);
        for length in (1..=10).chain([10]) {
            let (code, count) = written(length);
            bits.put_code(code, count);
        }
    }
    bits.put(0, 32);
    bits.put(0, 32);
    bits.bytes
}

/// 16 pixels, and the most groups of codes that can be asked for: 1.3 GB.
pub fn webp_tables() -> Vec<u8> {
    webp(&[(b"VP8L", &tables(65_536))])
}

/// `length` zeros as a zlib stream of fixed codes, 159 times as short.
pub fn zeros(length: usize) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.put(0x0178, 16);
    bits.put(0b011, 3);
    // A zero, then copies of 258 bytes from one byte back, then zeros to the end.
    let (copies, rest) = ((length - 1) / 258, (length - 1) % 258);
    bits.put_code(0x30, 8);
    for _ in 0..copies {
        bits.put_code(0xc0 + 285 - 280, 8);
        bits.put_code(0, 5);
    }
    for _ in 0..rest {
        bits.put_code(0x30, 8);
    }
    bits.put_code(0, 7);
    let mut bytes = bits.bytes;
    // Adler-32: of zeros its lower half stays 1, and the upper one counts them.
    bytes.extend((((length % 65_521) as u32) << 16 | 1).to_be_bytes());
    bytes
}

/// A PNG of black pixels.
pub fn black_png(width: u32, height: u32, chunk: impl Fn(&[u8; 4], &[u8]) -> Vec<u8>) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let rows = zeros((width as usize * 3 + 1) * height as usize);
    let chunks = [chunk(b"IHDR", &header), chunk(b"IDAT", &rows), chunk(b"IEND", &[])];
    [b"\x89PNG\r\n\x1a\n".to_vec(), chunks.concat()].concat()
}

/// The PNG with a colour profile of `length` zeros behind its header; `chunk` writes a chunk with its checksum.
pub fn with_profile(png: &[u8], length: usize, chunk: impl Fn(&[u8; 4], &[u8]) -> Vec<u8>) -> Vec<u8> {
    let profile = chunk(b"iCCP", &[b"made\0\0", &zeros(length)[..]].concat());
    [&png[..33], &profile, &png[33..]].concat()
}
