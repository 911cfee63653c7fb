//! A text of several lines being typed.

use tui_input::InputRequest;

/// So many steps can be taken back.
const KEPT: usize = 200;

/// Lines and a cursor. It is never without a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    lines: Vec<String>,
    row: usize,
    /// In characters.
    column: usize,
    before: Vec<(Vec<String>, usize, usize)>,
    /// Counts the changes.
    revision: u64,
}

impl Page {
    /// A text with the cursor at its beginning.
    pub fn with(text: &str) -> Self {
        Self {
            lines: split(text),
            row: 0,
            column: 0,
            before: Vec::new(),
            revision: 0,
        }
    }

    /// The lines.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// The whole text.
    pub fn text(&self) -> String {
        self.lines.join("\n") + "\n"
    }

    /// Row, and the part of its line before the cursor.
    pub fn cursor(&self) -> (usize, &str) {
        let line = &self.lines[self.row];
        (self.row, &line[..byte(line, self.column)])
    }

    /// How often the text was changed: what was found out about another revision is out of date.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Takes one editing key. A line break is a character; it takes the indent of the line on.
    pub fn edit(&mut self, request: &InputRequest) {
        let width = self.lines[self.row].chars().count();
        match request {
            InputRequest::InsertChar(c) => self.insert(*c),
            InputRequest::GoToPrevChar if self.column > 0 => self.column -= 1,
            InputRequest::GoToPrevChar => self.go_up_to_end(),
            InputRequest::GoToNextChar if self.column < width => self.column += 1,
            InputRequest::GoToNextChar if self.row + 1 < self.lines.len() => {
                (self.row, self.column) = (self.row + 1, 0);
            }
            InputRequest::GoToStart => self.column = 0,
            InputRequest::GoToEnd => self.column = width,
            InputRequest::GoToPrevWord => self.column = self.word_before(),
            InputRequest::GoToNextWord => self.column = self.word_after(),
            InputRequest::DeletePrevChar if self.column > 0 => {
                self.cut(self.column - 1, self.column);
            }
            InputRequest::DeletePrevChar if self.row > 0 => self.join(self.row - 1),
            InputRequest::DeleteNextChar if self.column < width => {
                self.cut(self.column, self.column + 1);
            }
            InputRequest::DeleteNextChar if self.row + 1 < self.lines.len() => self.join(self.row),
            InputRequest::DeletePrevWord => self.cut(self.word_before(), self.column),
            InputRequest::DeleteNextWord => self.cut(self.column, self.word_after()),
            InputRequest::DeleteTillEnd => self.cut(self.column, width),
            InputRequest::DeleteFromStart => self.cut(0, self.column),
            InputRequest::DeleteLine => {
                self.remember();
                if self.lines.len() > 1 {
                    self.lines.remove(self.row);
                    self.row = self.row.min(self.lines.len() - 1);
                } else {
                    self.lines[0].clear();
                }
                self.column = 0;
            }
            _ => {}
        }
    }

    /// Moves the cursor by so many rows, up when negative, as far as there are any.
    pub fn go(&mut self, rows: isize) {
        let last = self.lines.len() - 1;
        self.row = self.row.saturating_add_signed(rows).min(last);
        self.column = self.column.min(self.lines[self.row].chars().count());
    }

    /// Takes the last change back.
    pub fn undo(&mut self) {
        if let Some((lines, row, column)) = self.before.pop() {
            (self.lines, self.row, self.column) = (lines, row, column);
            self.revision += 1;
        }
    }

    fn remember(&mut self) {
        if self.before.len() == KEPT {
            self.before.remove(0);
        }
        self.before
            .push((self.lines.clone(), self.row, self.column));
        self.revision += 1;
    }

    fn insert(&mut self, c: char) {
        self.remember();
        let line = &mut self.lines[self.row];
        let at = byte(line, self.column);
        if c == '\n' {
            let rest = line.split_off(at);
            let indent: String = line.chars().take_while(|c| *c == ' ').collect();
            self.column = indent.len();
            self.row += 1;
            self.lines.insert(self.row, indent + &rest);
        } else if !c.is_control() {
            line.insert(at, c);
            self.column += 1;
        }
    }

