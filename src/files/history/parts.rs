//! A kept log read in parts, so that no log is ever in memory as a whole: looked through for what is wanted, a page of it, its newest
//! lines, where a time begins.

use super::line;
use crate::domain::logs::page::{Page, Spot};
use crate::domain::logs::quest::{Findings, Reading};
use crate::domain::logs::wanted::Wanted;
use crate::domain::logs::{LINE_MAX, LogLine, MEMORY};
use jiff::Timestamp;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom};

/// Bytes that are read at once, and looked at once of a longer line.
const WINDOW: usize = 256 * 1024;

/// Lines of one part of the findings, and bytes: it ends with the line that reaches either.
const PART_LINES: u64 = 16 * 1024;
const PART_BYTES: usize = 1024 * 1024;

/// Lines of a page before the one that it is read for, and from that one on; and bytes of either.
const BEFORE: u64 = 500;
const AFTER: u64 = 1000;
const PAGE_BYTES: usize = 1024 * 1024;

/// A kept log being looked through, from its first line.
#[derive(Debug)]
pub struct Search<R = BufReader<File>> {
    reader: R,
    wanted: Wanted,
    /// Number of the next line.
    line: u64,
    /// Number after the last line that is looked at.
    upto: u64,
    window: Vec<u8>,
}

/// Reads in pieces of a size that suits the disk.
pub(super) fn buffered(file: File) -> BufReader<File> {
    BufReader::with_capacity(WINDOW, file)
}

impl<R: BufRead> Search<R> {
    /// Of the first `upto` lines; what stands behind them may be half written.
    pub(super) fn new(reader: R, wanted: Wanted, upto: u64) -> Self {
        Self {
            reader,
            wanted,
            line: 0,
            upto,
            window: Vec::new(),
        }
    }

    /// Looks at the next part. A file that ends early is no failure.
    pub fn part(&mut self) -> Findings {
        let mut hits = Vec::new();
        let reading = match self.read(&mut hits) {
            Ok(true) => Reading::UnderWay,
            Ok(false) => Reading::Done,
            Err(error) => Reading::Failed(error.to_string()),
        };
        Findings {
            hits,
            read: self.line,
            reading,
        }
    }

    /// Says whether there is more.
    fn read(&mut self, hits: &mut Vec<u64>) -> io::Result<bool> {
        let (last, mut bytes) = (self.line + PART_LINES, 0);
        while self.line < self.upto {
            if self.line == last || bytes >= PART_BYTES {
                return Ok(true);
            }
            let Some((length, hit)) = self.line()? else {
                return Ok(false);
            };
            if hit {
                hits.push(self.line);
            }
            bytes += length;
            self.line += 1;
        }
        Ok(false)
    }

    /// Looks at one line, window by window; gives its length, and whether it is a hit.
    fn line(&mut self) -> io::Result<Option<(usize, bool)>> {
        let mut look = self.wanted.look();
        let window = &mut self.window;
        window.clear();
        let mut length = 0;
        loop {
            let room = WINDOW - window.len();
            let read = (&mut self.reader)
                .take(room as u64)
                .read_until(b'\n', window)?;
            length += read;
            if length == 0 {
                return Ok(None);
            }
            let part = window.strip_suffix(b"\n").unwrap_or(window);
            // The time at the beginning is none of the text.
            let part = if length == window.len() {
                line::text(part)
            } else {
                part
            };
            look.part(&String::from_utf8_lossy(part));
            if read < room || window.ends_with(b"\n") {
                return Ok(Some((length, look.is_hit())));
            }
            let from = window.len() - self.wanted.overlap().min(WINDOW / 2);
            let character = |byte: &u8| byte & 0xC0 != 0x80;
            let begin = (from - 3..=from).rev().find(|at| character(&window[*at]));
            window.drain(..begin.unwrap_or(from));
        }
    }
}

/// Lines around the one of that number, none after `upto`.
///
/// # Errors
/// When the log ends before that line, or cannot be read.
pub(super) fn page(mut reader: impl BufRead, around: u64, upto: u64) -> io::Result<Page> {
    let mut page = Page {
        first: around.saturating_sub(BEFORE),
        lines: Vec::new(),
    };
    for number in 0..page.first {
        if reader.skip_until(b'\n')? == 0 {
            return Err(ends(number, around));
        }
    }
    let mut lines = VecDeque::new();
    let mut bytes = 0;
    let mut number = page.first;
    while number < upto.min(around + AFTER) && (number <= around || bytes < PAGE_BYTES) {
        let Some(line) = cut(&mut reader)? else { break };
        if number == around {
            bytes = 0;
        }
        bytes += line.text.len();
        number += 1;
        lines.push_back(line);
        while number <= around && bytes > PAGE_BYTES {
            bytes -= lines.pop_front().map_or(bytes, |line| line.text.len());
            page.first += 1;
        }
    }
    if number <= around {
        return Err(ends(number, around));
    }
    page.lines = lines.into();
    Ok(page)
}

