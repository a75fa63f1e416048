//! What every optimiser's declaration looks like: its settings, the groups that differ, and the
//! methods that set both.

/// Declares an optimiser: a struct with a builder method for each setting, the struct of its groups
/// with the same methods, and the settings of one tensor, for which the file implements
/// [`Rule`](super::Rule). All have a learning rate and a schedule.
macro_rules! optimizer {
    (
        $(#[$doc:meta])*
        pub struct $name:ident($new_doc:literal), group $group:ident, settings $settings:ident,
        named $text:literal, buffers $buffers:expr, for_tensor $for_tensor:path;
        $(
            $(#[$field_doc:meta])*
            $field:ident($($argument:ident: $type:ty),+) = $default:expr;
        )*
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name {
            base: $settings,
            groups: Vec<(String, $group)>,
        }

        #[doc = concat!(
            "What differs for some of the tensors: see [`", stringify!($name), "::group`]. What is not ",
            "set here is as for the others."
        )]
        #[allow(unused_parens)]
        #[derive(Clone, Debug, Default)]
        pub struct $group {
            learning_rate: Option<f32>,
            schedule: Option<$crate::optim::Schedule>,
            $($field: Option<($($type),+)>,)*
        }

        #[doc = concat!("The settings of one tensor: see [`", stringify!($name), "`].")]
        #[allow(unused_parens)]
        #[derive(Clone, Debug)]
        pub struct $settings {
            learning_rate: f32,
            schedule: $crate::optim::Schedule,
            $($field: ($($type),+),)*
        }

        impl $name {
            #[doc = $new_doc]
            pub fn new(learning_rate: f32) -> Self {
                let schedule = $crate::optim::Schedule::constant();
                let base = $settings { learning_rate, schedule, $($field: $default,)* };
                $name { base, groups: Vec::new() }
            }

            /// How the learning rate changes while training; constant by default.
            #[must_use]
            pub fn schedule(mut self, schedule: impl Into<$crate::optim::Schedule>) -> Self {
                self.base.schedule = schedule.into();
                self
            }

            $(
                $(#[$field_doc])*
                #[must_use]
                pub fn $field(mut self, $($argument: $type),+) -> Self {
                    self.base.$field = ($($argument),+);
                    self
                }
            )*

            /// Other settings for some of the tensors, as PyTorch's parameter groups. The path is a
            /// layer (`fc1`), one tensor of it (`fc1.bias`), or the start of a path (`stage1` for
            /// `stage1.0.conv1`), by the names of the declaration or of weight files. Where several
            /// groups name a tensor, later ones win, setting by setting. What a group does not set is
            /// as for all other tensors, wherever in the chain that is set.
            #[must_use]
            pub fn group(
                mut self,
                path: &str,
                settings: impl FnOnce($group) -> $group,
            ) -> Self {
                self.groups.push((path.to_owned(), settings($group::default())));
                self
            }

            /// Checks the arguments.
            ///
            /// # Errors
            /// [`Error::Argument`](crate::Error::Argument) with the first that is out of range.
            pub fn check(&self) -> $crate::Result<()> {
                $crate::optim::Optimizer::check(self)
            }

            /// As [`check`](Self::check), and checks that every group names a tensor of the net.
            ///
            /// # Errors
            /// [`Error::UnknownLayer`](crate::Error::UnknownLayer) for a group that names nothing,
            /// and as `check`.
            pub fn check_against(
                &self,
                graph: &typenet_shape::Graph<'_>,
                tensors: &[typenet_shape::Tensor],
            ) -> $crate::Result<()> {
                $crate::optim::Optimizer::check_against(self, graph, tensors)
            }

            /// The optimiser's state for nets of this type, which holds the buffers and takes the steps.
            ///
            /// # Panics
            /// Where [`try_state`](Self::try_state) gives an error.
            pub fn state<N: $crate::Network>(&self, net: &N) -> $crate::optim::State<N, Self> {
                $crate::optim::Optimizer::state(self, net)
            }

            /// As [`state`](Self::state), with an error in place of a panic: for arguments that come
            /// from a user.
            ///
            /// # Errors
            /// As [`check_against`](Self::check_against).
            pub fn try_state<N: $crate::Network>(
                &self,
                net: &N,
            ) -> $crate::Result<$crate::optim::State<N, Self>> {
                $crate::optim::Optimizer::try_state(self, net)
            }
        }

        impl $group {
            /// The group's own learning rate; 0 leaves its tensors as they are.
            #[must_use]
            pub fn learning_rate(mut self, learning_rate: f32) -> Self {
                self.learning_rate = Some(learning_rate);
                self
            }

            /// The group's own schedule.
            #[must_use]
            pub fn schedule(mut self, schedule: impl Into<$crate::optim::Schedule>) -> Self {
                self.schedule = Some(schedule.into());
                self
            }

            $(
                #[doc = concat!("See [`", stringify!($name), "::", stringify!($field), "`].")]
                #[must_use]
                pub fn $field(mut self, $($argument: $type),+) -> Self {
                    self.$field = Some(($($argument),+));
                    self
                }
            )*

            fn apply(&self, settings: &mut $settings) {
                use $crate::optim::settings::set;
                set(&mut settings.learning_rate, &self.learning_rate);
                set(&mut settings.schedule, &self.schedule);
                $(set(&mut settings.$field, &self.$field);)*
            }
        }

        impl $crate::optim::Optimizer for $name {
            type Rule = $settings;
            const NAME: &'static str = $text;
            const BUFFERS: &'static [&'static str] = $buffers;

            fn base(&self) -> $settings {
                self.base.clone()
            }

            fn rule(
                &self,
                graph: &typenet_shape::Graph<'_>,
                tensor: &typenet_shape::Tensor,
            ) -> $settings {
                let mut settings = self.base.clone();
                if !graph.decays(tensor.node, tensor.kind) {
                    settings.weight_decay = 0.0;
                }
                let mut own_rate = false;
                for (path, group) in &self.groups {
                    if $crate::net::trainable::names(path, graph, tensor) {
                        group.apply(&mut settings);
                        own_rate |= group.learning_rate.is_some();
                    }
                }
                $for_tensor(&mut settings, tensor, own_rate);
                settings
            }

            fn check(&self) -> $crate::Result<()> {
                use $crate::optim::Rule;
                self.base.check_settings()?;
                self.groups.iter().try_for_each(|(_, group)| {
                    let mut settings = self.base.clone();
                    group.apply(&mut settings);
                    settings.check_settings()
                })
            }

            fn check_paths(
                &self,
                graph: &typenet_shape::Graph<'_>,
                tensors: &[typenet_shape::Tensor],
            ) -> $crate::Result<()> {
                let mut paths = self.groups.iter().map(|(path, _)| path);
                paths.try_for_each(|path| $crate::net::trainable::check(path, graph, tensors))
            }
        }
    };
}
pub(super) use optimizer;

/// For an optimiser whose settings do not depend on the tensor.
pub(super) fn as_it_is<S>(_: &mut S, _: &typenet_shape::Tensor, _own_rate: bool) {}

/// Puts a group's own setting in the place of the others'.
pub(super) fn set<T: Clone>(setting: &mut T, own: &Option<T>) {
    if let Some(own) = own {
        setting.clone_from(own);
    }
}
