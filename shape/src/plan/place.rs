/// What is placed: nothing when `len` is 0.
#[derive(Clone, Copy)]
pub(super) struct Item {
    pub(super) len: usize,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) offset: usize,
}

impl Item {
    pub(super) const NOTHING: Item = Item { len: 0, start: 0, end: 0, offset: 0 };

    pub(super) const fn live_until(&mut self, time: usize) {
        if self.end < time {
            self.end = time;
        }
    }

    pub(super) const fn buffer(&self) -> super::Buffer {
        super::Buffer { offset: self.offset, len: self.len }
    }
}

/// Gives every item its offset; returns the length of the arena. This runs in constants, where
/// every operation is slow: the largest item is found with a heap, and those already placed are
/// kept in the order of their offsets, so that one look at each finds the gap.
pub(super) const fn place<const N: usize, const L: usize>(items: &mut [[Item; N]; L]) -> usize {
    let mut heap = [[0; N]; L];
    let mut heap_len = 0;
    let mut i = 0;
    while i < L * N {
        if items[i / N][i % N].len > 0 {
            let mut at = heap_len;
            heap[at / N][at % N] = i;
            heap_len += 1;
            while at > 0 && is_before(items, &heap, at, (at - 1) / 2) {
                swap(&mut heap, at, (at - 1) / 2);
                at = (at - 1) / 2;
            }
        }
        i += 1;
    }

    // The items that have been placed as a list from the lowest offset up; NONE ends it.
    const NONE: usize = usize::MAX;
    let mut next = [[NONE; N]; L];
    let mut lowest = NONE;
    let mut arena = 0;
    while heap_len > 0 {
        let chosen = heap[0][0];
        heap_len -= 1;
        heap[0][0] = heap[heap_len / N][heap_len % N];
        sink(items, &mut heap, heap_len);

        let Item { len, start, end, .. } = items[chosen / N][chosen % N];
        let mut offset = 0;
        let mut other = lowest;
        while other != NONE {
            let placed = &items[other / N][other % N];
            if placed.offset >= offset + len {
                break;
            }
            let behind = placed.offset + placed.len;
            if placed.start <= end && start <= placed.end && behind > offset {
                offset = behind;
            }
            other = next[other / N][other % N];
        }
        items[chosen / N][chosen % N].offset = offset;
        if offset + len > arena {
            arena = offset + len;
        }
        if lowest == NONE || items[lowest / N][lowest % N].offset > offset {
            next[chosen / N][chosen % N] = lowest;
            lowest = chosen;
        } else {
            let mut before = lowest;
            loop {
                let after = next[before / N][before % N];
                if after == NONE || items[after / N][after % N].offset > offset {
                    next[chosen / N][chosen % N] = after;
                    next[before / N][before % N] = chosen;
                    break;
                }
                before = after;
            }
        }
    }
    arena
}

/// Whether the item at place `a` of the heap is placed before that at `b`: it is larger, or as large
/// and comes first.
const fn is_before<const N: usize, const L: usize>(
    items: &[[Item; N]; L],
    heap: &[[usize; N]; L],
    a: usize,
    b: usize,
) -> bool {
    let (a, b) = (heap[a / N][a % N], heap[b / N][b % N]);
    let (long, other) = (items[a / N][a % N].len, items[b / N][b % N].len);
    long > other || (long == other && a < b)
}

const fn swap<const N: usize, const L: usize>(heap: &mut [[usize; N]; L], a: usize, b: usize) {
    let kept = heap[a / N][a % N];
    heap[a / N][a % N] = heap[b / N][b % N];
    heap[b / N][b % N] = kept;
}

/// Restores the order of a heap of which only the first item may be out of it.
const fn sink<const N: usize, const L: usize>(
    items: &[[Item; N]; L],
    heap: &mut [[usize; N]; L],
    len: usize,
) {
    let mut at = 0;
    loop {
        let mut first = at;
        let mut child = 2 * at + 1;
        while child < len && child <= 2 * at + 2 {
            if is_before(items, heap, child, first) {
                first = child;
            }
            child += 1;
        }
        if first == at {
            return;
        }
        swap(heap, at, first);
        at = first;
    }
}
