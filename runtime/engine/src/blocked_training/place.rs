//! Where buffers stand that are needed for some time.

use std::ops::Range;

/// A piece of memory: nothing when its length is 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) len: usize,
    /// The first and the last time at which it is needed.
    pub(super) start: usize,
    pub(super) end: usize,
    /// Where it stands.
    pub(super) offset: usize,
}

impl Item {
    /// A piece that is needed at one time so far.
    pub(super) fn at(len: usize, time: usize) -> Item {
        Item { len, start: time, end: time, offset: 0 }
    }

    /// Lets it live at this time, too.
    pub(super) fn live_at(&mut self, time: usize) {
        self.start = self.start.min(time);
        self.end = self.end.max(time);
    }

    fn range(&self) -> Range<usize> {
        self.offset..self.offset + self.len
    }
}

/// Places the largest first, each at the lowest offset that is free for its whole life; the length of all.
pub(super) fn place(items: &mut [Item]) -> usize {
    let mut order: Vec<usize> = (0..items.len()).filter(|&i| items[i].len > 0).collect();
    order.sort_by_key(|&i| (std::cmp::Reverse(items[i].len), i));
    // Those that stand somewhere, in the order of their offsets.
    let mut placed: Vec<usize> = Vec::with_capacity(order.len());
    let mut arena = 0;
    for i in order {
        let item = items[i];
        let mut offset = 0;
        for other in placed.iter().map(|&other| items[other]) {
            if other.offset >= offset + item.len {
                break;
            }
            if other.start <= item.end && item.start <= other.end {
                offset = offset.max(other.range().end);
            }
        }
        items[i].offset = offset;
        arena = arena.max(offset + item.len);
        let at = placed.partition_point(|&other| items[other].offset <= offset);
        placed.insert(at, i);
    }
    arena
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lives_together_does_not_overlap() {
        let mut items: Vec<Item> = (0..60)
            .map(|i| Item { len: i * 7 % 23, start: i % 17, end: i % 17 + i * 5 % 11, offset: 0 })
            .collect();
        let len = place(&mut items);
        for (i, a) in items.iter().enumerate() {
            assert!(a.range().end <= len);
            for b in &items[..i] {
                let together = a.start <= b.end && b.start <= a.end;
                let overlap = a.offset < b.range().end && b.offset < a.range().end;
                assert!(!(together && overlap && a.len > 0 && b.len > 0), "{a:?} {b:?}");
            }
        }
        let all: usize = items.iter().map(|item| item.len).sum();
        assert!(len < all / 2, "{len} of {all}");
    }
}
