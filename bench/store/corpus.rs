//! Text that looks like messages: words by Zipf's law, some Chinese, the same at each run.

/// Found in one message of 50,000.
pub const RARE: &str = "quetzalcoatlus";
/// Found in some messages, among other Chinese text.
pub const CHINESE: &str = "图书馆前";

const COMMON: [&str; 16] = [
    "the", "you", "wave", "and", "stone", "tomorrow", "is", "at", "with", "train", "we", "letter",
    "for", "bread", "not", "river",
];
const SYLLABLES: [&str; 24] = [
    "ba", "ko", "li", "mer", "to", "sun", "ra", "wen", "di", "pol", "ha", "zi", "fe", "gar", "no",
    "lu", "sta", "vi", "qua", "che", "o", "ni", "tra", "xe",
];

pub struct Corpus {
    state: u64,
    words: Vec<String>,
    written: u64,
}

impl Corpus {
    pub fn new() -> Self {
        let mut corpus = Self {
            state: 0x9e37_79b9_7f4a_7c15,
            words: Vec::new(),
            written: 0,
        };
        corpus.words.extend(COMMON.map(String::from));
        while corpus.words.len() < 40_000 {
            let syllables = 2 + corpus.below(4);
            let word = (0..syllables)
                .map(|_| SYLLABLES[corpus.index(24)])
                .collect();
            corpus.words.push(word);
        }
        corpus
    }

    /// 6 to 23 words; one message in 20 is Chinese.
    pub fn message(&mut self) -> String {
        self.written += 1;
        if self.written.is_multiple_of(20) {
            return self.chinese();
        }
        let mut text = String::new();
        for _ in 0..6 + self.below(18) {
            let word = self.word();
            text.push_str(&self.words[word]);
            text.push(' ');
        }
        if self.written % 50_000 == 7 {
            text.push_str(RARE);
        }
        text
    }

    fn chinese(&mut self) -> String {
        let mut text = String::new();
        for _ in 0..8 + self.below(30) {
            // 3,000 characters, the first ones far more often.
            let rank = self.zipf(3_000);
            text.extend(char::from_u32(0x4e00 + u32::try_from(rank).expect("small")));
        }
        if self.below(200) == 0 {
            text.push_str(CHINESE);
            text.push('见');
        }
        text
    }

    fn word(&mut self) -> usize {
        let rank = self.zipf(40_000);
        usize::try_from(rank).expect("small")
    }

    /// About 1/rank: the exponential of a uniform number.
    fn zipf(&mut self, ranks: u64) -> u64 {
        let uniform = self.below(1 << 32) as f64 / f64::from(u32::MAX);
        let rank = (ranks as f64).powf(uniform) - 1.0;
        (rank as u64).min(ranks - 1)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state % limit
    }

    fn index(&mut self, limit: u64) -> usize {
        usize::try_from(self.below(limit)).expect("small")
    }
}
