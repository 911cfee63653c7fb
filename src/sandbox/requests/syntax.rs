//! What is wrong with a text that is no JSON, in the words of Go's decoder.

/// How deep the real server's decoder follows.
const DEEPEST: usize = 10_000;

/// The complaint about a text; `None` for JSON.
pub(in crate::sandbox) fn complaint(text: &[u8]) -> Option<String> {
    let mut scanner = Scanner { text, at: 0 };
    scanner.document().err()
}

type Scan = Result<(), String>;

struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
}

/// What a container expects after one of its values.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Object,
    List,
}

impl Scanner<'_> {
    /// Iterative, as depth is the client's choice.
    fn document(&mut self) -> Scan {
        let mut open: Vec<Inside> = Vec::new();
        loop {
            // Before a value.
            match self.peek()? {
                b'{' => {
                    self.at += 1;
                    if self.peek()? != b'}' {
                        deep(&open, '{')?;
                        self.key()?;
                        open.push(Inside::Object);
                        continue;
                    }
                    self.at += 1;
                }
                b'[' => {
                    self.at += 1;
                    if self.peek()? != b']' {
                        deep(&open, '[')?;
                        open.push(Inside::List);
                        continue;
                    }
                    self.at += 1;
                }
                b'"' => self.string()?,
                b't' => self.word("true")?,
                b'f' => self.word("false")?,
                b'n' => self.word("null")?,
                b'-' | b'0'..=b'9' => self.number()?,
                other => return Err(unexpected(other, "looking for beginning of value")),
            }
            // After a value.
            loop {
                let Some(inside) = open.last() else {
                    return match self.skip_space() {
                        None => Ok(()),
                        Some(more) => Err(unexpected(more, "after top-level value")),
                    };
                };
                match (inside, self.peek()?) {
                    (Inside::Object, b',') => {
                        self.at += 1;
                        self.key()?;
                        break;
                    }
                    (Inside::List, b',') => {
                        self.at += 1;
                        break;
                    }
                    (Inside::Object, b'}') | (Inside::List, b']') => {
                        self.at += 1;
                        open.pop();
                    }
                    (Inside::Object, other) => {
                        return Err(unexpected(other, "after object key:value pair"));
                    }
                    (Inside::List, other) => return Err(unexpected(other, "after array element")),
                }
            }
        }
    }

    fn key(&mut self) -> Scan {
        match self.peek()? {
            b'"' => self.string()?,
            other => {
                return Err(unexpected(
                    other,
                    "looking for beginning of object key string",
                ));
            }
        }
        match self.peek()? {
            b':' => {
                self.at += 1;
                Ok(())
            }
            other => Err(unexpected(other, "after object key")),
        }
    }

    fn string(&mut self) -> Scan {
        self.at += 1;
        loop {
            match self.next()? {
                b'"' => return Ok(()),
                b'\\' => match self.next()? {
                    b'u' => {
                        for _ in 0..4 {
                            let digit = self.next()?;
                            if !digit.is_ascii_hexdigit() {
                                return Err(unexpected(
                                    digit,
                                    r"in \u hexadecimal character escape",
                                ));
                            }
                        }
                    }
                    b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"' => {}
                    other => return Err(unexpected(other, "in string escape code")),
                },
                control @ 0..=0x1f => return Err(unexpected(control, "in string literal")),
                _ => {}
            }
        }
    }

    fn word(&mut self, word: &str) -> Scan {
        for (index, wanted) in word.bytes().enumerate() {
            let found = self.next()?;
            if found != wanted {
                let place = format!("in literal {word} (expecting '{}')", &word[index..=index]);
                return Err(unexpected(found, &place));
            }
        }
        Ok(())
    }

    fn number(&mut self) -> Scan {
        let mut first = self.next()?;
        if first == b'-' {
            first = self.next()?;
            if !first.is_ascii_digit() {
                return Err(unexpected(first, "in numeric literal"));
            }
        }
        if first != b'0' {
            self.digits();
        }
        if self.here() == Some(b'.') {
            self.at += 1;
            self.digit("after decimal point in numeric literal")?;
            self.digits();
        }
        if matches!(self.here(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.here(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digit("in exponent of numeric literal")?;
            self.digits();
        }
        Ok(())
    }

    fn digit(&mut self, place: &str) -> Scan {
        let found = self.next()?;
        if found.is_ascii_digit() {
            Ok(())
        } else {
            Err(unexpected(found, place))
        }
    }

    fn digits(&mut self) {
        while self.here().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
    }

    fn here(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Result<u8, String> {
        let byte = self.here().ok_or_else(ended)?;
        self.at += 1;
        Ok(byte)
    }

    fn skip_space(&mut self) -> Option<u8> {
        while matches!(self.here(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
        self.here()
    }

    fn peek(&mut self) -> Result<u8, String> {
        self.skip_space().ok_or_else(ended)
    }
}

/// Whether one more thing may be opened.
fn deep(open: &[Inside], next: char) -> Scan {
    if open.len() >= DEEPEST {
        return Err(format!("invalid character '{next}' exceeded max depth"));
    }
    Ok(())
}

/// Sound JSON without what is nested deeper than any field of any kind: there stand an empty object or an empty list.
pub(super) fn shallow(text: &[u8]) -> Vec<u8> {
    const KEPT: usize = 100;
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    let mut out = Vec::new();
    for byte in text {
        let is_text = in_text;
        if in_text {
            in_text = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
        } else if *byte == b'"' {
            in_text = true;
        } else if matches!(byte, b'{' | b'[') {
            depth += 1;
        }
        let closes = !is_text && matches!(byte, b'}' | b']');
        let opens = !is_text && matches!(byte, b'{' | b'[');
        if depth < KEPT || (depth == KEPT && (opens || closes)) {
            out.push(*byte);
        }
        if closes {
            depth = depth.saturating_sub(1);
        }
    }
    out
}

fn ended() -> String {
    "unexpected end of JSON input".to_owned()
}

fn unexpected(found: u8, place: &str) -> String {
    let shown = match found {
        b'\'' => r"\'".to_owned(),
        b'"' => "\"".to_owned(),
        b'\\' => r"\\".to_owned(),
        0x07 => r"\a".to_owned(),
        0x08 => r"\b".to_owned(),
        b'\t' => r"\t".to_owned(),
        b'\n' => r"\n".to_owned(),
        0x0b => r"\v".to_owned(),
        0x0c => r"\f".to_owned(),
        b'\r' => r"\r".to_owned(),
        0..=0x1f | 0x7f => format!(r"\x{found:02x}"),
        0x80..=0xa0 | 0xad => format!(r"\u{found:04x}"),
        other => char::from(other).to_string(),
    };
    format!("invalid character '{shown}' {place}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_in_gos_words() {
        for (text, told) in [
            ("{", "unexpected end of JSON input"),
            ("", "unexpected end of JSON input"),
            (
                "not json",
                "invalid character 'o' in literal null (expecting 'u')",
            ),
            ("{} {}", "invalid character '{' after top-level value"),
            (
                "{a}",
                "invalid character 'a' looking for beginning of object key string",
            ),
            (r#"{"a" 1}"#, "invalid character '1' after object key"),
            (
                r#"{"a":1 2}"#,
                "invalid character '2' after object key:value pair",
            ),
            ("[1 2]", "invalid character '2' after array element"),
            (
                "[1,]",
                "invalid character ']' looking for beginning of value",
            ),
            (r#"["\x"]"#, "invalid character 'x' in string escape code"),
            (
                r#"["\u00g0"]"#,
                r"invalid character 'g' in \u hexadecimal character escape",
            ),
            ("[\"a\n\"]", r"invalid character '\n' in string literal"),
            (
                "[1.x]",
                "invalid character 'x' after decimal point in numeric literal",
            ),
            (
                "[1ex]",
                "invalid character 'x' in exponent of numeric literal",
            ),
            ("[-x]", "invalid character 'x' in numeric literal"),
            (
                "\u{0}",
                r"invalid character '\x00' looking for beginning of value",
            ),
        ] {
            assert_eq!(complaint(text.as_bytes()).as_deref(), Some(told), "{text}");
        }
        let deep = "[".repeat(20_000);
        assert_eq!(
            complaint(deep.as_bytes()).as_deref(),
            Some("invalid character '[' exceeded max depth")
        );
    }

    #[test]
    fn what_lies_too_deep_is_left_out() {
        let text = r#"{"a":"[{\"","b":[1,{}]}"#;
        assert_eq!(shallow(text.as_bytes()), text.as_bytes());
        let deep = format!(r#"{{"a":{}{},"b":1}}"#, "[".repeat(5000), "]".repeat(5000));
        let read: serde_json::Value = serde_json::from_slice(&shallow(deep.as_bytes())).unwrap();
        assert!(read["a"].is_array());
        assert_eq!(read["b"], 1);
    }

    #[test]
    fn json_is_left_in_peace() {
        for text in [
            "null",
            " [] ",
            r#"{"a":[1,-0.5e+3,"\u00e4\n",true,false,null,{}],"b":{"c":[]}}"#,
        ] {
            assert_eq!(complaint(text.as_bytes()), None, "{text}");
        }
    }
}
