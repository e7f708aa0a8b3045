//! Work that threads share.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Does the same with each item, given with its index: on `most` threads, if there are as many cores. What comes of it is in
/// the order of the items.
pub fn map<T: Sync, R: Send>(items: &[T], most: usize, each: impl Fn(usize, &T) -> R + Sync) -> Vec<R> {
    let threads = match most {
        // To count the cores, files of the kernel are read.
        0 | 1 => 1,
        most => most.min(thread::available_parallelism().map_or(1, usize::from)),
    };
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { return done };
            done.push((index, each(index, item)));
        }
    };
    let mut done = thread::scope(|scope| {
        // Without helpers this thread does it all.
        let helpers: Vec<_> =
            (1..threads).map_while(|_| thread::Builder::new().spawn_scoped(scope, work).ok()).collect();
        let mut done = work();
        for helper in helpers {
            done.extend(helper.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        done
    });
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Does one thing on a thread of its own, and another one meanwhile.
pub fn both<A: Send, B>(first: impl FnOnce() -> A + Send, second: impl FnOnce() -> B) -> (A, B) {
    thread::scope(|scope| {
        let first = scope.spawn(first);
        let second = second();
        (first.join().unwrap_or_else(|panic| resume_unwind(panic)), second)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_items_on_any_number_of_threads() {
        let items: Vec<usize> = (0..1000).collect();
        for most in [0, 1, 2, 64] {
            assert_eq!(
                map(&items, most, |index, item| (index, item * 2)),
                (0..1000).map(|n| (n, n * 2)).collect::<Vec<_>>()
            );
        }
        assert!(map(&[] as &[u8], 2, |_, _| ()).is_empty());
    }
}
