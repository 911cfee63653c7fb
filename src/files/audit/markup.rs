//! Documents: Markdown and reST, cut into prose, code within a sentence and blocks of code.

use super::source;
use crate::domain::audit::{Passage, Voice};

/// Languages whose blocks are typed into a shell; a block without a language is one too.
const SHELLS: [&str; 10] = [
    "",
    "sh",
    "bash",
    "zsh",
    "shell",
    "console",
    "shell-session",
    "text",
    "make",
    "fish",
];

/// Markdown, and plain text.
pub(super) fn markdown(text: &str) -> Vec<Passage> {
    let lines: Vec<&str> = text.lines().collect();
    let mut all = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let trimmed = lines[at].trim_start().trim_start_matches("> ");
        let fence = ["```", "~~~"]
            .into_iter()
            .find(|fence| trimmed.starts_with(fence));
        let Some(fence) = fence else {
            sentence(at + 1, lines[at], &around(&lines, at), &mut all);
            at += 1;
            continue;
        };
        let language = trimmed.trim_start_matches(['`', '~']).trim();
        let from = at + 1;
        let to = (from..lines.len())
            .find(|next| lines[*next].trim_start().starts_with(fence))
            .unwrap_or(lines.len());
        block(language, from, &lines[from..to], &mut all);
        at = to + 1;
    }
    all
}

/// A block of code that begins after line `from`.
fn block(language: &str, from: usize, lines: &[&str], all: &mut Vec<Passage>) {
    let language = language.split([' ', '{', ',']).next().unwrap_or_default();
    let text = lines.join("\n");
    let passages = if SHELLS.contains(&language.to_ascii_lowercase().as_str()) {
        // A prompt is not typed.
        let typed: Vec<&str> = lines
            .iter()
            .map(|line| {
                let line = line.trim_start();
                line.strip_prefix("$ ").unwrap_or(line)
            })
            .collect();
        source::script(&typed.join("\n"))
    } else if ["yaml", "yml", "toml", "ini", "env", "dotenv", "properties"].contains(&language) {
        source::data(&text, true)
    } else if language == "json" {
        source::data(&text, false)
    } else {
        source::program(&text, "#")
    };
    all.extend(passages.into_iter().map(|passage| Passage {
        line: passage.line + from,
        ..passage
    }));
}

/// The paragraph's lines beside line `at`, which may say that it is not meant so.
fn around(lines: &[&str], at: usize) -> String {
    let is_joint = |line: &str| {
        let line = line.trim_start();
        line.is_empty() || line.starts_with(['#', '|', '-', '*', '>']) || line.starts_with("```")
    };
    let mut text = String::new();
    if at > 0 && !is_joint(lines[at]) && !lines[at - 1].trim().is_empty() {
        text.push_str(lines[at - 1]);
        text.push(' ');
    }
    text.push_str(lines[at]);
    if let Some(next) = lines.get(at + 1)
        && !is_joint(next)
    {
        text.push(' ');
        text.push_str(next);
    }
    text
}

/// A line of prose: what is quoted as code in it, and the rest.
fn sentence(line: usize, text: &str, around: &str, all: &mut Vec<Passage>) {
    let text = text.trim();
    if text.is_empty() {
        return;
    }
    let mut prose = String::new();
    // reST quotes with two, which is the same here.
    let text = text.replace("``", "`");
    let mut parts = text.split('`');
    let mut quoted = false;
    for part in parts.by_ref() {
        if quoted && !part.is_empty() {
            all.push(Passage {
                line,
                voice: Voice::Inline,
                text: part.to_owned(),
                around: around.to_owned(),
            });
            // What was quoted has spoken; the words around it stay words around something.
            prose.push_str(" … ");
        } else {
            prose.push_str(part);
        }
        quoted = !quoted;
    }
    let prose = prose.trim();
    if !prose.is_empty() {
        all.push(Passage {
            line,
            voice: Voice::Prose,
            text: prose.to_owned(),
            around: around.to_owned(),
        });
    }
}

/// reST: `.. code-block::` and `::` begin blocks of code, which are indented.
pub(super) fn rest(text: &str) -> Vec<Passage> {
    let lines: Vec<&str> = text.lines().collect();
    let mut all = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        let trimmed = line.trim_start();
        let indent = line.len() - trimmed.len();
        let directive = [".. code-block::", ".. code::", ".. sourcecode::"]
            .into_iter()
            .find_map(|start| trimmed.strip_prefix(start));
        let literal = directive.is_none() && trimmed.ends_with("::") && !trimmed.starts_with("..");
        if literal {
            sentence(at + 1, line, &around(&lines, at), &mut all);
        }
        if directive.is_none() && !literal {
            sentence(at + 1, line, &around(&lines, at), &mut all);
            at += 1;
            continue;
        }
        let from = at + 1;
        let is_inside =
            |line: &str| line.trim().is_empty() || line.len() - line.trim_start().len() > indent;
        let to = (from..lines.len())
            .find(|next| !is_inside(lines[*next]))
            .unwrap_or(lines.len());
        block(
            directive.unwrap_or_default().trim(),
            from,
            &lines[from..to],
            &mut all,
        );
        at = to;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voices(passages: &[Passage]) -> Vec<(usize, Voice, &str)> {
        passages
            .iter()
            .map(|p| (p.line, p.voice, p.text.as_str()))
            .collect()
    }

    #[test]
    fn markdown_is_prose_code_and_blocks() {
        let text = "# Title\nRun `make up` now.\n\n```bash\n$ docker compose \\\n  up\n# not this\n```\nend\n";
        assert_eq!(
            voices(&markdown(text)),
            [
                (1, Voice::Prose, "# Title"),
                (2, Voice::Inline, "make up"),
                (2, Voice::Prose, "Run  …  now."),
                (5, Voice::Command, "docker compose up"),
                (7, Voice::Comment, "not this"),
                (9, Voice::Prose, "end"),
            ]
        );
    }

    #[test]
    fn rest_has_blocks_by_indentation() {
        let text = "Do this::\n\n    docker compose up\n\nthen\n\n.. code-block:: yaml\n\n   a: b # c\n\nend ``x`` here\n";
        assert_eq!(
            voices(&rest(text)),
            [
                (1, Voice::Prose, "Do this::"),
                (3, Voice::Command, "docker compose up"),
                (5, Voice::Prose, "then"),
                (9, Voice::Data, "a: b"),
                (9, Voice::Comment, "c"),
                (11, Voice::Inline, "x"),
                (11, Voice::Prose, "end  …  here"),
            ]
        );
    }
}
