//! What the machine can do at most, on all threads of rayon's pool.

use std::hint::black_box;
use std::time::Instant;

use typenet::kernels::Isa;

/// Multiply-adds in a row: so many of them hide each other's latency.
const CHAINS: usize = 16;

/// Floating-point operations a second, two for each fused multiply-add.
pub(crate) fn fma_peak(isa: Isa) -> f64 {
    let steps = 4_000_000;
    let (chain, lanes): (fn(usize) -> f32, usize) = match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => (avx512, 16),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => (avx2, 8),
        _ => (portable, 16),
    };
    let round = || {
        let start = Instant::now();
        rayon::broadcast(|_| black_box(chain(black_box(steps))));
        let operations = 2 * steps * CHAINS * lanes * rayon::current_num_threads();
        operations as f64 / start.elapsed().as_secs_f64()
    };
    (0..9).map(|_| round()).fold(0.0, f64::max)
}

/// Bytes read and written a second by copies between buffers larger than the caches.
pub(crate) fn copy_bandwidth() -> f64 {
    let len = (128 << 20) / size_of::<f32>();
    let threads = rayon::current_num_threads();
    let mut buffers = vec![(vec![1.0_f32; len], vec![0.0_f32; len]); threads];
    let mut round = || {
        let start = Instant::now();
        rayon::scope(|scope| {
            for (from, to) in &mut buffers {
                scope.spawn(|_| to.copy_from_slice(black_box(from)));
            }
        });
        (2 * threads * len * size_of::<f32>()) as f64 / start.elapsed().as_secs_f64()
    };
    (0..9).map(|_| round()).fold(0.0, f64::max)
}

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
fn avx512(steps: usize) -> f32 {
    use std::arch::x86_64::{_mm512_fmadd_ps, _mm512_reduce_add_ps, _mm512_set1_ps};

    #[target_feature(enable = "avx512f")]
    fn run(steps: usize) -> f32 {
        let (a, b) = (_mm512_set1_ps(black_box(0.5)), _mm512_set1_ps(black_box(1.0)));
        let mut sums = [_mm512_set1_ps(1.0); CHAINS];
        for _ in 0..steps {
            for sum in &mut sums {
                *sum = _mm512_fmadd_ps(*sum, a, b);
            }
        }
        sums.into_iter().map(|sum| _mm512_reduce_add_ps(sum)).sum()
    }

    assert!(Isa::Avx512.is_available(), "AVX-512");
    // SAFETY: the machine has AVX-512 F.
    unsafe { run(steps) }
}

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
fn avx2(steps: usize) -> f32 {
    use std::arch::x86_64::{_mm256_cvtss_f32, _mm256_fmadd_ps, _mm256_set1_ps};

    /// There are but 16 registers, so 12 chains do the work of all.
    #[target_feature(enable = "avx2,fma")]
    fn run(steps: usize) -> f32 {
        let (a, b) = (_mm256_set1_ps(black_box(0.5)), _mm256_set1_ps(black_box(1.0)));
        let mut sums = [_mm256_set1_ps(1.0); 12];
        for _ in 0..steps * CHAINS / 12 {
            for sum in &mut sums {
                *sum = _mm256_fmadd_ps(*sum, a, b);
            }
        }
        sums.into_iter().map(|sum| _mm256_cvtss_f32(sum)).sum()
    }

    assert!(Isa::Avx2.is_available(), "AVX2 and FMA");
    // SAFETY: the machine has AVX2 and FMA.
    unsafe { run(steps) }
}

/// Flat Rust, which the compiler turns into the vectors that all machines of this kind have.
fn portable(steps: usize) -> f32 {
    let (a, b) = (black_box(0.5), black_box(1.0));
    let mut sums = [[1.0_f32; 16]; CHAINS];
    for _ in 0..steps {
        for sum in sums.as_flattened_mut() {
            *sum = if cfg!(target_arch = "aarch64") { sum.mul_add(a, b) } else { *sum * a + b };
        }
    }
    sums.as_flattened().iter().sum()
}
