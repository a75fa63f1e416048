//! A trained net as the Python module `fashion`: `fashion.pyi` is what Python sees of this file.
#![forbid(unsafe_code)]

mod net;

use std::time::Instant;

use numpy::ndarray::CowArray;
use numpy::prelude::*;
use numpy::{Element, IxDyn, PyArrayDyn, PyReadonlyArrayDyn, PyUntypedArray};
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;

use net::{CLASSES, NET, Number};
use typenet::prelude::*;

#[pymodule(gil_used = false)]
fn fashion(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let metadata = NET.metadata();
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("classes", &metadata.class_names)?;
    if let Some(normalization) = &metadata.normalization {
        module.add("mean", normalization.mean[0])?;
        module.add("std", normalization.std[0])?;
    }
    module.add_function(wrap_pyfunction!(probabilities, module)?)?;
    module.add_function(wrap_pyfunction!(_rust_seconds, module)?)
}

/// The probability of each class: [10] for an image [28, 28], [n, 10] for images [n, 28, 28].
///
/// They are uint8 pixels from 0 to 255, or float32 numbers, normalised: (pixel / 255 - mean) / std.
#[pyfunction]
fn probabilities<'py>(
    py: Python<'py>,
    images: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyArrayDyn<f32>>> {
    match Images::of(images)? {
        Images::Bytes(images) => predict(py, &images),
        Images::Floats(images) => predict(py, &images),
    }
}

/// The seconds of one call without what Python adds: to measure that.
#[pyfunction]
fn _rust_seconds(py: Python<'_>, images: &Bound<'_, PyAny>, calls: u32) -> PyResult<f64> {
    match Images::of(images)? {
        Images::Bytes(images) => seconds(py, &images, calls),
        Images::Floats(images) => seconds(py, &images, calls),
    }
}

/// An array of images of the right type and shape.
enum Images<'py> {
    Bytes(PyReadonlyArrayDyn<'py, u8>),
    Floats(PyReadonlyArrayDyn<'py, f32>),
}

impl<'py> Images<'py> {
    fn of(images: &Bound<'py, PyAny>) -> PyResult<Self> {
        let Ok(array) = images.cast::<PyUntypedArray>() else {
            let found = images.get_type();
            let message = format!("images must be a numpy array, not {}", found.name()?);
            return Err(PyTypeError::new_err(message));
        };
        if !matches!(array.shape(), [28, 28] | [_, 28, 28]) {
            let found = array.shape();
            let message =
                format!("images must have the shape [28, 28] or [n, 28, 28], not {found:?}");
            return Err(PyValueError::new_err(message));
        }
        if let Ok(array) = images.cast::<PyArrayDyn<u8>>() {
            return Ok(Self::Bytes(borrowed(array)?));
        }
        if let Ok(array) = images.cast::<PyArrayDyn<f32>>() {
            return Ok(Self::Floats(borrowed(array)?));
        }
        let message = format!(
            "images must be uint8 (pixels from 0 to 255) or float32 (normalised numbers), not {}",
            array.dtype().str()?
        );
        Err(PyTypeError::new_err(message))
    }
}

fn borrowed<'py, T: Element>(
    array: &Bound<'py, PyArrayDyn<T>>,
) -> PyResult<PyReadonlyArrayDyn<'py, T>> {
    // A field of a structured array may lie anywhere.
    let whole = array.strides().iter().all(|stride| stride % align_of::<T>() as isize == 0);
    if !array.data().is_aligned() || !whole {
        return Err(PyValueError::new_err("images are not aligned: images.copy() is"));
    }
    array.try_readonly().map_err(|error| PyValueError::new_err(error.to_string()))
}

/// The numbers of an array in the order of rows: itself, or a copy where they lie in another one.
fn in_order<'a, T: Element + Copy>(
    images: &'a PyReadonlyArrayDyn<'_, T>,
) -> CowArray<'a, T, IxDyn> {
    let view = images.as_array();
    if view.is_standard_layout() {
        view.into()
    } else {
        view.as_standard_layout().into_owned().into()
    }
}

fn predict<'py, T: Number + Element>(
    py: Python<'py>,
    images: &PyReadonlyArrayDyn<'py, T>,
) -> PyResult<Bound<'py, PyArrayDyn<f32>>> {
    let mut shape = images.shape().to_vec();
    shape.truncate(shape.len() - 2);
    shape.push(CLASSES);
    let result = PyArrayDyn::<f32>::zeros(py, shape, false);
    {
        let mut rows =
            result.try_readwrite().map_err(|error| PyValueError::new_err(error.to_string()))?;
        let rows = rows.as_slice_mut()?;
        let images = in_order(images);
        // Other threads of Python run meanwhile.
        py.detach(|| T::predict(numbers(&images), rows)).map_err(internal)?;
    }
    Ok(result)
}

fn seconds<T: Number + Element>(
    py: Python<'_>,
    images: &PyReadonlyArrayDyn<'_, T>,
    calls: u32,
) -> PyResult<f64> {
    let images = in_order(images);
    let mut rows = vec![0.0; numbers(&images).len() / (28 * 28) * CLASSES];
    py.detach(|| {
        let start = Instant::now();
        for _ in 0..calls {
            T::predict(std::hint::black_box(numbers(&images)), &mut rows)?;
            std::hint::black_box(&rows);
        }
        Ok(start.elapsed().as_secs_f64() / f64::from(calls.max(1)))
    })
    .map_err(internal)
}

/// All numbers of an array that is in order.
fn numbers<'a, T>(images: &'a CowArray<'_, T, IxDyn>) -> &'a [T] {
    images.as_slice().unwrap_or_default()
}

/// The shape was right, so this is a mistake here.
fn internal(error: typenet::Error) -> PyErr {
    PyRuntimeError::new_err(error.to_string())
}
