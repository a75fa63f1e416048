//! Braces of a declaration as single boxes.
//!
//! A layer's name tells the braces around it: `layer1.0.conv1` stands in a round of a repeat or in a
//! block. Residuals and concats without a name are found at the `add` or `concat` that ends them, as the
//! boxes between it and the last box through which all ways to it lead.

use std::ops::Range;

use super::{Diagram, DiagramArrow, DiagramBox, LayerGroup};

impl Diagram {
    /// This picture with one box for each pair of braces: a use of a block, a `repeat`, a `residual`, a
    /// `concat`, another net. Such a box shows its name, the layers that it holds, the shapes of its input and
    /// output, and how many parameters it has. Equal ones in a row, such as the rounds of a repeat, are one box
    /// with `×3`.
    ///
    /// `depth` is the depth of braces to which single layers are shown. With 0 these are the net's own layers;
    /// with 1 also those in a block, where a residual is one box. A large depth leaves the picture as it is.
    /// ResNet-18 has 70 boxes; folded to depth 0 it has 15.
    ///
    /// A `concat` without a name whose last branch is empty is not folded if the value that it starts from has
    /// a name: then it is the same as `concat(name)`.
    #[must_use]
    pub fn folded(self, depth: usize) -> Diagram {
        let layers = (0..self.boxes.len()).take_while(|&i| !self.is_output(i)).count();
        let folding = Folding::new(&self, layers);
        let mut shown = Vec::new();
        folding.show(&folding.parts(0..layers, ""), depth, &mut shown);
        let mut shown = folding.with_equal_ones_joined(shown);
        shown.extend((layers..self.boxes.len()).map(|i| Shown::layer(&self.boxes[i], i)));
        // The box that holds each of those before.
        let mut place = vec![0; self.boxes.len()];
        for (to, one) in shown.iter().enumerate() {
            place[one.holds.clone()].fill(to);
        }
        let mut arrows: Vec<DiagramArrow> = Vec::new();
        let mut read: Vec<(usize, usize)> = Vec::new();
        for arrow in &self.arrows {
            let (from, to) = (place[arrow.from], place[arrow.to]);
            // A residual reads one value twice, and shows it once.
            let again = read.contains(&(arrow.from, to)) && shown[to].holds.len() > 1;
            if from != to && !again {
                arrows.push(DiagramArrow { from, to, shape: arrow.shape });
                read.push((arrow.from, to));
            }
        }
        let boxes = shown.into_iter().map(|one| one.shown).collect();
        Diagram { name: self.name, boxes, arrows }
    }
}

/// A box of the picture with those that it holds.
struct Shown {
    holds: Range<usize>,
    /// How many boxes one pair of braces holds, of several equal ones.
    each: usize,
    shown: DiagramBox,
}

impl Shown {
    fn layer(layer: &DiagramBox, index: usize) -> Shown {
        Shown { holds: index..index + 1, each: 1, shown: layer.clone() }
    }
}

/// What stands in braces, or in the net itself.
enum Part {
    /// A layer.
    Layer(usize),
    /// Braces.
    Braces(Braces),
}

struct Braces {
    name: String,
    holds: Range<usize>,
    /// The names of what is in them begin so.
    prefix: String,
    /// Whether the last box is the sum or the joint value that ends them, and has their name.
    ends_in_join: bool,
}

impl Part {
    fn holds(&self) -> Range<usize> {
        match self {
            Part::Layer(index) => *index..index + 1,
            Part::Braces(braces) => braces.holds.clone(),
        }
    }
}

struct Folding<'a> {
    diagram: &'a Diagram,
    /// The boxes that each box reads.
    inputs: Vec<Vec<usize>>,
    /// The last box but itself through which all ways to each box lead, counted from 1; 0 where there
    /// is none.
    dominators: Vec<usize>,
}

