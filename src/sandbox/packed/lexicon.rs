//! Words that a store learned: texts that very many of its objects hold, each with its number.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// A text is learned when it was met so often. What belongs to one object only, such as its name, is met less often in all its life.
const OFTEN: u16 = 64;

/// Shorter texts take no more room than their numbers would, longer ones are nobody's habit.
const LENGTHS: std::ops::RangeInclusive<usize> = 4..=4096;

/// So many texts are learned at the most; they are never forgotten.
const MOST: usize = 4096;

/// So many texts are counted at one time; then the count begins anew.
const COUNTED: usize = 4096;

/// The words of one store. Clones are the same lexicon.
#[derive(Clone, Debug, Default)]
pub(in crate::sandbox) struct Lexicon(Arc<Learned>);

#[derive(Debug, Default)]
struct Learned {
    words: RwLock<Arc<Words>>,
    met: Mutex<Met>,
}

/// The words as they were at one moment; later there are only more of them.
#[derive(Debug, Default)]
pub(super) struct Words {
    all: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u64>,
}

/// How often texts were met that are no words yet, by their hashes.
#[derive(Debug, Default)]
struct Met {
    hasher: RandomState,
    counts: HashMap<u64, u16>,
}

impl Lexicon {
    /// The words that are known now.
    pub(super) fn words(&self) -> Arc<Words> {
        self.0
            .words
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Counts texts that are no words; those that are met often enough become words for later.
    pub(super) fn meet<'a>(&self, texts: impl IntoIterator<Item = &'a str>) {
        let mut met = self.met();
        for text in texts
            .into_iter()
            .filter(|text| LENGTHS.contains(&text.len()))
        {
            if met.often(text) {
                self.learn(text);
            }
        }
    }

    fn learn(&self, text: &str) {
        let mut words = self.0.words.write().unwrap_or_else(PoisonError::into_inner);
        if words.all.len() >= MOST || words.numbers.contains_key(text) {
            return;
        }
        let word: Arc<str> = text.into();
        let mut all = words.all.clone();
        let mut numbers = words.numbers.clone();
        numbers.insert(word.clone(), all.len() as u64);
        all.push(word);
        *words = Arc::new(Words { all, numbers });
    }

    fn met(&self) -> MutexGuard<'_, Met> {
        self.0.met.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Words {
    /// The number of a word.
    pub(super) fn number(&self, text: &str) -> Option<u64> {
        self.numbers.get(text).copied()
    }

    /// The word of a number; empty for one that no word has.
    pub(super) fn word(&self, number: u64) -> &str {
        usize::try_from(number)
            .ok()
            .and_then(|number| self.all.get(number))
            .map_or("", |word| word)
    }
}

impl Met {
    fn often(&mut self, text: &str) -> bool {
        let hash = self.hasher.hash_one(text);
        let count = self.counts.entry(hash).or_default();
        *count += 1;
        let often = *count >= OFTEN;
        if often {
            self.counts.remove(&hash);
        } else if self.counts.len() > COUNTED {
            self.counts.retain(|_, count| {
                *count /= 2;
                *count > 0
            });
        }
        often
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_many_hold_is_learned_and_names_are_not() {
        let lexicon = Lexicon::default();
        for number in 0..20_000 {
            let name = format!("name-{number}");
            for _ in 0..20 {
                lexicon.meet([name.as_str(), "an image of all"]);
            }
        }
        let words = lexicon.words();
        assert_eq!(words.all.len(), 1);
        let number = words.number("an image of all").unwrap();
        assert_eq!(words.word(number), "an image of all");
        assert_eq!(words.word(number + 1), "");
    }
}
