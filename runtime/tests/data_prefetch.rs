//! Batches that are fetched ahead: the same as those that are not, whatever the threads do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use typenet_runtime::data::{Augment, Dataset, Examples, Prefetch, Sampler, View};
use typenet_runtime::{Error, Result};

/// Numbers that tell epoch and index; what `calls` says happens at the call of this number.
struct Source<F> {
    len: usize,
    calls: AtomicUsize,
    at_call: F,
}

impl<F: Fn(usize) -> Result<()> + Sync> Source<F> {
    fn new(len: usize, at_call: F) -> Source<F> {
        Source { len, calls: AtomicUsize::new(0), at_call }
    }
}

impl<F: Fn(usize) -> Result<()> + Sync> Examples<[f32; 2], usize> for Source<F> {
    fn len(&self) -> usize {
        self.len
    }

    fn target(&self, _: View, index: usize) -> Result<usize> {
        Ok(index)
    }

    fn inputs_into(&self, view: View, indices: &[usize], numbers: &mut [f32]) -> Result<()> {
        (self.at_call)(self.calls.fetch_add(1, Ordering::Relaxed))?;
        let View::Epoch(epoch) = view else { panic!("training sees epochs") };
        for (numbers, &index) in numbers.chunks_exact_mut(2).zip(indices) {
            numbers.copy_from_slice(&[epoch as f32, index as f32]);
        }
        Ok(())
    }
}

/// Epoch, index, whether it is the last, inputs and targets of a batch.
type Seen = (usize, usize, bool, Vec<f32>, Vec<usize>);

fn seen<I: typenet_engine::Flat>(
    prefetch: Prefetch<'_, usize>,
    _: &dyn Examples<I, usize>,
) -> Vec<Seen> {
    prefetch.run(|batches| {
        let mut all = Vec::new();
        while let Some(batch) = batches.next().unwrap() {
            assert_eq!(batch.examples.len(), batch.targets.len());
            all.push((
                batch.epoch,
                batch.index,
                batch.is_last,
                batch.inputs.clone(),
                batch.targets.clone(),
            ));
        }
        assert!(batches.next().unwrap().is_none(), "the end stays the end");
        all
    })
}

#[test]
fn batches_come_in_the_order_of_the_sampler() {
    // Every third call takes longer, so that threads overtake one another.
    let source = Source::new(10, |call| {
        thread::sleep(Duration::from_micros(if call % 3 == 0 { 800 } else { 50 }));
        Ok(())
    });
    for replacement in [false, true] {
        let sampler = || Sampler::new(10, 4, 42).with_replacement(replacement);
        let mut expected: Vec<Seen> = Vec::new();
        for epoch in 0..5 {
            let mut sampler = sampler();
            sampler.shuffle(epoch);
            for (index, examples) in sampler.batches().enumerate() {
                let inputs = examples.iter().flat_map(|&i| [epoch as f32, i as f32]).collect();
                expected.push((epoch, index, index == 2, inputs, examples.to_vec()));
            }
        }
        for threads in [0, 1, 2, 5] {
            for ahead in [1, 2, 8] {
                let prefetch = || Prefetch::new(&source, sampler()).threads(threads).ahead(ahead);
                assert_eq!(seen(prefetch().epochs(0..5), &source), expected);
                assert_eq!(seen(prefetch().epochs(2..5), &source), expected[6..]);
                let later = prefetch().epochs(1..3).from_batch(2);
                assert_eq!(seen(later, &source), expected[5..9]);
                // The place behind the last batch is the start of the next epoch.
                let later = prefetch().epochs(1..3).from_batch(3);
                assert_eq!(seen(later, &source), expected[6..9]);
                assert_eq!(seen(prefetch().epochs(3..3), &source), []);
            }
        }
    }
    let empty = Source::new(0, |_| Ok(()));
    for threads in [0, 1, 3] {
        let prefetch = Prefetch::new(&empty, Sampler::new(0, 4, 1)).threads(threads);
        assert_eq!(seen(prefetch, &empty), []);
    }
}

#[test]
fn an_error_comes_where_its_batch_would() {
    for threads in [0, 1, 3] {
        let fails_at = |failing: usize| {
            // By the examples, not by the calls: several threads call in any order.
            let source = Dataset::<[f32; 1]>::from_flat(vec![0.0; 40], (0..40).collect()).unwrap();
            let mut sampler = Sampler::new(if failing < 10 { 40 } else { 41 }, 4, 3);
            sampler.shuffle(0);
            let bad = sampler.batches().position(|batch| batch.contains(&40));
            let good =
                Prefetch::new(&source, sampler).epochs(0..1).threads(threads).run(|batches| {
                    let mut good = 0;
                    loop {
                        match batches.next() {
                            Ok(Some(_)) => good += 1,
                            Ok(None) => return (good, None),
                            Err(error) => {
                                assert!(
                                    batches.next().unwrap().is_none(),
                                    "nothing after an error"
                                );
                                return (good, Some(error));
                            }
                        }
                    }
                });
            (good, bad)
        };
        assert!(matches!(fails_at(0), ((10, None), None)));
        let ((good, error), bad) = fails_at(10);
        assert_eq!(Some(good), bad);
        assert!(matches!(error, Some(Error::Argument { name: "index", .. })));
    }
}