/// The newest lines, at most so many, and not more than memory takes of one log.
pub(super) fn newest(mut reader: BufReader<File>, most: usize) -> io::Result<Page> {
    let mut begins = VecDeque::with_capacity(most);
    let (mut number, mut offset) = (0, 0);
    loop {
        let length = reader.skip_until(b'\n')?;
        if length == 0 {
            break;
        }
        if begins.len() == most {
            begins.pop_front();
        }
        begins.push_back(offset);
        number += 1;
        offset += length as u64;
    }
    let mut page = Page {
        first: number - begins.len() as u64,
        lines: Vec::new(),
    };
    reader.seek(SeekFrom::Start(begins.front().copied().unwrap_or(offset)))?;
    let (mut lines, mut bytes) = (VecDeque::new(), 0);
    for _ in 0..begins.len() {
        let Some(line) = cut(&mut reader)? else { break };
        bytes += line.text.len();
        lines.push_back(line);
        while bytes > MEMORY {
            bytes -= lines.pop_front().map_or(bytes, |line| line.text.len());
            page.first += 1;
        }
    }
    page.lines = lines.into();
    Ok(page)
}

/// The first `upto` lines of a kept log, one at a time, cut as in memory.
#[derive(Debug)]
pub struct Lines<R = BufReader<File>> {
    reader: R,
    left: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(reader: R, upto: u64) -> Self {
        Self { reader, left: upto }
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<LogLine>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        cut(&mut self.reader).transpose()
    }
}

/// The first line from `spot` on that is not older than `from`; the end of the log when all are. Lines without a time are as old as the
/// line before them.
pub(super) fn since(
    reader: &mut (impl BufRead + io::Seek),
    from: Timestamp,
    mut spot: Spot,
) -> io::Result<Spot> {
    const HEAD: u64 = 64;
    reader.seek(SeekFrom::Start(spot.offset))?;
    let mut head = Vec::new();
    loop {
        head.clear();
        let mut length = reader.by_ref().take(HEAD).read_until(b'\n', &mut head)?;
        if length == 0 {
            return Ok(spot);
        }
        if line::time(&head).is_some_and(|at| at >= from) {
            return Ok(spot);
        }
        if !head.ends_with(b"\n") {
            length += reader.skip_until(b'\n')?;
        }
        spot.line += 1;
        spot.offset += length as u64;
    }
}

/// The next line, cut as in memory.
fn cut(reader: &mut impl BufRead) -> io::Result<Option<LogLine>> {
    // The time, and a byte more than is kept.
    const MOST: usize = LINE_MAX + 64;
    let mut bytes = Vec::new();
    let read = reader
        .by_ref()
        .take(MOST as u64)
        .read_until(b'\n', &mut bytes)?;
    if read == 0 {
        return Ok(None);
    }
    let mut rest = 0;
    if read == MOST && !bytes.ends_with(b"\n") {
        rest = reader.skip_until(b'\n')?.saturating_sub(1);
    }
    let mut line = line::read(&bytes);
    line.cut(rest);
    Ok(Some(line))
}

