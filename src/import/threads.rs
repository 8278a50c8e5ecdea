//! Pieces of work, done on several threads and handed back in the order of the pieces.

use std::{
    io,
    num::NonZero,
    sync::mpsc::{channel, sync_channel},
    thread,
};

/// More threads than this wait for whoever reads the log.
const MOST: usize = 8;

/// What hands on a piece.
pub(super) type Give<'a, P> = dyn FnMut(P) -> io::Result<()> + 'a;

/// Each thread makes something of its own and does pieces with it; `feed` gives the pieces, `take` gets what came of them, in
/// order and before all pieces are given. At the end comes what the threads had made.
pub(super) fn in_order<P: Send, R: Send, W: Send>(
    make: impl Fn() -> W + Sync,
    work: impl Fn(&mut W, P) -> R + Sync,
    feed: impl FnOnce(&mut Give<'_, P>) -> io::Result<()>,
    mut take: impl FnMut(R) -> io::Result<()>,
) -> io::Result<Vec<W>> {
    let count = thread::available_parallelism().map_or(1, NonZero::get).min(MOST);
    thread::scope(|scope| {
        let (mut gives, mut results, mut threads) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..count {
            let (give, pieces) = sync_channel::<P>(1);
            let (done, result) = channel::<R>();
            let (make, work) = (&make, &work);
            threads.push(scope.spawn(move || {
                let mut own = make();
                while let Ok(piece) = pieces.recv() {
                    let came = work(&mut own, piece);
                    // Nobody waits for it any more where something else went wrong.
                    _ = done.send(came);
                }
                own
            }));
            gives.push(give);
            results.push(result);
        }
        let mut take_next = |number: usize| take(results[number % count].recv().map_err(gone)?);
        let (mut given, mut taken) = (0, 0);
        feed(&mut |piece| {
            // Each has one piece under way and one that waits, and no more of them are in memory.
            if given - taken == 2 * count {
                take_next(taken)?;
                taken += 1;
            }
            given += 1;
            gives[(given - 1) % count].send(piece).map_err(gone)
        })?;
        while taken < given {
            take_next(taken)?;
            taken += 1;
        }
        drop(gives);
        threads.into_iter().map(|thread| thread.join().map_err(|_| io::Error::other("a thread of the import panicked"))).collect()
    })
}

/// Whatever is said by a channel whose other end is no longer there.
fn gone<E>(_: E) -> io::Error {
    io::Error::other("a thread of the import ended")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_of_them_comes_in_order() {
        let mut came = Vec::new();
        let work = |done: &mut u64, piece: u64| {
            *done += 1;
            piece * 2
        };
        let feed = |give: &mut Give<'_, u64>| (0..1000).try_for_each(give);
        let made = in_order(
            || 0,
            work,
            feed,
            |result| {
                came.push(result);
                Ok(())
            },
        );
        assert_eq!(came, (0..1000).map(|piece| piece * 2).collect::<Vec<_>>());
        assert_eq!(made.unwrap().into_iter().sum::<u64>(), 1000);
    }

    #[test]
    fn what_goes_wrong_ends_it() {
        let feed = |give: &mut Give<'_, u64>| (0..1000).try_for_each(give);
        let made = in_order(|| (), |(), piece| piece, feed, |_| Err(io::Error::other("full")));
        assert_eq!(made.unwrap_err().to_string(), "full");
    }
}
