//! Where the values of some steps stand in memory, with 16 channels side by side.

use std::ops::Range;

use typenet_kernels::LANES;
use typenet_shape::{Buffer, Graph, Item, Op, place};

use super::{Place, len};

/// Where the values of some steps stand, in [`Lanes`](typenet_kernels::Lanes) of one image. In the arena of
/// several images each offset is multiplied by their number, and each buffer holds the images one after the
/// other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    /// The nodes whose steps they are.
    pub(crate) nodes: Range<usize>,
    pub(crate) len: usize,
    /// The buffer of each node that is a root.
    values: Vec<Buffer>,
    /// The buffers of the views.
    views: Vec<Buffer>,
    /// What each node's kernel needs for itself.
    rooms: Vec<Buffer>,
}

/// No place yet.
const NOTHING: Item = Item { len: 0, start: 0, end: 0, offset: 0 };

/// The live range of each root node's value: from the step that computes it to the last one that reads it.
/// The `outputs` are read after all steps.
pub(in crate::blocked) fn lives(places: &[Place], outputs: &[usize]) -> Vec<Item> {
    let mut lives = vec![NOTHING; places.len()];
    for place in places {
        let value = &mut lives[place.root];
        if place.pixels.is_none() && value.len == 0 {
            *value = Item { len: place.len(), start: place.host, end: place.host, offset: 0 };
        }
    }
    let running = places.iter().enumerate().filter(|(_, place)| place.runs);
    for (node, read) in running.flat_map(|(node, place)| place.reads.iter().map(move |r| (node, r)))
    {
        lives[places[read.node].root].live_until(node);
    }
    for &output in outputs {
        lives[places[output].root].live_until(places.len());
    }
    lives
}

impl Memory {
    /// The memory of the steps of these `nodes`. For one image, values are computed where they stand in a
    /// `concat`; those of several images would not be contiguous there.
    pub(in crate::blocked) fn new(
        places: &[Place],
        graph: &Graph<'_>,
        nodes: Range<usize>,
        outputs: &[usize],
        is_of_one: bool,
    ) -> Memory {
        let count = places.len();
        let views = places.iter().flat_map(|place| &place.reads).filter_map(|read| read.view);
        let views = views.max().map_or(0, |last| last + 1);
        let mut items = vec![NOTHING; 2 * count + views];
        let (values, rest) = items.split_at_mut(count);
        let (rooms, view_items) = rest.split_at_mut(count);
        values.copy_from_slice(&lives(places, outputs));
        for (node, place) in places.iter().enumerate().filter(|(_, place)| place.runs) {
            for read in &place.reads {
                if let Some(view) = read.view {
                    let len = len(places[read.node].elements, read.channels);
                    view_items[view] = Item { len, start: node, end: node, offset: 0 };
                }
            }
            rooms[node] = Item { len: place.room, start: node, end: node, offset: 0 };
        }
        let joined = if is_of_one { joined(places, graph, &nodes) } else { vec![None; count] };
        let join = |node: usize| joined[node].map(|(parent, start)| (places[parent].root, start));
        // A value lives as long as those that it is a part of, and they live as long as it does. Parents come
        // later.
        for node in 0..count {
            if let Some((parent, _)) = join(node) {
                let Item { start, end, .. } = values[node];
                values[node].len = 0;
                values[parent].start = values[parent].start.min(start);
                values[parent].live_until(end);
            }
        }
        for item in &mut items {
            if item.end < nodes.start || item.start >= nodes.end {
                item.len = 0;
            }
        }
        let (mut heap, mut next) = (vec![0; items.len()], vec![0; items.len()]);
        let len = place(&mut items, &mut heap, &mut next);
        let mut buffers: Vec<Buffer> = items.iter().map(Item::buffer).collect();
        for node in (0..count).rev() {
            if let Some((parent, start)) = join(node) {
                let offset = buffers[parent].offset + start;
                buffers[node] = Buffer { offset, len: places[node].len() };
            }
        }
        let views = buffers.split_off(2 * count);
        let rooms = buffers.split_off(count);
        Memory { nodes, len, values: buffers, views, rooms }
    }

    /// The buffer of a node's value.
    pub(in crate::blocked) fn value(&self, place: &Place) -> Buffer {
        self.values[place.root]
    }

    pub(in crate::blocked) fn view(&self, view: usize) -> Buffer {
        self.views[view]
    }

    pub(in crate::blocked) fn room(&self, node: usize) -> Buffer {
        self.rooms[node]
    }
}

/// The values that are computed where they stand in a `concat`, so that nobody copies them: the node of the
/// `concat`, and where in its value they start.
fn joined(
    places: &[Place],
    graph: &Graph<'_>,
    nodes: &Range<usize>,
) -> Vec<Option<(usize, usize)>> {
    let mut joined: Vec<Option<(usize, usize)>> = vec![None; places.len()];
    for concat in nodes.clone() {
        let place = &places[concat];
        if !place.runs || !matches!(graph.nodes[concat].op, Op::Concat) {
            continue;
        }
        let top = |joined: &[Option<(usize, usize)>], node: usize| {
            let mut top = places[node].root;
            while let Some((parent, _)) = joined[top] {
                top = places[parent].root;
            }
            top
        };
        let tops: Vec<usize> = place.reads.iter().map(|read| top(&joined, read.node)).collect();
        let area = place.elements / place.channels;
        let mut start = 0;
        for (k, read) in place.reads.iter().enumerate() {
            let (source, first) = (&places[read.node], start);
            start += read.channels;
            // A value that already stands elsewhere is copied, and then may not stand in here.
            let is_alone = tops.iter().filter(|&&other| other == tops[k]).count() == 1;
            let is_own = source.pixels.is_none() && read.view.is_none() && source.root == tops[k];
            let is_here = nodes.contains(&source.host);
            if is_alone && is_own && is_here && first.is_multiple_of(LANES) {
                joined[source.root] = Some((concat, first / LANES * area));
            }
        }
    }
    joined
}
