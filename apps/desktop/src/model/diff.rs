/// A line that keeps its identity when its contents change.
pub trait Keyed: PartialEq {
    /// What it is, whatever it says.
    fn key(&self) -> &str;
}

/// One step from the old list to the new one, in order; positions are those of the list at that step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The line at this place says something else.
    Changed(usize),
    /// So many lines from here on are gone.
    Removed(usize, usize),
    /// So many lines are new from here on.
    Added(usize, usize),
}

/// The smallest set of steps that a list widget needs: what stays the same is not touched.
///
/// Equal beginnings and ends are skipped; a middle with the same keys is changed line by line, any
/// other middle is replaced. That is exact for what happens here (a word changed, lines appended,
/// a page put in front, a person moved) and never wrong.
pub fn changes<T: Keyed>(old: &[T], new: &[T]) -> Vec<Change> {
    let same = |(a, b): &(&T, &T)| a == b;
    let start = old.iter().zip(new).take_while(same).count();
    let rest = old.len().min(new.len()) - start;
    let end = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take(rest)
        .take_while(same)
        .count();
    let old_middle = old.get(start..old.len() - end).unwrap_or_default();
    let new_middle = new.get(start..new.len() - end).unwrap_or_default();
    let shared = old_middle
        .iter()
        .zip(new_middle)
        .take_while(|(a, b)| a.key() == b.key())
        .count();
    let mut steps: Vec<Change> = old_middle
        .iter()
        .zip(new_middle)
        .take(shared)
        .enumerate()
        .filter(|(_, (a, b))| a != b)
        .map(|(at, _)| Change::Changed(start + at))
        .collect();
    let (gone, come) = (old_middle.len() - shared, new_middle.len() - shared);
    let tail = old_middle
        .iter()
        .rev()
        .zip(new_middle.iter().rev())
        .take(gone.min(come))
        .take_while(|(a, b)| a.key() == b.key())
        .count();
    if gone > tail {
        steps.push(Change::Removed(start + shared, gone - tail));
    }
    if come > tail {
        steps.push(Change::Added(start + shared, come - tail));
    }
    let base = new_middle.len() - tail;
    for at in 0..tail {
        let (a, b) = (
            &old_middle[old_middle.len() - tail + at],
            &new_middle[base + at],
        );
        if a != b {
            steps.push(Change::Changed(start + base + at));
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Line(&'static str, u32);

    impl Keyed for Line {
        fn key(&self) -> &str {
            self.0
        }
    }

    /// Plays the steps on a copy of the old list, as a widget would.
    fn play(old: &[Line], new: &[Line]) -> (Vec<Line>, Vec<Change>) {
        let steps = changes(old, new);
        let mut list = old.to_vec();
        for step in &steps {
            match *step {
                Change::Changed(at) => list[at] = new[at].clone(),
                Change::Removed(at, count) => drop(list.drain(at..at + count)),
                Change::Added(at, count) => {
                    list.splice(at..at, new[at..at + count].iter().cloned());
                }
            }
        }
        (list, steps)
    }

    #[test]
    fn one_changed_word_touches_one_line() {
        let old = [Line("a", 1), Line("b", 1), Line("c", 1)];
        let new = [Line("a", 1), Line("b", 2), Line("c", 1)];
        assert_eq!(play(&old, &new), (new.to_vec(), vec![Change::Changed(1)]));
    }

    #[test]
    fn an_older_page_in_front_leaves_the_rest_alone() {
        let old = [Line("c", 1), Line("d", 1)];
        let new = [Line("a", 1), Line("b", 1), Line("c", 1), Line("d", 1)];
        assert_eq!(play(&old, &new).1, vec![Change::Added(0, 2)]);
    }

    #[test]
    fn a_page_in_front_that_joins_the_first_bubble_still_only_adds() {
        let old = [Line("c", 1), Line("d", 1)];
        let new = [Line("a", 1), Line("c", 2), Line("d", 1)];
        let (list, steps) = play(&old, &new);
        assert_eq!(list, new);
        assert_eq!(steps, vec![Change::Added(0, 1), Change::Changed(1)]);
    }

    #[test]
    fn a_new_message_below_changes_the_foot_above() {
        let old = [Line("a", 1), Line("b", 1)];
        let new = [Line("a", 1), Line("b", 2), Line("c", 1)];
        let (list, steps) = play(&old, &new);
        assert_eq!(list, new);
        assert_eq!(steps, vec![Change::Changed(1), Change::Added(2, 1)]);
    }

    #[test]
    fn any_list_becomes_any_other() {
        let pool = [
            Line("a", 1),
            Line("b", 1),
            Line("b", 2),
            Line("c", 1),
            Line("d", 9),
        ];
        let pick = |mut n: usize| {
            let mut list = Vec::new();
            while n > 0 {
                list.push(pool[n % pool.len()].clone());
                n /= pool.len();
            }
            list
        };
        for from in 0..400 {
            for to in (0..400).step_by(7) {
                let (old, new) = (pick(from), pick(to));
                assert_eq!(play(&old, &new).0, new, "from {old:?}");
            }
        }
    }
}
