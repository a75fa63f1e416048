//! The value of every layer for one image.

use std::fmt;

use typenet_engine::NetSpec;
use typenet_shape::LayerInfo;

use crate::error::nearest;
use crate::{Error, Result};

/// The value of every layer of a net for one image, which [`Network::trace`](crate::Network::trace) computes.
///
/// `println!` prints the minimum, mean and maximum of each value.
#[derive(Clone, PartialEq)]
pub struct Trace {
    net: &'static str,
    layers: Vec<LayerValue>,
}

/// One layer's value in a [`Trace`].
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct LayerValue {
    /// The layer's name, kind and output shape.
    pub layer: LayerInfo,
    /// Its output in the order channel, row, column: as many numbers as that shape has.
    pub numbers: Vec<f32>,
}

impl Trace {
    /// The values at every node of a net, in their order.
    pub(crate) fn new(spec: &NetSpec, values: Vec<Vec<f32>>) -> Trace {
        let layers = spec.layers.iter().zip(values);
        let layers = layers.map(|(&layer, numbers)| LayerValue { layer, numbers }).collect();
        Trace { net: spec.graph.name, layers }
    }

    /// The value of the layer with this name, as [`summary`](crate::Network::summary) and
    /// [`LAYERS`](crate::Network::LAYERS) show it: `conv1`, `stage1.0.conv2d_1`, or `relu_2` for the second
    /// `relu` without a name. The net's input is `input`.
    ///
    /// # Errors
    /// [`Error::UnknownLayer`] with the nearest name.
    pub fn get(&self, name: &str) -> Result<&LayerValue> {
        let found = self.layers.iter().find(|value| value.layer.name == name);
        found.ok_or_else(|| Error::UnknownLayer {
            net: self.net.to_owned(),
            name: name.to_owned(),
            nearest: nearest(name, self.layers.iter().map(|value| value.layer.name))
                .map(ToOwned::to_owned),
            with_parameters: Vec::new(),
        })
    }

    /// All values in the order of the layers, the input first.
    pub fn layers(&self) -> &[LayerValue] {
        &self.layers
    }
}

impl LayerValue {
    /// The numbers of one channel, row by row; if the value is features, one number. Empty if there is no
    /// such channel.
    pub fn channel(&self, index: usize) -> &[f32] {
        let channels = self.layer.output.dims().first().copied().unwrap_or(1);
        let area = self.numbers.len() / channels.max(1);
        self.numbers.chunks(area.max(1)).nth(index).unwrap_or_default()
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let longest = |text: &dyn Fn(&LayerValue) -> usize, title: &str| {
            self.layers.iter().map(text).max().unwrap_or(0).max(title.len())
        };
        let name = longest(&|value| value.layer.name.chars().count(), "layer");
        let shape = longest(&|value| value.layer.output.to_string().len(), "output");
        write!(
            f,
            "{:name$}  {:shape$}  {:>10}  {:>10}  {:>10}",
            "layer", "output", "min", "mean", "max"
        )?;
        for LayerValue { layer, numbers } in &self.layers {
            let range = |a: [f32; 2], &x: &f32| [a[0].min(x), a[1].max(x)];
            let [least, most] = numbers.iter().fold([f32::INFINITY, f32::NEG_INFINITY], range);
            let mean = numbers.iter().map(|&x| f64::from(x)).sum::<f64>() / numbers.len() as f64;
            let (title, output) = (layer.name, layer.output);
            write!(
                f,
                "\n{title:name$}  {output:shape$}  {least:>10.4}  {mean:>10.4}  {most:>10.4}"
            )?;
        }
        Ok(())
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trace").field("net", &self.net).finish_non_exhaustive()
    }
}

impl fmt::Debug for LayerValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LayerValue").field("layer", &self.layer).finish_non_exhaustive()
    }
}
