//! Suggestions for mistyped names: "Did you mean ...?"

/// The known name that is nearest to a mistyped one, if it is near enough.
pub(crate) fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed: Vec<char> = typed.chars().flat_map(char::to_lowercase).take(100).collect();
    let near = (typed.len() / 3).max(1);
    let far = |name: &str| distance(&typed, &name.chars().flat_map(char::to_lowercase).take(100).collect::<Vec<_>>());
    known.into_iter().map(|name| (far(name), name)).filter(|&(far, _)| far <= near).min().map(|(_, name)| name)
}

/// The help for an unknown name: the nearest known one, or how to declare it.
pub(crate) fn help<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>, otherwise: String) -> String {
    nearest(typed, known).map_or(otherwise, |name| format!("did you mean `{name}`?"))
}

/// The number of characters that must be changed, added, left out or swapped with their neighbour.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut rows = [(0..=b.len()).collect::<Vec<_>>(), vec![0; b.len() + 1], vec![0; b.len() + 1]];
    for i in 1..=a.len() {
        let [last, before, now] = &mut rows;
        now[0] = i;
        for j in 1..=b.len() {
            now[j] = (last[j - 1] + usize::from(a[i - 1] != b[j - 1])).min(last[j] + 1).min(now[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                now[j] = now[j].min(before[j - 2] + 1);
            }
        }
        // What is now becomes the last row, the last the one before it.
        rows.rotate_right(1);
    }
    rows[0][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_meant() {
        let known = ["sales", "engineering", "contractors"];
        assert_eq!(nearest("saels", known), Some("sales"));
        assert_eq!(nearest("Sales", known), Some("sales"));
        assert_eq!(nearest("engneering", known), Some("engineering"));
        assert_eq!(nearest("finance", known), None);
        assert_eq!(nearest("", known), None);
        assert_eq!(nearest("a", ["ab"]), Some("ab"));
        assert_eq!(nearest("x", []), None);
    }
}