impl<'a> Folding<'a> {
    fn new(diagram: &'a Diagram, layers: usize) -> Folding<'a> {
        let mut inputs = vec![Vec::new(); layers];
        for arrow in diagram.arrows.iter().filter(|arrow| arrow.to < layers) {
            inputs[arrow.to].push(arrow.from);
        }
        let mut folding = Folding { diagram, inputs, dominators: vec![0] };
        for index in 0..layers {
            let dominator = folding.meet(&folding.inputs[index]);
            folding.dominators.push(dominator);
        }
        folding
    }

    /// The last box through which all ways to these lead, counted from 1.
    fn meet(&self, boxes: &[usize]) -> usize {
        let Some((&first, others)) = boxes.split_first() else { return 0 };
        others.iter().fold(first + 1, |mut one, &other| {
            let mut other = other + 1;
            while one != other {
                if one > other {
                    one = self.dominators[one];
                } else {
                    other = self.dominators[other];
                }
            }
            one
        })
    }

    /// What stands directly in braces that hold these boxes, whose names begin with `prefix`.
    fn parts(&self, holds: Range<usize>, prefix: &str) -> Vec<Part> {
        let own_name = |index: usize| {
            let name = self.diagram.boxes[index].name.as_str();
            name.strip_prefix(prefix).unwrap_or(name)
        };
        let mut parts = Vec::new();
        let mut at = holds.start;
        while at < holds.end {
            let Some((segment, _)) = own_name(at).split_once('.') else {
                parts.push(Part::Layer(at));
                at += 1;
                continue;
            };
            let name = format!("{prefix}{segment}");
            let prefix = format!("{name}.");
            let is_in = |index: &usize| {
                let other = &self.diagram.boxes[*index].name;
                *other == name || other.starts_with(&prefix)
            };
            let end = at + (at..holds.end).take_while(is_in).count();
            parts.push(Part::Braces(Braces { name, holds: at..end, prefix, ends_in_join: false }));
            at = end;
        }
        self.with_nameless_braces(parts, prefix)
    }

    /// These parts, of which those in a residual or concat without a name are one.
    fn with_nameless_braces(&self, mut parts: Vec<Part>, prefix: &str) -> Vec<Part> {
        let mut at = parts.len();
        while at > 0 {
            at -= 1;
            let Part::Layer(join) = parts[at] else { continue };
            let Some(first) = self.first_of_nameless(join, &parts) else { continue };
            let Some(from) = parts[..at].iter().position(|part| part.holds().start == first) else {
                continue;
            };
            let braces = Braces {
                name: self.diagram.boxes[join].name.clone(),
                holds: first..join + 1,
                prefix: prefix.to_owned(),
                ends_in_join: true,
            };
            parts.splice(from..=at, [Part::Braces(braces)]);
            at = from;
        }
        parts
    }

    /// The first box of the residual or concat without a name that ends in this box.
    fn first_of_nameless(&self, join: usize, parts: &[Part]) -> Option<usize> {
        let name = &self.diagram.boxes[join].name;
        let (word, number) = name.rsplit('.').next()?.rsplit_once('_')?;
        let _: usize = number.parse().ok()?;
        let inputs = &self.inputs[join];
        let first = match (word, inputs.as_slice()) {
            // A residual without a shortcut adds what it starts from.
            ("residual", &[_, from]) if from + 1 != join => from + 1,
            ("residual", _) => self.meet(inputs),
            ("concat", [_, others @ ..]) => {
                let from = self.meet(inputs);
                let reads_it = others.iter().any(|&other| other + 1 == from);
                if reads_it && self.may_have_a_name(from.checked_sub(1)?, parts) {
                    return None;
                }
                from
            }
            _ => return None,
        };
        let within = first..join;
        let mut arrows = self.diagram.arrows.iter();
        let is_read_outside = arrows.any(|arrow| arrow.to > join && within.contains(&arrow.from));
        (!within.is_empty() && !is_read_outside).then_some(first)
    }

    /// Whether other layers among these parts can read this box by a name.
    fn may_have_a_name(&self, index: usize, parts: &[Part]) -> bool {
        let part = parts.iter().find(|part| part.holds().contains(&index));
        match part {
            Some(Part::Layer(index)) => {
                let layer = &self.diagram.boxes[*index];
                layer.layer == "input" || !layer.is_numbered(layer.kind())
            }
            Some(Part::Braces(braces)) => !braces.ends_in_join,
            None => false,
        }
    }

    /// What stands in braces.
    fn inside(&self, braces: &Braces) -> Vec<Part> {
        let Braces { holds, prefix, ends_in_join, .. } = braces;
        if !ends_in_join {
            return self.parts(holds.clone(), prefix);
        }
        let join = holds.end - 1;
        let mut parts = self.parts(holds.start..join, prefix);
        parts.push(Part::Layer(join));
        parts
    }

    /// The boxes of these parts, with layers that are at most `depth` braces deep.
    fn show(&self, parts: &[Part], depth: usize, shown: &mut Vec<Shown>) {
        for part in parts {
            match part {
                Part::Braces(braces) if braces.holds.len() > 1 => {
                    let mut inside = self.inside(braces);
                    if depth == 0 {
                        shown.push(self.fold(braces, &inside));
                        continue;
                    }
                    // Braces alone in braces are one pair.
                    while let [Part::Braces(only)] = inside.as_slice() {
                        inside = self.inside(only);
                    }
                    self.show(&inside, depth - 1, shown);
                }
                part => {
                    let index = part.holds().start;
                    shown.push(Shown::layer(&self.diagram.boxes[index], index));
                }
            }
        }
    }

    /// Braces as one box.
    fn fold(&self, braces: &Braces, inside: &[Part]) -> Shown {
        let holds = braces.holds.clone();
        let boxes = &self.diagram.boxes[holds.clone()];
        let is_round = |part: &Part| matches!(part, Part::Braces(round) if round.name.rsplit('.').next().is_some_and(is_number));
        let rounds: Vec<Range<usize>> = inside.iter().map(Part::holds).collect();
        let is_repeat = inside.iter().all(is_round)
            && rounds.windows(2).all(|two| self.texts(&two[0]) == self.texts(&two[1]));
        let (times, once) = match rounds.first() {
            Some(first) if is_repeat => (rounds.len(), first.clone()),
            _ => (1, holds.clone()),
        };
        let with_parameters = || boxes.iter().filter(|layer| layer.parameters > 0);
        let shapes = self.shapes(&holds);
        let shown = DiagramBox {
            name: braces.name.clone(),
            layer: contents(&self.diagram.boxes[once]),
            group: LayerGroup::Braces,
            parameters: boxes.iter().map(|layer| layer.parameters).sum(),
            frozen: with_parameters().count() > 0 && with_parameters().all(|layer| layer.frozen),
            shapes,
            times,
        };
        Shown { each: holds.len(), holds, shown }
    }

    /// The shape of the first value that goes into these boxes, and of the one that comes out.
    fn shapes(&self, holds: &Range<usize>) -> Option<[typenet_shape::Shape; 2]> {
        let mut arrows = self.diagram.arrows.iter();
        let arrives =
            arrows.find(|arrow| holds.contains(&arrow.to) && !holds.contains(&arrow.from))?;
        let mut arrows = self.diagram.arrows.iter();
        let leaves =
            arrows.find(|arrow| holds.contains(&arrow.from) && !holds.contains(&arrow.to))?;
        Some([arrives.shape, leaves.shape])
    }

    /// What these boxes are and read, wherever they stand.
    fn texts(&self, holds: &Range<usize>) -> Vec<(&str, bool, Vec<Option<usize>>)> {
        holds
            .clone()
            .map(|index| {
                let layer = &self.diagram.boxes[index];
                let place = |&from: &usize| from.checked_sub(holds.start);
                (layer.layer.as_str(), layer.frozen, self.inputs[index].iter().map(place).collect())
            })
            .collect()
    }

    /// Folded boxes, where equal ones that follow one another are one.
    fn with_equal_ones_joined(&self, shown: Vec<Shown>) -> Vec<Shown> {
        let mut joined: Vec<Shown> = Vec::new();
        let mut first_name = String::new();
        for next in shown {
            let (times, name) = (next.shown.times, next.shown.name.clone());
            let around = |name: &str| name.rsplit_once('.').map(|(around, _)| around.to_owned());
            let beside = around(&first_name) == around(&name);
            let last = joined.last_mut().filter(|last| beside && self.follows(last, &next));
            let Some(last) = last else {
                first_name = name;
                joined.push(next);
                continue;
            };
            last.holds.end = next.holds.end;
            last.shown.times += times;
            last.shown.parameters += next.shown.parameters;
            let between = if last.holds.len() == 2 * last.each { ", " } else { " … " };
            last.shown.name = format!("{first_name}{between}{name}");
        }
        joined
    }

    /// Whether a folded box reads the one before it alone, is the only one that does, and is its equal.
    fn follows(&self, last: &Shown, next: &Shown) -> bool {
        let (Some(before), Some(shapes)) = (last.shown.shapes, next.shown.shapes) else {
            return false;
        };
        if last.each != next.each {
            return false;
        }
        let start = last.holds.end - last.each;
        let mut arrows = self.diagram.arrows.iter();
        let goes_straight = arrows.all(|&DiagramArrow { from, to, .. }| {
            let enters = next.holds.contains(&to) && !next.holds.contains(&from);
            let leaves = last.holds.contains(&from) && !last.holds.contains(&to);
            (!enters || from + 1 == last.holds.end) && (!leaves || next.holds.contains(&to))
        });
        before == shapes
            && goes_straight
            && self.texts(&(start..last.holds.end)) == self.texts(&next.holds)
    }
}

fn is_number(text: &str) -> bool {
    text.parse::<usize>().is_ok()
}

/// The kinds of layers, in order, each with how many there are: `2 conv2d, relu, add`.
fn contents(boxes: &[DiagramBox]) -> String {
    let mut kinds: Vec<(&str, usize)> = Vec::new();
    for layer in boxes {
        let kind = layer.kind();
        match kinds.iter_mut().find(|(other, _)| *other == kind) {
            Some((_, count)) => *count += 1,
            None => kinds.push((kind, 1)),
        }
    }
    let text = |(kind, count): (&str, usize)| match count {
        1 => kind.to_owned(),
        count => format!("{count} {kind}"),
    };
    kinds.into_iter().map(text).collect::<Vec<_>>().join(", ")
}