#[test]
fn a_panic_of_the_source_is_one_of_the_run() {
    for threads in [0, 1, 4] {
        let source = Source::new(100, |call| if call == 7 { panic!("call seven") } else { Ok(()) });
        let prefetch = Prefetch::new(&source, Sampler::new(100, 5, 1)).threads(threads);
        let run = AssertUnwindSafe(|| {
            prefetch.run(|batches| while batches.next().unwrap().is_some() {});
        });
        let payload = catch_unwind(run).unwrap_err();
        assert_eq!(payload.downcast_ref(), Some(&"call seven"));
    }
}

#[test]
fn whoever_leaves_early_stops_the_threads() {
    for threads in [1, 3] {
        let source = Source::new(1000, |_| Ok(()));
        let prefetch =
            || Prefetch::new(&source, Sampler::new(1000, 1, 1)).threads(threads).ahead(4);
        // Without end, but for the return.
        let third = prefetch().run(|batches| {
            batches.next().unwrap();
            batches.next().unwrap();
            batches.next().unwrap().unwrap().targets[0]
        });
        assert!(third < 1000);
        let calls = source.calls.load(Ordering::Relaxed);
        assert!(calls <= 3 + 4 + threads + 1, "{calls}");
        prefetch().run(|_| ());
        let run = AssertUnwindSafe(|| prefetch().run(|_| panic!("the net")));
        assert_eq!(catch_unwind(run).unwrap_err().downcast_ref(), Some(&"the net"));
    }
}

#[test]
fn waiting_is_counted() {
    let slow = Source::new(20, |_| {
        thread::sleep(Duration::from_millis(10));
        Ok(())
    });
    for threads in [0, 1] {
        let prefetch = Prefetch::new(&slow, Sampler::new(20, 4, 1)).epochs(0..1).threads(threads);
        let (waited, waits) = prefetch.run(|batches| {
            while batches.next().unwrap().is_some() {}
            (batches.waited(), batches.waits())
        });
        assert!(waited >= Duration::from_millis(40), "{waited:?}");
        assert_eq!(waits, 5);
    }
    // A net that takes longer than its data waits for the first batch alone.
    let prefetch = Prefetch::new(&slow, Sampler::new(20, 4, 1)).epochs(0..2).threads(1);
    let (waited, waits) = prefetch.run(|batches| {
        while batches.next().unwrap().is_some() {
            thread::sleep(Duration::from_millis(40));
        }
        (batches.waited(), batches.waits())
    });
    assert!(waits <= 4, "{waits} {waited:?}");
}

#[test]
fn buffers_are_used_again() {
    let source = Source::new(64, |_| Ok(()));
    for threads in [0, 2] {
        let prefetch =
            Prefetch::new(&source, Sampler::new(64, 4, 1)).epochs(0..20).threads(threads);
        let places = prefetch.run(|batches| {
            let mut places = HashSet::new();
            while let Some(batch) = batches.next().unwrap() {
                places.insert((batch.inputs.as_ptr() as usize, batch.targets.as_ptr() as usize));
            }
            places
        });
        assert!(places.len() <= 5, "{} buffers for 320 batches", places.len());
    }
}

#[test]
fn only_what_must_be_made_is_fetched_ahead() {
    let data = Dataset::from_inputs(&[[[[0.5; 4]; 4]; 1]; 8], vec![0; 8]).unwrap();
    assert!(data.is_at_hand() && (&data).subset(vec![1]).unwrap().is_at_hand());
    let augmented = (&data).augmented(Augment::new().random_crop(1), 1).unwrap();
    assert!(!Examples::<[[[f32; 4]; 4]; 1], usize>::is_at_hand(&augmented));
    let sampler = || Sampler::new(8, 4, 1);
    assert!(format!("{:?}", Prefetch::<usize>::new(&data, sampler())).contains("threads: 0"));
    let prefetch = Prefetch::<usize>::new::<[[[f32; 4]; 4]; 1], _>(&augmented, sampler());
    assert!(format!("{prefetch:?}").contains("threads: 1"));
}
