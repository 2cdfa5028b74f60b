//! Folds names as Windows compares them: by their upper case, or as Active Directory does.
//!
//! Active Directory compares names by the sort keys that Windows makes for United States English, without case, kana
//! type, nonspacing marks and width ([MS-ADTS] 6.5.1). Names that are equal there must be equal here: otherwise
//! another spelling would escape a deny rule. So where the two could differ, this folds more rather than less. It is
//! based on Unicode's compatibility decomposition, with what Windows' sort keys add to it: letters with a stroke are
//! their base letter (KB 938447, and `bjørn` logs on as `bjorn`), `ß` is `ss` (KB 938447: `Meißner` and `Meissner`
//! cannot both exist), `æ` is `ae`, and small kana are large ones.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{canonical_combining_class, decompose_compatible};

/// The upper case of a UTF-16 unit in Windows' own table. Surrogates stay, and so do letters whose upper case does not
/// lead back to them (`ı`, `ſ`, `µ`). The final sigma is the only exception.
pub fn upper_unit(unit: u16) -> u16 {
    let Some(c) = char::from_u32(unit.into()) else { return unit };
    let upper = match single(c.to_uppercase()) {
        Some(upper) if c == 'ς' || single(upper.to_lowercase()) == Some(c) => upper,
        _ => c,
    };
    u16::try_from(u32::from(upper)).unwrap_or(unit)
}

fn single(mut chars: impl Iterator<Item = char>) -> Option<char> {
    chars.next().filter(|_| chars.next().is_none())
}

/// Folds a text as Active Directory compares it.
pub fn directory_text(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    text.chars().for_each(|c| fold(c, &mut folded));
    composed(folded)
}

/// Folds a name as Active Directory compares it. Unpaired surrogates stay.
pub fn directory(units: &[u16]) -> Vec<u16> {
    let mut folded = Vec::with_capacity(units.len());
    // Between two unpaired surrogates lies text.
    let mut text = String::new();
    for unit in char::decode_utf16(units.iter().copied()) {
        match unit {
            Ok(c) => fold(c, &mut text),
            Err(lone) => {
                folded.extend(composed(std::mem::take(&mut text)).encode_utf16());
                folded.push(lone.unpaired_surrogate());
            }
        }
    }
    folded.extend(composed(text).encode_utf16());
    folded
}

/// Hangul is decomposed into its letters; people read syllables.
fn composed(text: String) -> String {
    if text.is_ascii() { text } else { text.nfc().collect() }
}

fn fold(c: char, into: &mut String) {
    if c.is_ascii() {
        return into.push(c.to_ascii_uppercase());
    }
    if is_ignored(c) {
        return;
    }
    let start = into.len();
    decompose_compatible(c, |part| {
        if canonical_combining_class(part) == 0 || is_conjunct(part) {
            letter(part, into);
        }
    });
    // Only a separator that the user typed counts: `℅` does not become one.
    if into[start..].contains(['\\', '/', '@']) {
        into.truncate(start);
        into.push(c);
    }
}

/// One character of a decomposition.
fn letter(c: char, into: &mut String) {
    match c {
        'ß' | 'ẞ' => into.push_str("SS"),
        'Æ' | 'æ' => into.push_str("AE"),
        'Œ' | 'œ' => into.push_str("OE"),
        'Þ' | 'þ' => into.push_str("TH"),
        _ if is_ignored(c) => {}
        _ => into.extend(katakana(c).to_uppercase().map(base)),
    }
}

/// A letter without its stroke. Unicode does not decompose these.
fn base(c: char) -> char {
    match c {
        'Ⱥ' => 'A',
        'Ƀ' => 'B',
        'Ȼ' => 'C',
        'Đ' | 'Ð' => 'D',
        'Ɇ' => 'E',
        'Ǥ' => 'G',
        'Ħ' => 'H',
        'Ɨ' => 'I',
        'Ɉ' => 'J',
        'Ł' | 'Ƚ' => 'L',
        'Ø' | 'Ɵ' => 'O',
        'Ᵽ' => 'P',
        'Ɍ' => 'R',
        'Ŧ' | 'Ⱦ' => 'T',
        'Ʉ' => 'U',
        'Ɏ' => 'Y',
        'Ƶ' => 'Z',
        other => other,
    }
}

