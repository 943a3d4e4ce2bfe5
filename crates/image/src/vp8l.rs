//! What the Huffman tables of a lossless WebP picture take, from its bits and without its pixels.
//!
//! A picture is coded with one group of five Huffman codes, or with many: a small picture of group
//! numbers ahead of the codes then says which block uses which, and the codec reads as many groups as
//! the largest number says, up to 65,536 whatever the picture's size. Sixty bytes of codes become
//! tables of 20 KB, so a file of 3.8 MB with 4 x 4 pixels took 1.2 GB.
//!
//! To find the codes, what stands ahead of them must be read: the transforms, each with a small
//! picture of its own. Only the structure of those is followed; of the pixels nothing is kept but the
//! largest group number. The layout is that of Google's "WebP Lossless Bitstream Specification".

/// Symbols of the code for green, lengths of copies and the colour cache; of red, blue and alpha; of distances.
const ALPHABETS: [usize; 5] = [256 + 24, 256, 256, 256, 40];
/// The longest alphabet: with a colour cache of 2^11 entries.
const LONGEST_ALPHABET: usize = ALPHABETS[0] + (1 << 11);
/// In this order the lengths of the code for code lengths are stored.
const ORDER: [usize; 19] = [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// The bytes that the codec's tables for the whole picture take, or `None` where the bits are no such picture.
///
/// `bits` begins behind the header with the size; the alpha channel of a lossy picture has none.
pub(crate) fn table_bytes(bits: &[u8], width: u32, height: u32) -> Option<u64> {
    let mut reader = Reader { bits: Bits { bytes: bits, buffer: 0, held: 0 }, lengths: [0; LONGEST_ALPHABET] };
    let width = reader.transforms(width, height)?;
    let cache = reader.cache()?;
    let mut groups = 1;
    if reader.bits.take(1)? == 1 {
        let block = reader.bits.take(3)? + 2;
        groups = reader.small_picture(blocks(width, block), blocks(height, block))? + 1;
    }
    let mut bytes = u64::from(groups) * GROUP;
    for _ in 0..groups {
        for alphabet in alphabets(cache) {
            bytes += reader.code(alphabet)?.bytes();
        }
    }
    Some(bytes)
}

/// What the codec keeps for each group besides its tables: five codes of 56 bytes, in a vector that doubles as it
/// grows (the old and the new one exist together for a moment).
const GROUP: u64 = 5 * 56 * 3;
/// What an allocation costs besides its bytes.
const ALLOCATION: u64 = 16;

fn alphabets(cache: usize) -> [usize; 5] {
    let mut alphabets = ALPHABETS;
    alphabets[0] += cache;
    alphabets
}

/// Blocks of 2^bits pixels that a side is cut into.
fn blocks(side: u32, bits: u32) -> u32 {
    side.div_ceil(1 << bits)
}

/// Bits from the lowest of each byte on.
struct Bits<'a> {
    bytes: &'a [u8],
    buffer: u64,
    held: u32,
}

impl Bits<'_> {
    /// The next `count` bits (24 at most), the first of them the lowest; `None` behind the end.
    fn take(&mut self, count: u32) -> Option<u32> {
        while self.held < count {
            let (&byte, rest) = self.bytes.split_first()?;
            self.buffer |= u64::from(byte) << self.held;
            self.held += 8;
            self.bytes = rest;
        }
        let value = self.buffer & ((1 << count) - 1);
        self.buffer >>= count;
        self.held -= count;
        Some(value as u32)
    }

    /// The length of a copy or a distance, from its symbol and the bits that belong to it.
    fn length(&mut self, symbol: u16) -> Option<u32> {
        let symbol = u32::from(symbol);
        if symbol < 4 {
            return Some(symbol + 1);
        }
        let extra = (symbol - 2) >> 1;
        Some(((2 + (symbol & 1)) << extra) + self.take(extra)? + 1)
    }
}

