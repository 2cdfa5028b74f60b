//! One line of a scenario: words, `key=value` pairs and flags.

/// A line, split into words. What is read is removed, so that anything left at the end is an error.
pub(super) struct Line<'a> {
    pub(super) first: &'a str,
    words: std::vec::IntoIter<Word<'a>>,
    rest: Vec<Word<'a>>,
}

#[derive(Clone, Copy)]
struct Word<'a> {
    key: &'a str,
    value: Option<&'a str>,
}

impl<'a> Line<'a> {
    /// Splits a line. Returns None if it is blank or a comment.
    pub(super) fn split(text: &'a str) -> Result<Option<Self>, String> {
        let mut words = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() && !rest.starts_with('#') {
            let (word, after) = word(rest)?;
            words.push(word);
            rest = after.trim_start();
        }
        let Some(first) = words.first().copied() else {
            return Ok(None);
        };
        if first.value.is_some() {
            return Err(format!("expected a time or a setting at the line's start, found `{}=`", first.key));
        }
        words.remove(0);
        let split = words.iter().position(|word| word.value.is_some()).unwrap_or(words.len());
        // Flags may come between the pairs. The words before the first pair are read in order.
        let rest = words.split_off(split);
        Ok(Some(Self { first: first.key, words: words.into_iter(), rest }))
    }

    /// Takes the next plain word. `what` describes it in the error if there is none.
    pub(super) fn word(&mut self, what: &str) -> Result<&'a str, String> {
        self.words.next().map(|word| word.key).ok_or_else(|| format!("expected {what}"))
    }

    /// Takes the next plain word, if there is one.
    pub(super) fn next_word(&mut self) -> Option<&'a str> {
        self.words.next().map(|word| word.key)
    }

    /// Takes the first pair.
    pub(super) fn pair(&mut self) -> Option<(&'a str, &'a str)> {
        let at = self.rest.iter().position(|word| word.value.is_some())?;
        let Word { key, value } = self.rest.remove(at);
        Some((key, value?))
    }

    /// Takes the only word of a setting.
    pub(super) fn only(mut self, what: &str) -> Result<&'a str, String> {
        let word = self.word(what)?;
        self.end()?;
        Ok(word)
    }

    /// Takes the value of `key`, if there is one.
    pub(super) fn key(&mut self, key: &str) -> Option<&'a str> {
        let at = self.rest.iter().position(|word| word.key == key && word.value.is_some())?;
        self.rest.remove(at).value
    }

    /// Takes the value of `key`, which is required.
    pub(super) fn needed(&mut self, key: &str) -> Result<&'a str, String> {
        self.key(key).ok_or_else(|| format!("expected `{key}=`"))
    }

    /// Takes the flag. Returns whether the line had it.
    pub(super) fn flag(&mut self, flag: &str) -> bool {
        let at = self.rest.iter().position(|word| word.key == flag && word.value.is_none());
        at.map(|at| self.rest.remove(at)).is_some()
    }

    /// Returns an error if anything is left.
    pub(super) fn end(mut self) -> Result<(), String> {
        match self.words.next().or(self.rest.first().copied()) {
            None => Ok(()),
            Some(Word { key, value: None }) => Err(format!("did not expect `{key}` here")),
            Some(Word { key, value: Some(_) }) => Err(format!("did not expect `{key}=` here, or not twice")),
        }
    }
}

/// Splits off the first word. A value may be in double quotes.
fn word(text: &str) -> Result<(Word<'_>, &str), String> {
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let Some((key, value)) = text.split_once('=').filter(|(key, _)| key.len() < end) else {
        return Ok((Word { key: &text[..end], value: None }, &text[end..]));
    };
    if let Some(quoted) = value.strip_prefix('"') {
        let (value, after) = quoted.split_once('"').ok_or_else(|| format!("the quote after `{key}=` does not end"))?;
        return Ok((Word { key, value: Some(value) }, after));
    }
    let end = value.find(char::is_whitespace).unwrap_or(value.len());
    Ok((Word { key, value: Some(&value[..end]) }, &value[end..]))
}
