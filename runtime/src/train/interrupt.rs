//! Ctrl-C: the first press asks a run to stop, the next one ends the process as usual.

#[cfg(feature = "ctrl-c")]
mod handler {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, OnceLock};

    use signal_hook::consts::SIGINT;
    use signal_hook::flag;

    /// What the handler reads and writes. It stays for the life of the process, and does nothing of its
    /// own while no run listens.
    struct Flags {
        /// Whether Ctrl-C ends the process.
        ends: Arc<AtomicBool>,
        asked: Arc<AtomicBool>,
    }

    fn flags() -> Option<&'static Flags> {
        static FLAGS: OnceLock<Option<Flags>> = OnceLock::new();
        let install = || {
            let flags = Flags { ends: Arc::new(AtomicBool::new(true)), asked: Arc::default() };
            // In this order: the first press must not end the process, the second must.
            flag::register_conditional_default(SIGINT, flags.ends.clone()).ok()?;
            flag::register(SIGINT, flags.ends.clone()).ok()?;
            flag::register(SIGINT, flags.asked.clone()).ok()?;
            Some(flags)
        };
        FLAGS.get_or_init(install).as_ref()
    }

    /// Listens to Ctrl-C while it lives.
    pub(crate) struct Interrupt(Option<&'static Flags>);

    impl Interrupt {
        pub(crate) fn listen(enabled: bool) -> Interrupt {
            let flags = if enabled { flags() } else { None };
            if let Some(flags) = flags {
                flags.asked.store(false, Ordering::SeqCst);
                flags.ends.store(false, Ordering::SeqCst);
            }
            Interrupt(flags)
        }

        pub(crate) fn is_asked(&self) -> bool {
            self.0.is_some_and(|flags| flags.asked.load(Ordering::SeqCst))
        }
    }

    impl Drop for Interrupt {
        fn drop(&mut self) {
            if let Some(flags) = self.0 {
                flags.ends.store(true, Ordering::SeqCst);
            }
        }
    }
}

#[cfg(not(feature = "ctrl-c"))]
mod handler {
    pub(crate) struct Interrupt;

    impl Interrupt {
        pub(crate) fn listen(_enabled: bool) -> Interrupt {
            Interrupt
        }

        pub(crate) fn is_asked(&self) -> bool {
            false
        }
    }
}

pub(super) use handler::Interrupt;