/// Hiragana as katakana, small as large.
fn katakana(c: char) -> char {
    let katakana = match c {
        '\u{3041}'..='\u{3096}' | '\u{309d}'..='\u{309e}' => char::from_u32(u32::from(c) + 0x60).unwrap_or(c),
        other => other,
    };
    match katakana {
        'ァ' => 'ア',
        'ィ' => 'イ',
        'ゥ' => 'ウ',
        'ェ' => 'エ',
        'ォ' => 'オ',
        'ッ' => 'ツ',
        'ャ' => 'ヤ',
        'ュ' => 'ユ',
        'ョ' => 'ヨ',
        'ヮ' => 'ワ',
        'ヵ' => 'カ',
        'ヶ' => 'ケ',
        other => other,
    }
}

/// Signs that join letters in Indic scripts are not diacritics: without them, it would be another name.
fn is_conjunct(c: char) -> bool {
    canonical_combining_class(c) == 9
}

/// Characters without weight in a sort key: marks around a character, joiners, and those that only control how text is
/// shown.
fn is_ignored(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{20d0}'..='\u{20ff}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}'
        | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(text: &str) -> String {
        let units: Vec<u16> = text.encode_utf16().collect();
        let folded = String::from_utf16_lossy(&super::directory(&units));
        assert_eq!(directory_text(text), folded);
        folded
    }

    #[test]
    fn the_directory_knows_no_case_diacritics_width_or_kana() {
        for (one, other) in [
            ("josé", "jose"),
            ("jose\u{301}", "JOSE"),
            ("Müller", "muller"),
            ("Meißner", "MEISSNER"),
            ("MEIẞNER", "meissner"),
            ("bjørn", "bjorn"),
            ("bjǫrṅ", "bjorn"),
            ("łukasz", "lukasz"),
            ("ægir", "aegir"),
            ("ｃａｔ", "cat"),
            ("jⓇn", "jrn"),
            ("ﾀﾅｶ", "たなか"),
            ("ぎゅう", "キユウ"),
            ("ıi", "İI"),
            ("al\u{200b}ice", "alice"),
            ("al\u{ad}i\u{20dd}ce", "alice"),
            ("ΣΊΣΥΦΟΣ", "σισυφος"),
            ("한", "\u{1112}\u{1161}\u{11ab}"),
        ] {
            assert_eq!(directory(one), directory(other), "{one} and {other}");
        }
    }

    #[test]
    fn what_the_directory_keeps_apart_stays_apart() {
        for (one, other) in [
            ("bjorn", "bjoern"),
            ("मीना", "मनी"),
            ("क्ष", "कष"),
            ("a-b", "ab"),
            ("한", "하"),
            ("カナ", "サナ"),
            ("c℅o", "cc/oo"),
            ("日本", "日木"),
        ] {
            assert_ne!(directory(one), directory(other), "{one} and {other}");
        }
    }

    #[test]
    fn folding_again_changes_nothing_and_makes_no_separator() {
        for c in '\0'..=char::MAX {
            let folded = directory(&c.to_string());
            assert_eq!(directory(&folded), folded, "{c:?} {:x}", u32::from(c));
            let separator = |c: char| matches!(c, '\\' | '/' | '@');
            assert!(separator(c) || !folded.contains(separator), "{c:?}");
        }
    }

    #[test]
    fn one_unit_is_one_unit() {
        let upper = |c: char| char::from_u32(upper_unit(u16::try_from(u32::from(c)).unwrap_or(0)).into());
        for (c, expected) in [
            ('é', 'É'),
            ('ÿ', 'Ÿ'),
            ('ς', 'Σ'),
            ('ß', 'ß'),
            ('ı', 'ı'),
            ('ſ', 'ſ'),
            ('µ', 'µ'),
            ('ø', 'Ø'),
            ('ぁ', 'ぁ'),
        ] {
            assert_eq!(upper(c), Some(expected), "{c}");
        }
        for unit in 0..=u16::MAX {
            assert_eq!(upper_unit(upper_unit(unit)), upper_unit(unit), "{unit:x}");
        }
        assert_eq!(upper_unit(0xd801), 0xd801);
    }
}