    fn cut(&mut self, from: usize, to: usize) {
        if from >= to {
            return;
        }
        self.remember();
        let line = &mut self.lines[self.row];
        let range = byte(line, from)..byte(line, to);
        line.replace_range(range, "");
        self.column = from;
    }

    /// Puts the line below `row` behind it.
    fn join(&mut self, row: usize) {
        self.remember();
        let below = self.lines.remove(row + 1);
        self.row = row;
        self.column = self.lines[row].chars().count();
        self.lines[row].push_str(&below);
    }

    fn go_up_to_end(&mut self) {
        if self.row > 0 {
            self.row -= 1;
            self.column = self.lines[self.row].chars().count();
        }
    }

    fn word_before(&self) -> usize {
        let line: Vec<char> = self.lines[self.row].chars().take(self.column).collect();
        let blank = |c: &char| !c.is_alphanumeric();
        let end = line.iter().rposition(|c| !blank(c)).map_or(0, |at| at + 1);
        line[..end].iter().rposition(blank).map_or(0, |at| at + 1)
    }

    fn word_after(&self) -> usize {
        let line: Vec<char> = self.lines[self.row].chars().collect();
        let word = |c: &char| c.is_alphanumeric();
        let rest = &line[self.column..];
        let begin = rest.iter().position(word).unwrap_or(rest.len());
        let length = rest[begin..].iter().position(|c| !word(c));
        self.column + begin + length.unwrap_or(rest.len() - begin)
    }
}

fn split(text: &str) -> Vec<String> {
    let lines: Vec<String> = text.lines().map(|line| line.replace('\t', "  ")).collect();
    if lines.is_empty() {
        vec![String::new()]
    } else {
        lines
    }
}

fn byte(line: &str, column: usize) -> usize {
    line.char_indices()
        .nth(column)
        .map_or(line.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use InputRequest as R;

    fn typed(page: &mut Page, text: &str) {
        for c in text.chars() {
            page.edit(&R::InsertChar(c));
        }
    }

    #[test]
    fn lines_are_split_joined_and_indented() {
        let mut page = Page::with("a:\n  b: ü\n");
        page.go(1);
        page.edit(&R::GoToEnd);
        typed(&mut page, "\nc: 1");
        assert_eq!(page.text(), "a:\n  b: ü\n  c: 1\n");
        assert_eq!(page.cursor(), (2, "  c: 1"));
        page.edit(&R::GoToStart);
        page.edit(&R::DeletePrevChar);
        assert_eq!(page.text(), "a:\n  b: ü  c: 1\n");
        page.edit(&R::GoToPrevChar);
        page.edit(&R::DeletePrevChar);
        page.edit(&R::DeleteNextChar);
        page.edit(&R::DeleteTillEnd);
        assert_eq!(page.text(), "a:\n  b:\n");
        let now = page.revision();
        for _ in 0..20 {
            page.undo();
        }
        assert_eq!(page.text(), "a:\n  b: ü\n");
        assert!(page.revision() > now);
    }

    #[test]
    fn words_and_the_edges_of_the_text() {
        let mut page = Page::with("one two");
        page.edit(&R::GoToNextWord);
        assert_eq!(page.cursor(), (0, "one"));
        page.edit(&R::DeleteNextWord);
        assert_eq!(page.text(), "one\n");
        page.edit(&R::DeletePrevWord);
        for request in [
            R::GoToPrevChar,
            R::GoToNextChar,
            R::DeletePrevChar,
            R::DeleteNextChar,
            R::DeleteLine,
        ] {
            page.edit(&request);
        }
        page.go(-5);
        page.go(5);
        assert_eq!((page.text().as_str(), page.cursor()), ("\n", (0, "")));
    }
}
