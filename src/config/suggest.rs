//! "Did you mean …?" for names that are nearly right.

/// The name that is nearest to `wrong`, if it is near enough to be meant.
pub fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const LONGEST: usize = 100;
    let wrong: Vec<char> = wrong.chars().take(LONGEST).collect();
    let far_enough = (wrong.len() / 3).clamp(1, 3);
    names
        .into_iter()
        .map(|name| (distance(&wrong, name), name))
        .filter(|(distance, _)| *distance <= far_enough)
        .min()
        .map(|(_, name)| name)
}

/// Levenshtein's distance: insertions, deletions and replacements.
fn distance(from: &[char], to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}