/// A Huffman code as it is stored. The lengths of the symbols of a `Full` one are in [`Reader::lengths`].
enum Code {
    One(u16),
    Two(u16, u16),
    Full { alphabet: usize, counts: [u32; 16] },
}

impl Code {
    /// What the codec's tables for it take: 4 bytes for each value of up to 10 bits, and two nodes of 16 bytes for
    /// each symbol that needs more bits.
    fn bytes(&self) -> u64 {
        match self {
            Code::One(_) => 0,
            Code::Two(..) => 3 * 16 + 2 * 4 + 2 * ALLOCATION,
            Code::Full { counts, .. } => {
                let longest = counts.iter().rposition(|&n| n > 0).unwrap_or(0).min(10);
                let deep: u32 = counts[11..].iter().sum();
                (4 << longest) + u64::from(deep) * 32 + 2 * ALLOCATION
            }
        }
    }
}

/// A code to decode with: symbols in the order of their bits.
struct Decoding {
    counts: [u32; 16],
    symbols: Vec<u16>,
}

impl Decoding {
    fn new(code: &Code, lengths: &[u8]) -> Self {
        let mut counts = [0; 16];
        let symbols = match *code {
            Code::One(symbol) => vec![symbol],
            Code::Two(first, second) => {
                counts[1] = 2;
                vec![first, second]
            }
            Code::Full { alphabet, counts: all } => {
                counts = all;
                let of = |length: u8| (0..alphabet).filter(move |&s| lengths[s] == length).map(|s| s as u16);
                (1..16).filter(|&length| all[usize::from(length)] > 0).flat_map(of).collect()
            }
        };
        Decoding { counts, symbols }
    }

    /// Whether its symbol takes no bits.
    fn is_one(&self) -> bool {
        self.symbols.len() == 1
    }

    fn symbol(&self, bits: &mut Bits) -> Option<u16> {
        if self.is_one() {
            return self.symbols.first().copied();
        }
        let (mut code, mut first, mut index) = (0, 0, 0);
        for count in &self.counts[1..] {
            code = code << 1 | bits.take(1)?;
            if code < first + count {
                return self.symbols.get((index + code - first) as usize).copied();
            }
            index += count;
            first = (first + count) << 1;
        }
        None
    }
}

struct Reader<'a> {
    bits: Bits<'a>,
    /// The lengths of the symbols of the code that was read last.
    lengths: [u8; LONGEST_ALPHABET],
}

