/// A piece of memory that is needed for some time.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    /// Its length; an item of length 0 is not placed.
    pub len: usize,
    /// The first step that needs it.
    pub start: usize,
    /// The last step that needs it.
    pub end: usize,
    /// Where it stands, as [`place`] sets it.
    pub offset: usize,
}

impl Item {
    pub(super) const NOTHING: Item = Item { len: 0, start: 0, end: 0, offset: 0 };

    /// Keeps it until this step, or longer.
    pub const fn live_until(&mut self, step: usize) {
        if self.end < step {
            self.end = step;
        }
    }

    /// Its place.
    pub const fn buffer(&self) -> super::Buffer {
        super::Buffer { offset: self.offset, len: self.len }
    }
}

/// Gives every item its offset, such that items which are needed at the same time do not overlap; returns the
/// length of the arena. `heap` and `next` are working memory: as long as `items`, with any content.
///
/// This runs in constants, where every operation is slow: the largest item is found with a heap, and those
/// already placed are a linked list in the order of their offsets, so that one look at each finds the gap and
/// its place there.
///
/// # Panics
/// When the slices are not of one length.
pub const fn place(items: &mut [Item], heap: &mut [usize], next: &mut [usize]) -> usize {
    assert!(items.len() == heap.len() && items.len() == next.len(), "slices of one length");
    let mut heap_len = 0;
    let mut i = 0;
    while i < items.len() {
        if items[i].len > 0 {
            let mut at = heap_len;
            heap[at] = i;
            heap_len += 1;
            while at > 0 && is_before(items, heap[at], heap[(at - 1) / 2]) {
                at = swap(heap, at, (at - 1) / 2);
            }
        }
        i += 1;
    }

    // The first item of the list, and behind each item the next one; `none` ends it.
    let none = items.len();
    let mut lowest = none;
    let mut arena = 0;
    while heap_len > 0 {
        let chosen = heap[0];
        heap_len -= 1;
        heap[0] = heap[heap_len];
        sink(items, heap, heap_len);

        let Item { len, start, end, .. } = items[chosen];
        let (mut offset, mut behind) = (0, len);
        let (mut other, mut before) = (lowest, none);
        while other != none {
            let placed = items[other];
            if placed.offset >= behind {
                break;
            }
            if placed.start <= end && start <= placed.end {
                let free = placed.buffer().end();
                if free > offset {
                    offset = free;
                    behind = len.saturating_add(offset);
                }
            }
            // What lies below the last item that is passed lies below this one.
            if placed.offset <= offset {
                before = other;
            }
            other = next[other];
        }
        items[chosen].offset = offset;
        if behind > arena {
            arena = behind;
        }
        if before == none {
            next[chosen] = lowest;
            lowest = chosen;
        } else {
            next[chosen] = next[before];
            next[before] = chosen;
        }
    }
    arena
}

/// Whether item `a` is placed before item `b`: it is larger, or as large and comes first.
const fn is_before(items: &[Item], a: usize, b: usize) -> bool {
    let (long, other) = (items[a].len, items[b].len);
    long > other || (long == other && a < b)
}

/// Exchanges two places of a heap; returns the second. The slice's own `swap` takes many more steps.
const fn swap(heap: &mut [usize], at: usize, other: usize) -> usize {
    let kept = heap[at];
    heap[at] = heap[other];
    heap[other] = kept;
    other
}

/// Restores the order of a heap of which only the first item may be out of it.
const fn sink(items: &[Item], heap: &mut [usize], len: usize) {
    let mut at = 0;
    loop {
        let mut first = at;
        let mut child = 2 * at + 1;
        while child < len && child <= 2 * at + 2 {
            if is_before(items, heap[child], heap[first]) {
                first = child;
            }
            child += 1;
        }
        if first == at {
            return;
        }
        at = swap(heap, at, first);
    }
}
