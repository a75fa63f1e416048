//! A grey picture, and what in it is ink.

/// A grey picture: one byte a pixel, row by row, 0 for black.
#[derive(Clone, Copy, Debug)]
pub struct Picture<'a> {
    width: usize,
    pixels: &'a [u8],
}

/// How much darker than the paper ink must be.
const CONTRAST: u8 = 32;

impl<'a> Picture<'a> {
    /// `None` when there are not `width * height` pixels, or none at all.
    pub fn new(width: usize, height: usize, pixels: &'a [u8]) -> Option<Picture<'a>> {
        let fits = width.checked_mul(height) == Some(pixels.len()) && !pixels.is_empty();
        fits.then_some(Picture { width, pixels })
    }

    /// Pixels in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.pixels.len() / self.width
    }

    /// All pixels, row by row.
    pub fn pixels(&self) -> &'a [u8] {
        self.pixels
    }

    /// Which pixels are ink, dark on light or light on dark. `None` when the picture is of one shade.
    pub(crate) fn ink(&self) -> Option<Ink> {
        let threshold = otsu(self.pixels)?;
        let border = self.border();
        let light = border.iter().filter(|&&shade| shade > threshold).count();
        let paper_is_light = 2 * light > border.len();
        let of = self.pixels.iter().map(|&shade| (shade > threshold) != paper_is_light).collect();
        Some(Ink { width: self.width, of })
    }

    /// The outermost pixels: mostly paper.
    fn border(&self) -> Vec<u8> {
        let (width, height) = (self.width, self.height());
        let at = |row: usize, column: usize| self.pixels[row * width + column];
        let rows = (0..width).flat_map(|column| [at(0, column), at(height - 1, column)]);
        let columns = (0..height).flat_map(|row| [at(row, 0), at(row, width - 1)]);
        rows.chain(columns).collect()
    }
}

/// Which pixels of a picture are ink.
pub(crate) struct Ink {
    width: usize,
    of: Vec<bool>,
}

impl Ink {
    pub(crate) fn at(&self, row: usize, column: usize) -> bool {
        self.of[row * self.width + column]
    }

    /// The rows and the columns that the ink spans.
    pub(crate) fn bounds(&self) -> Option<Bounds> {
        let inked = self.of.iter().enumerate().filter(|(_, ink)| **ink);
        Bounds::around(inked.map(|(i, _)| (i / self.width, i % self.width)))
    }
}

/// A rectangle: from the first row and column to behind the last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bounds {
    pub(crate) top: usize,
    pub(crate) left: usize,
    pub(crate) bottom: usize,
    pub(crate) right: usize,
}

impl Bounds {
    /// The least that holds all these rows and columns; `None` of none.
    pub(crate) fn around(places: impl Iterator<Item = (usize, usize)>) -> Option<Bounds> {
        places.fold(None, |bounds: Option<Bounds>, (row, column)| {
            let here = Bounds { top: row, left: column, bottom: row + 1, right: column + 1 };
            Some(bounds.map_or(here, |bounds| Bounds {
                top: bounds.top.min(row),
                left: bounds.left.min(column),
                bottom: bounds.bottom.max(row + 1),
                right: bounds.right.max(column + 1),
            }))
        })
    }

    pub(crate) fn width(&self) -> usize {
        self.right - self.left
    }

    pub(crate) fn height(&self) -> usize {
        self.bottom - self.top
    }
}

/// The shade that parts the pixels into two classes with the least variance within them.
/// `None` when the shades hardly differ.
///
/// Source: Otsu, *A threshold selection method from gray-level histograms*, 1979.
fn otsu(pixels: &[u8]) -> Option<u8> {
    let (least, most) = (*pixels.iter().min()?, *pixels.iter().max()?);
    if most - least < CONTRAST {
        return None;
    }
    let mut histogram = [0_u64; 256];
    for &shade in pixels {
        histogram[usize::from(shade)] += 1;
    }
    let count = pixels.len() as f64;
    let sum: f64 = pixels.iter().map(|&shade| f64::from(shade)).sum();
    let (mut below, mut sum_below) = (0.0, 0.0);
    let (mut best, mut threshold) = (0.0, least);
    for shade in least..most {
        below += histogram[usize::from(shade)] as f64;
        sum_below += histogram[usize::from(shade)] as f64 * f64::from(shade);
        let above = count - below;
        let difference = sum_below / below - (sum - sum_below) / above;
        let between = below * above * difference * difference;
        if between > best {
            (best, threshold) = (between, shade);
        }
    }
    Some(threshold)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_that_do_not_fit_are_refused() {
        assert!(Picture::new(2, 2, &[0; 3]).is_none());
        assert!(Picture::new(0, 0, &[]).is_none());
        assert!(Picture::new(usize::MAX, 2, &[0; 2]).is_none());
        assert!(Picture::new(2, 2, &[0; 4]).is_some());
    }

    #[test]
    fn ink_is_what_differs_from_the_border() {
        for (paper, ink) in [(255, 0), (0, 255), (200, 120), (30, 90)] {
            let mut pixels = [paper; 25];
            pixels[11] = ink;
            pixels[12] = ink;
            let found = Picture::new(5, 5, &pixels).and_then(|picture| picture.ink());
            let bounds = found.and_then(|ink| ink.bounds());
            assert_eq!(bounds, Some(Bounds { top: 2, left: 1, bottom: 3, right: 3 }), "{paper}");
        }
    }

    #[test]
    fn an_even_picture_has_no_ink() {
        assert!(Picture::new(3, 1, &[100, 120, 110]).and_then(|picture| picture.ink()).is_none());
    }
}
