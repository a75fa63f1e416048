//! Where boxes, arrows and the arrows' letters lie: a layered layout, computed by the crate `dagre`.

use dagre::graph::{Graph, GraphOptions};
use dagre::{EdgeLabel, LayoutOptions, NodeLabel};

/// A width and a height.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Size {
    pub(super) width: f64,
    pub(super) height: f64,
}

/// A place; x grows to the right, y downwards.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// An arrow to place.
pub(super) struct Arrow {
    pub(super) from: usize,
    pub(super) to: usize,
    /// The size of its letters.
    pub(super) label: Size,
    /// Whether it is worth more than others that it be short and straight.
    pub(super) is_main: bool,
}

/// A placed arrow.
pub(super) struct Route {
    /// Where it goes straight down: from its box, past the boxes and letters of each rank between,
    /// into the other. It changes its x from the foot of one to the head of the next, where there
    /// are neither.
    pub(super) falls: Vec<Fall>,
    /// The middle of its letters.
    pub(super) label: Point,
}

/// A piece of an arrow that goes straight down.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Fall {
    pub(super) x: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

pub(super) struct Layout {
    /// The upper left corner of the picture.
    pub(super) corner: Point,
    pub(super) size: Size,
    /// The middles of the boxes.
    pub(super) boxes: Vec<Point>,
    pub(super) routes: Vec<Route>,
}

/// The length of an arrowhead, along which an arrow is straight.
pub(super) const ARROWHEAD: f64 = 8.0;
/// Between the picture and its border.
const MARGIN: f64 = 8.0;

/// Places boxes of these sizes, from top to bottom.
pub(super) fn place(boxes: &[Size], arrows: &[Arrow]) -> Layout {
    let options = GraphOptions { directed: true, multigraph: true, compound: false };
    let mut graph: Graph<NodeLabel, EdgeLabel> = Graph::with_options(options);
    for (i, &Size { width, height }) in boxes.iter().enumerate() {
        graph.set_node(i.to_string(), Some(NodeLabel { width, height, ..NodeLabel::default() }));
    }
    let ends = |arrow: &Arrow| (arrow.from.to_string(), arrow.to.to_string());
    for (i, arrow) in arrows.iter().enumerate() {
        let (from, to) = ends(arrow);
        let label = EdgeLabel {
            width: arrow.label.width,
            height: arrow.label.height,
            label_offset: 6.0,
            weight: if arrow.is_main { 8 } else { 1 },
            ..EdgeLabel::default()
        };
        // A layer may read one value twice: the number tells the arrows apart.
        graph.set_edge(from, to, Some(label), Some(&i.to_string()));
    }
    // Arrows that bend need room to do it in.
    let goes_on_alone = |i: usize| {
        let (out, into) =
            (arrows.iter().filter(|a| a.from == i), arrows.iter().filter(|a| a.to == i));
        out.count() <= 1 && into.count() <= 1
    };
    let ranksep = if (0..boxes.len()).all(goes_on_alone) { 24.0 } else { 48.0 };
    let options =
        LayoutOptions { nodesep: 32.0, edgesep: 16.0, ranksep, ..LayoutOptions::default() };
    dagre::layout(&mut graph, Some(options));

    let point = |x: Option<f64>, y: Option<f64>| Point { x: x.unwrap_or(0.0), y: y.unwrap_or(0.0) };
    let middle = |i: usize| {
        graph.node(&i.to_string()).map_or(point(None, None), |node| point(node.x, node.y))
    };
    let placed: Vec<Point> = (0..boxes.len()).map(middle).collect();
    let edges: Vec<EdgeLabel> = (0..arrows.len())
        .map(|i| {
            let (from, to) = ends(&arrows[i]);
            graph.edge(&from, &to, Some(&i.to_string())).cloned().unwrap_or_default()
        })
        .collect();
    let labels: Vec<Point> = edges.iter().map(|edge| point(edge.x, edge.y)).collect();

    let ranks = Ranks::of(
        placed.iter().zip(boxes).map(|(at, size)| (at.y, size.height)),
        labels.iter().zip(arrows).map(|(at, arrow)| (at.y, arrow.label.height)),
    );
    let route = |i: usize| {
        let Arrow { from, to, .. } = arrows[i];
        let (start, end) = (placed[from], placed[to]);
        let mut falls = vec![Fall {
            x: start.x,
            top: start.y + boxes[from].height / 2.0,
            bottom: start.y + ranks.half_height(start.y),
        }];
        // The first and the last point are where the arrow would meet the boxes' borders.
        let between = match edges[i].points.as_slice() {
            [_, between @ .., _] => between,
            _ => &[],
        };
        falls.extend(between.iter().map(|at| {
            let half_height = ranks.half_height(at.y);
            Fall { x: at.x, top: at.y - half_height, bottom: at.y + half_height }
        }));
        falls.push(Fall {
            x: end.x,
            top: end.y - ranks.half_height(end.y) - ARROWHEAD,
            bottom: end.y - boxes[to].height / 2.0,
        });
        Route { falls, label: labels[i] }
    };
    let routes: Vec<Route> = (0..arrows.len()).map(route).collect();

    let nothing = Size { width: 0.0, height: 0.0 };
    let (mut least, mut most) =
        (Point { x: f64::MAX, y: f64::MAX }, Point { x: f64::MIN, y: f64::MIN });
    let labels = routes.iter().zip(arrows).map(|(route, arrow)| (route.label, arrow.label));
    let falls = routes.iter().flat_map(|route| &route.falls);
    let falls = falls.map(|fall| (Point { x: fall.x, y: fall.top }, nothing));
    for (at, size) in placed.iter().copied().zip(boxes.iter().copied()).chain(labels).chain(falls) {
        let (x, y) = (size.width / 2.0 + MARGIN, size.height / 2.0 + MARGIN);
        least = Point { x: least.x.min(at.x - x), y: least.y.min(at.y - y) };
        most = Point { x: most.x.max(at.x + x), y: most.y.max(at.y + y) };
    }
    let size = Size { width: most.x - least.x, height: most.y - least.y };
    Layout { corner: least, size, boxes: placed, routes }
}

/// What lies at one height: the height of the middles, and half of the greatest height.
struct Ranks(Vec<(f64, f64)>);

impl Ranks {
    /// Of middles' heights with heights.
    fn of(
        boxes: impl Iterator<Item = (f64, f64)>,
        labels: impl Iterator<Item = (f64, f64)>,
    ) -> Ranks {
        let mut all: Vec<(f64, f64)> = boxes.chain(labels).map(|(y, h)| (y, h / 2.0)).collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        all.dedup_by(|next, kept| {
            let is_same = next.0 - kept.0 < 0.5;
            if is_same {
                kept.1 = kept.1.max(next.1);
            }
            is_same
        });
        Ranks(all)
    }

    /// Half of the height of what lies at this height.
    fn half_height(&self, y: f64) -> f64 {
        let from = self.0.partition_point(|rank| rank.0 < y - 0.5);
        self.0.get(from).filter(|rank| rank.0 <= y + 0.5).map_or(0.0, |rank| rank.1)
    }
}
