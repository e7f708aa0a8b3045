//! Two sequences as one.

/// Puts two sequences together in the order of the new one: what only the old one has stands behind what it stood behind
/// there.
///
/// `partners` has for each of the old one its index in the new one, which has `new` elements. Returned are the indices in
/// the old and in the new one.
pub(super) fn weave(partners: &[Option<usize>], new: usize) -> Vec<(Option<usize>, Option<usize>)> {
    let mut old_of = vec![None; new];
    // What stands behind nothing of the new one, and behind each of it.
    let mut first = Vec::new();
    let mut behind: Vec<Vec<usize>> = vec![Vec::new(); new];
    let mut last = None;
    for (old, partner) in partners.iter().enumerate() {
        match (partner, last) {
            (Some(new), _) => {
                last = Some(*new);
                if let Some(place) = old_of.get_mut(*new) {
                    *place = Some(old);
                }
            }
            (None, Some(last)) => behind.get_mut(last).into_iter().for_each(|olds| olds.push(old)),
            (None, None) => first.push(old),
        }
    }
    let gone = |olds: Vec<usize>| olds.into_iter().map(|old| (Some(old), None));
    let mut woven: Vec<_> = gone(first).collect();
    for (new, (old, olds)) in old_of.into_iter().zip(behind).enumerate() {
        woven.push((old, Some(new)));
        woven.extend(gone(olds));
    }
    woven
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_stays_where_it_was() {
        let woven = |partners: &[Option<usize>], new| {
            let text = |(old, new): (Option<usize>, Option<usize>)| {
                let text = |index: Option<usize>| index.map_or("-".to_owned(), |index| index.to_string());
                format!("{}{}", text(old), text(new))
            };
            weave(partners, new).into_iter().map(text).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(woven(&[], 2), "-0 -1");
        assert_eq!(woven(&[None, Some(0), None, None, Some(2)], 3), "0- 10 2- 3- -1 42");
        assert_eq!(woven(&[Some(1), None, Some(0), None], 2), "20 3- 01 1-");
    }
}