impl Reader<'_> {
    /// Skips the transforms and returns the picture's width behind them: a palette packs several pixels into one.
    fn transforms(&mut self, width: u32, height: u32) -> Option<u32> {
        let (mut width, mut seen) = (width, [false; 4]);
        while self.bits.take(1)? == 1 {
            let kind = self.bits.take(2)?;
            if std::mem::replace(&mut seen[kind as usize], true) {
                return None;
            }
            match kind {
                // A predictor or a colour for each block.
                0 | 1 => {
                    let block = self.bits.take(3)? + 2;
                    self.small_picture(blocks(width, block), blocks(height, block))?;
                }
                // Green subtracted from red and blue.
                2 => {}
                _ => {
                    let colours = self.bits.take(8)? + 1;
                    self.small_picture(colours, 1)?;
                    let packed = match colours {
                        0..=2 => 3,
                        3..=4 => 2,
                        5..=16 => 1,
                        _ => 0,
                    };
                    width = blocks(width, packed);
                }
            }
        }
        Some(width)
    }

    /// The number of colours in the cache.
    fn cache(&mut self) -> Option<usize> {
        if self.bits.take(1)? == 0 {
            return Some(0);
        }
        let bits = self.bits.take(4)?;
        (1..=11).contains(&bits).then_some(1 << bits)
    }

    /// Reads over a picture with one group of codes. Returns the largest value of its red and green together: what a
    /// copy or the cache repeats was written out before, so only pixels that are written out count.
    fn small_picture(&mut self, width: u32, height: u32) -> Option<u32> {
        let cache = self.cache()?;
        let mut codes = Vec::with_capacity(ALPHABETS.len());
        for alphabet in alphabets(cache) {
            let code = self.code(alphabet)?;
            codes.push(Decoding::new(&code, &self.lengths));
        }
        let [greens, reds, blues, alphas, distances] = &codes[..] else { return None };
        let bits = &mut self.bits;
        let pixels = u64::from(width) * u64::from(height);
        let (mut at, mut largest) = (0, 0);
        while at < pixels {
            match greens.symbol(bits)? {
                green @ 0..256 => {
                    let red = reds.symbol(bits)?;
                    blues.symbol(bits)?;
                    alphas.symbol(bits)?;
                    largest = largest.max(u32::from(red) << 8 | u32::from(green));
                    at += 1;
                    if codes[..4].iter().all(Decoding::is_one) {
                        break;
                    }
                }
                copy @ 256..280 => {
                    at += u64::from(bits.length(copy - 256)?);
                    let distance = distances.symbol(bits)?;
                    bits.length(distance)?;
                }
                _ => at += 1,
            }
        }
        (at <= pixels).then_some(largest)
    }

    /// Reads a code over `alphabet` symbols.
    fn code(&mut self, alphabet: usize) -> Option<Code> {
        if self.bits.take(1)? == 0 {
            let mut of_lengths = [0; 19];
            let stored = 4 + self.bits.take(4)? as usize;
            for &at in &ORDER[..stored] {
                of_lengths[at] = self.bits.take(3)? as u8;
            }
            return self.code_lengths(&of_lengths, alphabet);
        }
        let two = self.bits.take(1)? == 1;
        let wide = self.bits.take(1)?;
        let first = self.bits.take(1 + 7 * wide)? as u16;
        let second = if two { self.bits.take(8)? as u16 } else { 0 };
        if usize::from(first.max(second)) >= alphabet {
            return None;
        }
        Some(if two { Code::Two(first, second) } else { Code::One(first) })
    }

    /// Reads the lengths of `alphabet` symbols, which are coded themselves.
    fn code_lengths(&mut self, of_lengths: &[u8; 19], alphabet: usize) -> Option<Code> {
        let decoding = Decoding::new(&complete(of_lengths)?, of_lengths);
        let mut left = alphabet;
        if self.bits.take(1)? == 1 {
            let bits = 2 + 2 * self.bits.take(3)?;
            left = 2 + self.bits.take(bits)? as usize;
            if left > alphabet {
                return None;
            }
        }
        self.lengths[..alphabet].fill(0);
        let (mut at, mut before) = (0, 8);
        while at < alphabet && left > 0 {
            left -= 1;
            let (length, times) = match decoding.symbol(&mut self.bits)? {
                length @ 0..16 => (length as u8, 1),
                16 => (before, 3 + self.bits.take(2)? as usize),
                17 => (0, 3 + self.bits.take(3)? as usize),
                _ => (0, 11 + self.bits.take(7)? as usize),
            };
            self.lengths.get_mut(at..at + times).filter(|_| at + times <= alphabet)?.fill(length);
            at += times;
            if length > 0 {
                before = length;
            }
        }
        complete(&self.lengths[..alphabet])
    }
}

/// The code of these lengths, where they leave no bits without a symbol and none with two.
fn complete(lengths: &[u8]) -> Option<Code> {
    let mut counts = [0; 16];
    for &length in lengths {
        counts[usize::from(length)] += 1;
    }
    counts[0] = 0;
    match counts.iter().sum::<u32>() {
        0 => None,
        1 => Some(Code::One(lengths.iter().position(|&length| length > 0)? as u16)),
        _ => {
            let used: u64 = (1..16).map(|length| u64::from(counts[length]) << (15 - length)).sum();
            (used == 1 << 15).then_some(Code::Full { alphabet: lengths.len(), counts })
        }
    }
}
