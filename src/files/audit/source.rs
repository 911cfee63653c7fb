//! Scripts, Makefiles, steps of CI, programs and configurations, line by line.

use crate::domain::audit::{Passage, Voice};

/// A line with its number from 1, joined with those that it continues on.
struct Joined {
    line: usize,
    text: String,
}

/// Lines, those that end in a backslash joined with the next.
fn joined(text: &str) -> Vec<Joined> {
    let mut all: Vec<Joined> = Vec::new();
    let mut goes_on = false;
    for (at, line) in text.lines().enumerate() {
        let line = line.trim_end();
        let (part, more) = match line.strip_suffix('\\') {
            Some(part) => (part, true),
            None => (line, false),
        };
        match all.last_mut() {
            Some(last) if goes_on => {
                // As a shell does: a word that is broken in the middle is one word again.
                let apart = last.text.ends_with(char::is_whitespace)
                    || part.starts_with(char::is_whitespace);
                last.text.truncate(last.text.trim_end().len());
                if apart {
                    last.text.push(' ');
                }
                last.text.push_str(part.trim_start());
            }
            _ => all.push(Joined {
                line: at + 1,
                text: part.to_owned(),
            }),
        }
        goes_on = more;
    }
    all
}

fn passage(line: usize, voice: Voice, text: &str) -> Option<Passage> {
    let text = text.trim();
    (!text.is_empty()).then(|| Passage {
        line,
        voice,
        text: text.to_owned(),
        around: String::new(),
    })
}

/// What a line says, and what its comment says.
fn parted<'a>(text: &'a str, mark: &str) -> (&'a str, &'a str) {
    if text.trim_start().starts_with(mark) {
        return ("", text.trim_start().trim_start_matches(mark));
    }
    // A mark within quotes or a word is none: `${#list}`, `"#1"`, `http://…`.
    let mut quote = None;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match quote {
            Some(open) if c == open && before != '\\' => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if before.is_whitespace() && text[at..].starts_with(mark) => {
                return (&text[..at], text[at..].trim_start_matches(mark));
            }
            _ => {}
        }
        before = c;
    }
    (text, "")
}

fn both(line: usize, text: &str, mark: &str, voice: Voice) -> impl Iterator<Item = Passage> {
    let (said, comment) = parted(text, mark);
    [
        passage(line, voice, said),
        passage(line, Voice::Comment, comment),
    ]
    .into_iter()
    .flatten()
}

/// A shell script.
pub(super) fn script(text: &str) -> Vec<Passage> {
    joined(text)
        .iter()
        .flat_map(|one| both(one.line, &one.text, "#", Voice::Command))
        .collect()
}

/// A Makefile: recipes and variables alike end in a shell.
pub(super) fn makefile(text: &str) -> Vec<Passage> {
    script(text)
}

/// A program whose comments begin with `mark`; a block comment's lines and a docstring's are comments too.
pub(super) fn program(text: &str, mark: &str) -> Vec<Passage> {
    let mut block = Block::default();
    let mut all = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if block.is_comment(line, mark) {
            all.extend(passage(at + 1, Voice::Comment, line));
        } else {
            all.extend(both(at + 1, line, mark, Voice::Code));
        }
    }
    all
}

/// Where block comments and docstrings begin and end.
#[derive(Default)]
struct Block {
    until: Option<&'static str>,
}

impl Block {
    fn is_comment(&mut self, line: &str, mark: &str) -> bool {
        let trimmed = line.trim_start();
        if let Some(end) = self.until {
            if trimmed.contains(end) {
                self.until = None;
            }
            return true;
        }
        let opens: &[(&str, &'static str)] = match mark {
            "//" => &[("/*", "*/")],
            // Only where it stands alone: elsewhere it is a text of the program.
            "#" => &[("\"\"\"", "\"\"\""), ("'''", "'''")],
            _ => &[],
        };
        for (open, end) in opens {
            if let Some(rest) = trimmed.strip_prefix(open) {
                if !rest.contains(end) {
                    self.until = Some(end);
                }
                return true;
            }
        }
        false
    }
}

/// Keys and values.
pub(super) fn data(text: &str, comments: bool) -> Vec<Passage> {
    let lines = text.lines().enumerate();
    if comments {
        lines
            .flat_map(|(at, line)| both(at + 1, line, "#", Voice::Data))
            .collect()
    } else {
        lines
            .filter_map(|(at, line)| passage(at + 1, Voice::Data, line))
            .collect()
    }
}

/// Keys that hold commands in the languages of CI.
const STEPS: [&str; 8] = [
    "run",
    "script",
    "before_script",
    "after_script",
    "command",
    "cmd",
    "cmds",
    "entry",
];

/// Steps of CI: what stands under a key for commands is run.
pub(super) fn workflow(text: &str) -> Vec<Passage> {
    let mut all = Vec::new();
    // Indentation of the key whose value is being read.
    let mut under: Option<usize> = None;
    for one in joined(text) {
        let line = one.text.as_str();
        let content = line.trim_start();
        let indent = line.len() - content.len();
        let bare = content.strip_prefix("- ").unwrap_or(content);
        if under
            .is_some_and(|key| !content.is_empty() && indent <= key && !content.starts_with("- "))
        {
            under = None;
        }
        let key = bare
            .split_once(':')
            .filter(|(key, _)| STEPS.contains(&key.trim()));
        match key {
            Some((_, value)) if under.is_none() => {
                under = Some(indent);
                all.extend(both(one.line, value, "#", Voice::Command));
            }
            _ if under.is_some() => all.extend(both(one.line, bare, "#", Voice::Command)),
            _ => all.extend(both(one.line, line, "#", Voice::Data)),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_go_on_as_in_a_shell() {
        let text = "docker-\\\ncompose \\\n  up \\\n\t-d\nnext\n";
        let all: Vec<(usize, String)> = joined(text)
            .into_iter()
            .map(|line| (line.line, line.text))
            .collect();
        let one = (1, "docker-compose up -d".to_owned());
        assert_eq!(all, [one, (5, "next".to_owned())]);
    }
}
