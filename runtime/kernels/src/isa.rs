//! Which instruction set the kernels run on.

use std::fmt;
use std::sync::OnceLock;

#[cfg(target_arch = "x86_64")]
use super::simd::avx2::Avx2;
#[cfg(target_arch = "x86_64")]
use super::simd::avx512::Avx512;
#[cfg(target_arch = "aarch64")]
use super::simd::neon::Neon;
use super::simd::{Baseline, Kernel, Simd};

/// An instruction set that the kernels are compiled for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Isa {
    /// 16 numbers a vector, 32 registers (x86-64 with AVX-512 F, BW, DQ and VL).
    Avx512,
    /// 8 numbers a vector, 16 registers (x86-64 with AVX2 and FMA).
    Avx2,
    /// 4 numbers a vector, 32 registers (AArch64).
    Neon,
    /// 4 numbers a vector, on every machine (plain Rust; on x86-64 SSE2, to the same bits).
    Portable,
}

impl Isa {
    /// All of them, best first.
    const ALL: [Isa; 4] = [Isa::Avx512, Isa::Avx2, Isa::Neon, Isa::Portable];

    /// The ones that this machine can run, best first; the last is [`Isa::Portable`].
    pub fn available() -> impl Iterator<Item = Isa> {
        Isa::ALL.into_iter().filter(|isa| isa.is_available())
    }

    /// Whether this machine can run it.
    pub fn is_available(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => Avx512::new().is_some(),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => Avx2::new().is_some(),
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => Neon::new().is_some(),
            Isa::Portable => true,
            #[allow(unreachable_patterns)]
            _ => false,
        }
    }

    /// The name that `TYPENET_ISA` takes.
    pub const fn name(self) -> &'static str {
        match self {
            Isa::Avx512 => "avx512",
            Isa::Avx2 => "avx2",
            Isa::Neon => "neon",
            Isa::Portable => "portable",
        }
    }

    /// Runs a kernel compiled for this instruction set.
    ///
    /// # Panics
    /// When this machine lacks it.
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        // A value of `Avx512` and the like exists only where the machine has the instructions.
        match self {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => {
                if let Some(simd) = Avx512::new() {
                    return simd.run(kernel);
                }
            }
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => {
                if let Some(simd) = Avx2::new() {
                    return simd.run(kernel);
                }
            }
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => {
                if let Some(simd) = Neon::new() {
                    return simd.run(kernel);
                }
            }
            Isa::Portable => return Baseline.run(kernel),
            #[allow(unreachable_patterns)]
            _ => {}
        }
        missing(self)
    }
}

#[cold]
#[allow(clippy::panic)]
fn missing(isa: Isa) -> ! {
    panic!("this machine cannot run {isa} kernels: take one of Isa::available()")
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The instruction set in use: the best that this machine has, or the one that the environment
/// variable `TYPENET_ISA` names (`avx512`, `avx2`, `neon` or `portable`). Where that is not available, one
/// line on standard error says so. Decided at the first call.
pub fn isa() -> Isa {
    static CHOICE: OnceLock<Isa> = OnceLock::new();
    *CHOICE.get_or_init(|| {
        let forced = std::env::var("TYPENET_ISA").ok();
        let (isa, warning) = choose(forced.as_deref());
        if let Some(warning) = warning {
            eprintln!("typenet: {warning}");
        }
        isa
    })
}

/// The choice for a value of `TYPENET_ISA`, and the message to print, if any.
fn choose(forced: Option<&str>) -> (Isa, Option<String>) {
    let best = Isa::available().next().unwrap_or(Isa::Portable);
    let Some(name) = forced.map(str::trim).filter(|name| !name.is_empty()) else {
        return (best, None);
    };
    match Isa::ALL.into_iter().find(|isa| isa.name().eq_ignore_ascii_case(name)) {
        Some(isa) if isa.is_available() => (isa, None),
        Some(isa) => (best, Some(format!("TYPENET_ISA={isa}: not on this machine, taking {best}"))),
        None => (
            best,
            Some(format!(
                "TYPENET_ISA={name:?} is none of avx512, avx2, neon, portable; taking {best}"
            )),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_is_taken_unless_another_is_named() {
        let best = Isa::available().next();
        assert_eq!(Some(choose(None).0), best);
        assert_eq!(Some(choose(Some(" ")).0), best);
        assert_eq!(choose(Some("Portable")), (Isa::Portable, None));
    }

    #[test]
    fn what_cannot_be_had_is_said_and_replaced() {
        let best = Isa::available().next();
        let (isa, warning) = choose(Some("sse9"));
        assert_eq!(Some(isa), best);
        assert!(warning.is_some_and(|text| text.contains("sse9") && !text.contains('\n')));
        let absent = if cfg!(target_arch = "x86_64") { "neon" } else { "avx2" };
        let (isa, warning) = choose(Some(absent));
        assert_eq!(Some(isa), best);
        assert!(warning.is_some_and(|text| text.contains(absent)));
    }

    #[test]
    fn portable_is_always_there_and_last() {
        assert_eq!(Isa::available().last(), Some(Isa::Portable));
        assert!(Isa::available().any(|each| each == isa()));
    }
}
