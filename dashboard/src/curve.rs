//! Numbers to points of a curve.

/// The most points of a curve: a terminal shows no more.
const MOST: usize = 400;

/// Joins even shares of the numbers to points at their means, at most `MOST`. The numbers' places are from `start`
/// on, one `step` apart.
pub(crate) fn means(numbers: &[f64], start: f64, step: f64) -> Vec<(f64, f64)> {
    let share = numbers.len().div_ceil(MOST).max(1);
    let shares = numbers.chunks(share).enumerate();
    shares
        .map(|(index, share_of)| {
            let mean = share_of.iter().sum::<f64>() / share_of.len() as f64;
            let middle = (index * share) as f64 + (share_of.len() - 1) as f64 / 2.0;
            (start + middle * step, mean)
        })
        .filter(|(_, mean)| mean.is_finite())
        .collect()
}

/// Limits with some room around all points, `least` apart or more.
pub(crate) fn limits<'a>(
    curves: impl Iterator<Item = &'a Vec<(f64, f64)>>,
    least: f64,
) -> [f64; 2] {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for &(_, y) in curves.flatten() {
        (low, high) = (low.min(y), high.max(y));
    }
    if low > high {
        return [0.0, least];
    }
    let room = ((high - low) / 20.0).max((least - (high - low)) / 2.0);
    [low - room, high + room]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_numbers_stay_and_many_are_joined() {
        assert_eq!(means(&[3.0, f64::NAN, 5.0], 1.0, 0.5), [(1.0, 3.0), (2.0, 5.0)]);
        assert_eq!(means(&[], 0.0, 1.0), []);
        let numbers: Vec<f64> = (0..1000).map(f64::from).collect();
        let points = means(&numbers, 0.0, 1.0);
        assert_eq!((points.len(), points[0], points[333]), (334, (1.0, 1.0), (999.0, 999.0)));
    }

    #[test]
    fn limits_have_room() {
        let curve = vec![(0.0, 1.0), (1.0, 3.0)];
        assert_eq!(limits([&curve].into_iter(), 0.1), [0.9, 3.1]);
        let flat = vec![(0.0, 1.0)];
        assert_eq!(limits([&flat].into_iter(), 0.5), [0.75, 1.25]);
        assert_eq!(limits([].into_iter(), 0.5), [0.0, 0.5]);
    }
}
