//! Label selectors: `a=b,c!=d,e in (f,g),!h`.

use serde_json::Value;

use crate::sandbox::status::Status;
use crate::sandbox::validate;

/// One condition on the labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Requirement {
    key: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Exists,
    Missing,
    In(Vec<String>),
    NotIn(Vec<String>),
    Greater(i64),
    Less(i64),
}

impl Requirement {
    pub(super) fn holds(&self, labels: &Value) -> bool {
        let value = labels.get(&self.key).and_then(Value::as_str);
        let number = || value.and_then(|text| text.parse::<i64>().ok());
        match &self.test {
            Test::Exists => value.is_some(),
            Test::Missing => value.is_none(),
            Test::In(wanted) => value.is_some_and(|value| wanted.iter().any(|one| one == value)),
            // An object without the label is "not in" as well.
            Test::NotIn(wanted) => value.is_none_or(|value| wanted.iter().all(|one| one != value)),
            Test::Greater(than) => number().is_some_and(|value| value > *than),
            Test::Less(than) => number().is_some_and(|value| value < *than),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Sign(&'static str),
}

pub(super) fn parse(text: &str) -> Result<Vec<Requirement>, Status> {
    let tokens = tokens(text);
    let mut rest = tokens.as_slice();
    let mut found = Vec::new();
    while !rest.is_empty() {
        found.push(requirement(&mut rest)?);
        match rest {
            [] => break,
            [Token::Sign(","), Token::Word(_) | Token::Sign("!"), ..] => rest = &rest[1..],
            [Token::Sign(","), other, ..] => {
                return Err(unexpected(Some(other), "identifier after ','"));
            }
            [Token::Sign(",")] => return Err(unexpected(None, "identifier after ','")),
            [other, ..] => {
                let whole = unexpected(Some(other), "',' or 'end of string'").message;
                return Err(Status::bad_request(
                    whole.trim_start_matches("unable to parse requirement: "),
                ));
            }
        }
    }
    Ok(found)
}

fn requirement(rest: &mut &[Token]) -> Result<Requirement, Status> {
    let negated = rest.first() == Some(&Token::Sign("!"));
    if negated {
        *rest = &rest[1..];
    }
    let key = word(rest)?;
    if let Some(fault) = validate::label_key(&key).first() {
        return Err(Status::bad_request(format!(
            "unable to parse requirement: <nil>: Invalid value: {key:?}: {fault}"
        )));
    }
    let done = |test| {
        Ok(Requirement {
            key: key.clone(),
            test,
        })
    };
    let Some(next) = rest
        .first()
        .filter(|token| !negated && **token != Token::Sign(","))
    else {
        return done(if negated { Test::Missing } else { Test::Exists });
    };
    *rest = &rest[1..];
    match next {
        Token::Sign("=" | "==") => done(Test::In(vec![value(rest)?])),
        Token::Sign("!=") => done(Test::NotIn(vec![value(rest)?])),
        Token::Sign(sign @ (">" | "<")) => {
            let bound = word(rest)?;
            let bound = bound.parse().map_err(|_| {
                Status::bad_request(format!(
                    "unable to parse requirement: values[0][{key}]: Invalid value: {bound:?}: for 'Gt', 'Lt' operators, the value must be an integer"
                ))
            })?;
            done(if *sign == ">" {
                Test::Greater(bound)
            } else {
                Test::Less(bound)
            })
        }
        Token::Word(word) if word == "in" => done(Test::In(set(rest)?)),
        Token::Word(word) if word == "notin" => done(Test::NotIn(set(rest)?)),
        other => Err(unexpected(Some(other), "in, notin, =, ==, !=, gt, lt")),
    }
}

/// The next word, which must be there.
fn word(rest: &mut &[Token]) -> Result<String, Status> {
    match rest.first() {
        Some(Token::Word(word)) => {
            *rest = &rest[1..];
            Ok(word.clone())
        }
        other => Err(unexpected(other, "identifier")),
    }
}

/// A value after `=`, which may be empty.
fn value(rest: &mut &[Token]) -> Result<String, Status> {
    match rest.first() {
        None | Some(Token::Sign(",")) => Ok(String::new()),
        _ => word(rest),
    }
}

/// `(a,b)`.
fn set(rest: &mut &[Token]) -> Result<Vec<String>, Status> {
    if rest.first() != Some(&Token::Sign("(")) {
        let whole = unexpected(rest.first(), "'('").message;
        return Err(Status::bad_request(
            whole.replace(", expected", " expected"),
        ));
    }
    *rest = &rest[1..];
    let mut values = Vec::new();
    let mut after_word = false;
    loop {
        match rest.first() {
            Some(Token::Word(word)) => {
                values.push(word.clone());
                after_word = true;
            }
            Some(Token::Sign(",")) => after_word = false,
            Some(Token::Sign(")")) => {
                *rest = &rest[1..];
                return Ok(values);
            }
            other if after_word => return Err(unexpected(other, "',' or ')'")),
            other => return Err(unexpected(other, "',', ')' or identifier")),
        }
        *rest = &rest[1..];
    }
}

fn unexpected(found: Option<&Token>, expected: &str) -> Status {
    let found = match found {
        None => "",
        Some(Token::Word(word)) => word,
        Some(Token::Sign(sign)) => sign,
    };
    Status::bad_request(format!(
        "unable to parse requirement: found '{found}', expected: {expected}"
    ))
}

fn tokens(text: &str) -> Vec<Token> {
    const SIGNS: &[&str] = &["==", "!=", "=", "!", "<", ">", "(", ")", ","];
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            found.push(Token::Sign(sign));
            rest = rest[sign.len()..].trim_start();
        } else {
            let end = rest
                .find(|c: char| c.is_whitespace() || "=!<>(),".contains(c))
                .unwrap_or(rest.len());
            found.push(Token::Word(rest[..end].to_owned()));
            rest = rest[end..].trim_start();
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn conditions_hold_as_the_server_says() {
        let labels = json!({"app": "web", "tier": "front", "n": "5", "empty": ""});
        let table = [
            ("app=web", true),
            ("app == web,tier!=back", true),
            ("app in (db, web)", true),
            ("app notin (db),other notin (x)", true),
            ("!other,app", true),
            ("!app", false),
            ("n>4,n<6", true),
            ("n>5", false),
            ("empty=", true),
            ("other!=x", true),
            ("", true),
        ];
        for (text, expected) in table {
            let all = parse(text).unwrap();
            assert_eq!(all.iter().all(|one| one.holds(&labels)), expected, "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["a===b", "a in b", "a in (b", ",a", "a,", "a b", "a>x"] {
            assert_eq!(parse(text).unwrap_err().code, 400, "{text}");
        }
        assert_eq!(
            parse("a===b").unwrap_err().message,
            "unable to parse requirement: found '=', expected: identifier"
        );
    }
}
