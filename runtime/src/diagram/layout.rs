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
    /// Where it leads along, from the border of a box to that of another.
    pub(super) points: Vec<Point>,
    /// The middle of its letters.
    pub(super) label: Point,
}

pub(super) struct Layout {
    pub(super) size: Size,
    /// The middles of the boxes.
    pub(super) boxes: Vec<Point>,
    pub(super) routes: Vec<Route>,
}

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
    let options =
        LayoutOptions { nodesep: 32.0, edgesep: 16.0, ranksep: 36.0, ..LayoutOptions::default() };
    dagre::layout(&mut graph, Some(options));

    let point = |x: Option<f64>, y: Option<f64>| Point { x: x.unwrap_or(0.0), y: y.unwrap_or(0.0) };
    let middle = |i: usize| {
        graph.node(&i.to_string()).map_or(point(None, None), |node| point(node.x, node.y))
    };
    let route = |(i, arrow): (usize, &Arrow)| {
        let (from, to) = ends(arrow);
        match graph.edge(&from, &to, Some(&i.to_string())) {
            Some(edge) => Route {
                points: edge.points.iter().map(|at| Point { x: at.x, y: at.y }).collect(),
                label: point(edge.x, edge.y),
            },
            None => Route { points: Vec::new(), label: point(None, None) },
        }
    };
    let mut layout = Layout {
        size: Size { width: 0.0, height: 0.0 },
        boxes: (0..boxes.len()).map(middle).collect(),
        routes: arrows.iter().enumerate().map(route).collect(),
    };
    layout.fit(boxes, arrows);
    layout
}

impl Layout {
    /// Moves everything so that it begins at the margin, and takes its size.
    fn fit(&mut self, boxes: &[Size], arrows: &[Arrow]) {
        let nothing = Size { width: 0.0, height: 0.0 };
        let places = self.boxes.iter().zip(boxes.iter().copied());
        let labels =
            self.routes.iter().zip(arrows).map(|(route, arrow)| (&route.label, arrow.label));
        let bends = self.routes.iter().flat_map(|route| route.points.iter().map(|p| (p, nothing)));
        let (mut least, mut most) =
            (Point { x: f64::MAX, y: f64::MAX }, Point { x: f64::MIN, y: f64::MIN });
        for (at, size) in places.chain(labels).chain(bends) {
            let (half_width, half_height) = (size.width / 2.0, size.height / 2.0);
            least = Point { x: least.x.min(at.x - half_width), y: least.y.min(at.y - half_height) };
            most = Point { x: most.x.max(at.x + half_width), y: most.y.max(at.y + half_height) };
        }
        let bends = self
            .routes
            .iter_mut()
            .flat_map(|route| route.points.iter_mut().chain(std::iter::once(&mut route.label)));
        for at in self.boxes.iter_mut().chain(bends) {
            at.x += MARGIN - least.x;
            at.y += MARGIN - least.y;
        }
        self.size = Size {
            width: most.x - least.x + 2.0 * MARGIN,
            height: most.y - least.y + 2.0 * MARGIN,
        };
    }
}