fn ends(at: u64, wanted: u64) -> io::Error {
    io::Error::other(format!(
        "the file ends after {at} lines; line {} is not in it",
        wanted + 1
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Write as _};

    fn search(file: &[u8], wanted: &str, upto: u64) -> (Vec<u64>, u64, Reading) {
        let wanted = match wanted {
            "marker" => Wanted::Marker,
            "error" => Wanted::Error,
            text => Wanted::Text(text.into()),
        };
        let mut search = Search::new(file, wanted, upto);
        let mut hits = Vec::new();
        loop {
            let mut part = search.part();
            hits.append(&mut part.hits);
            if part.reading != Reading::UnderWay {
                return (hits, part.read, part.reading);
            }
        }
    }

    /// Lines that a second each lies between.
    fn numbered(count: u32) -> Vec<u8> {
        let mut file = Vec::new();
        for n in 0..count {
            let at = Timestamp::from_second(i64::from(n)).unwrap();
            writeln!(file, "{at} line {n}").unwrap();
        }
        file
    }

    #[test]
    fn every_line_is_looked_at_and_its_time_is_not() {
        let file = b"2026-02-17T20:15:04Z one\r\n- two\xff2026\n\n- \n- LLMCTL_EXECUTOR_STARTED\r\n- Error: one";
        let table = [
            ("one", vec![0, 5]),
            ("2026", vec![1]),
            ("\u{fffd}", vec![1]),
            ("\r", vec![0, 4]),
            ("marker", vec![4]),
            ("error", vec![5]),
        ];
        for (wanted, hits) in table {
            assert_eq!(
                search(file, wanted, 6),
                (hits, 6, Reading::Done),
                "{wanted:?}"
            );
        }
        // What stands behind may be half written; what is not there is told.
        assert_eq!(search(file, "one", 5), (vec![0], 5, Reading::Done));
        assert_eq!(search(file, "one", 9), (vec![0, 5], 6, Reading::Done));
        assert_eq!(search(b"", "one", 9), (vec![], 0, Reading::Done));
    }

    #[test]
    fn a_long_line_is_one_line_and_its_text_is_found_anywhere_in_it() {
        let long = 10 << 20;
        let mut line = vec![b'x'; long];
        for at in [WINDOW - 3, WINDOW * 3 - 70, long - 6] {
            line[at..at + 6].copy_from_slice("Nädel".as_bytes());
        }
        for place in 0..3 {
            let mut line = line.clone();
            for (n, at) in [WINDOW - 3, WINDOW * 3 - 70, long - 6]
                .into_iter()
                .enumerate()
            {
                if n != place {
                    line[at..at + 6].fill(b'y');
                }
            }
            let file = [b"- a\n- ", line.as_slice(), b"\n- needle\n"].concat();
            let mut open = Search::new(file.as_slice(), Wanted::Text("nÄdel".into()), 3);
            assert_eq!(open.part().hits, [1], "{place}");
            assert!(
                open.window.capacity() <= 2 * WINDOW,
                "{}",
                open.window.capacity()
            );
            assert_eq!(open.part().read, 3);
        }
        // Bytes that are no text at all come to an end, too.
        let file = [b"- ".as_slice(), &vec![0x80; 4 * WINDOW], b"\n- end\n"].concat();
        assert_eq!(search(&file, "end", 2), (vec![1], 2, Reading::Done));
    }

    #[test]
    fn parts_are_bounded_and_leave_nothing_out() {
        let file = numbered(100_000);
        let mut search = Search::new(file.as_slice(), Wanted::Text("7 ".into()), 100_000);
        assert_eq!(search.part().read, PART_LINES);
        let (hits, read, reading) = self::search(&file, "line 9999", 100_000);
        assert_eq!((hits.len(), read, reading), (11, 100_000, Reading::Done));
    }

    #[test]
    fn a_page_is_around_its_line_and_bounded() {
        let file = numbered(5000);
        for (around, upto, numbers) in [
            (0, 5000, 0..1000),
            (499, 5000, 0..1499),
            (2000, 5000, 1500..3000),
            (4999, 5000, 4499..5000),
            (4990, 4995, 4490..4995),
        ] {
            let page = page(file.as_slice(), around, upto).unwrap();
            assert_eq!(page.numbers(), numbers, "{around}");
            let line = page.line(around).unwrap();
            assert_eq!(line.text, format!("line {around}"));
            assert_eq!(line.at.unwrap().as_second(), i64::try_from(around).unwrap());
        }
        let error = page(file.as_slice(), 5000, 9000).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the file ends after 5000 lines; line 5001 is not in it"
        );
        assert!(page(file.as_slice(), 9000, 9000).is_err());
    }

    #[test]
    fn a_page_of_long_lines_holds_few_of_them_cut() {
        let line = [b"- ".as_slice(), &vec![b'x'; 300 * 1024], b"\n"].concat();
        let file = line.repeat(40);
        let page = page(file.as_slice(), 20, 40).unwrap();
        assert!(
            page.numbers().contains(&20) && page.lines.len() < 12,
            "{:?}",
            page.numbers()
        );
        let end = format!("x… ({} more bytes in the history file)", 44 * 1024);
        assert!(page.lines.iter().all(|line| line.text.ends_with(&end)));
    }

    #[test]
    fn the_beginning_of_a_time_is_found_and_found_again_from_there() {
        let mut file = b"- no time\n".to_vec();
        file.extend(numbered(1000));
        let mut reader = Cursor::new(&file);
        let mut find = |second: i64, spot| {
            since(&mut reader, Timestamp::from_second(second).unwrap(), spot).unwrap()
        };
        let spot = find(500, Spot::default());
        assert_eq!(spot.line, 501);
        let offset = usize::try_from(spot.offset).unwrap();
        assert!(file[offset..].starts_with(b"1970-01-01T00:08:20Z line 500\n"));
        assert_eq!(find(700, spot).line, 701);
        assert_eq!(find(500, spot), spot);
        assert_eq!(find(5000, spot).line, 1001);
    }
}
