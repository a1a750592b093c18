//! Passing over what no text can begin in, many bytes at one look (Wu and Manber, 1994).

use super::forms::Form;

/// Bytes that are looked at together.
const BLOCK: usize = 3;
/// Bytes of each text that count, at most: a distance fits a byte, and longer leaps gain little.
const WINDOW: usize = 16;

/// How far one may go by the last bytes of a window.
pub(super) struct Leap {
    /// Bytes of a window: no text is shorter.
    window: usize,
    /// By the hash of a window's last block: how many bytes it has to move on at least before a text
    /// could begin where it does.
    distances: Vec<u8>,
}

impl Leap {
    pub(super) fn new(texts: &[Form]) -> Self {
        let shortest = texts.iter().map(|text| text.len()).min().unwrap_or_default();
        let window = shortest.min(WINDOW);
        let mut distances = vec![0; 1 << 16];
        // Texts that are shorter than a block would stay at zero: every place is looked at.
        if window >= BLOCK {
            let distance = |bytes: usize| u8::try_from(bytes).unwrap_or(u8::MAX);
            distances.fill(distance(window - BLOCK + 1));
            for text in texts {
                for (at, block) in text[..window].windows(BLOCK).enumerate() {
                    let known = &mut distances[hash(block)];
                    *known = (*known).min(distance(window - BLOCK - at));
                }
            }
        }
        Self { window: window.max(BLOCK), distances }
    }

    /// The first place from `at` on at which a text may begin; what the chunk has no whole window
    /// for is such a place too.
    pub(super) fn next(&self, chunk: &[u8], at: usize) -> usize {
        let mut end = at + self.window;
        while let Some(block) = chunk.get(end - BLOCK..end) {
            match self.distances[hash(block)] {
                0 => break,
                distance => end += usize::from(distance),
            }
        }
        end - self.window
    }
}

fn hash(block: &[u8]) -> usize {
    let [one, two, three] = [block[0], block[1], block[2]].map(u32::from);
    let mixed = (one | two << 8 | three << 16).wrapping_mul(0x9E37_79B1);
    (mixed >> 16) as usize
}
