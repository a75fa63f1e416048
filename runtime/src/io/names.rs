//! What the names in a file suggest where they are not those of the net.

use std::collections::BTreeSet;

use super::options::LoadOptions;

/// How many names of the net are looked for in the file with something in front of them, and how many
/// prefixes are then tried: a file may hold any names.
const TRIED: usize = 16;

/// How many groups of further tensors are named.
const GROUPS: usize = 4;

/// How the file could be read.
pub(super) struct Advice {
    pub(super) options: LoadOptions,
    pub(super) why: String,
}

/// Compares the net's names with those of the file, as the options make them.
pub(super) fn advice(
    net: &[String],
    file: &BTreeSet<&str>,
    options: &LoadOptions,
) -> Option<Advice> {
    let found = net.iter().filter(|name| file.contains(name.as_str())).count();
    let enough = |count: usize| count > found && 2 * count >= net.len();
    let of = |count: usize| match net.len() - count {
        0 => String::new(),
        _ => format!(" ({count} of {})", net.len()),
    };
    if let Some((prefix, count)) = longer(net, file).filter(|&(_, count)| enough(count)) {
        let why = match file.iter().all(|name| name.starts_with(prefix)) {
            true => format!("every name in the file starts with `{prefix}`{}", of(count)),
            false => {
                format!("the file has the net's names with `{prefix}` in front{}", of(count))
            }
        };
        let strip = |name: &&str| name.strip_prefix(prefix).unwrap_or(name).to_owned();
        let names = file.iter().map(strip).collect();
        return Some(complete(options.clone().strip(prefix), why, net, names));
    }
    if let Some((prefix, count)) = shorter(net, file).filter(|&(_, count)| enough(count)) {
        let why = format!("the file has the net's names without `{prefix}` in front{}", of(count));
        let names = file.iter().map(|name| format!("{prefix}{name}")).collect();
        return Some(complete(options.clone().rename("", prefix), why, net, names));
    }
    if found < net.len() {
        return None;
    }
    let names = file.iter().map(|&name| name.to_owned()).collect();
    let advice = complete(options.clone(), "all the net's names are there".into(), net, names);
    (advice.options != *options).then_some(advice)
}

/// How to read a file some of whose tensors have other shapes, each described as `fc.weight: …`: without
/// their layers, if these are few.
pub(super) fn keep(misshaped: &[String], options: &LoadOptions) -> Option<Advice> {
    let name = |text: &String| text.split(": ").next().unwrap_or_default().to_owned();
    let layers: BTreeSet<String> = misshaped
        .iter()
        .map(|text| {
            let name = name(text);
            name.rfind('.').map_or(name.clone(), |end| name[..=end].to_owned())
        })
        .collect();
    if layers.is_empty() || layers.len() > GROUPS {
        return None;
    }
    let list = layers.iter().map(|layer| format!("`{layer}`")).collect::<Vec<_>>().join(", ");
    let why = format!("to keep the net's own {list} and load all else");
    Some(Advice { options: layers.into_iter().fold(options.clone(), LoadOptions::keep), why })
}

/// The advice to use these options, under which the file has these names, and to leave out what the net
/// lacks if that is little.
fn complete(
    options: LoadOptions,
    why: String,
    net: &[String],
    mut names: BTreeSet<String>,
) -> Advice {
    let all = net.iter().filter(|name| names.remove(name.as_str())).count() == net.len();
    match groups(net, names).filter(|groups| all && !groups.is_empty()) {
        None => Advice { options, why },
        Some(groups) => {
            let list = groups.iter().map(|group| format!("`{group}`")).collect::<Vec<_>>();
            let why = format!("{why}; if it is to do without {}", list.join(", "));
            Advice { options: groups.into_iter().fold(options, LoadOptions::ignore), why }
        }
    }
}

/// What is in front of the net's names in the file, and of how many.
fn longer<'n>(net: &[String], file: &BTreeSet<&'n str>) -> Option<(&'n str, usize)> {
    let mut prefixes: BTreeSet<&'n str> = BTreeSet::new();
    for own in net.iter().take(TRIED) {
        let longer = file.iter().filter_map(|name| name.strip_suffix(own.as_str()));
        prefixes.extend(longer.filter(|prefix| prefix.ends_with('.')).take(TRIED));
    }
    let count = |prefix: &str| {
        let named = |own: &&String| file.contains(format!("{prefix}{own}").as_str());
        net.iter().filter(named).count()
    };
    let counted = prefixes.into_iter().map(|prefix| (prefix, count(prefix)));
    // Of two that fit equally well, the shorter.
    counted.max_by_key(|(prefix, count)| (*count, std::cmp::Reverse(prefix.len())))
}

/// What the file's names lack in front, and how many do.
fn shorter<'n>(net: &'n [String], file: &BTreeSet<&str>) -> Option<(&'n str, usize)> {
    let first = net.first()?;
    let prefixes = first.match_indices('.').map(|(at, _)| &first[..=at]);
    let count = |prefix: &str| {
        let rests = net.iter().filter_map(|own| own.strip_prefix(prefix));
        rests.filter(|rest| file.contains(rest)).count()
    };
    let counted = prefixes.take(TRIED).map(|prefix| (prefix, count(prefix)));
    counted.max_by_key(|(_, count)| *count)
}

/// What these names start with, up to the first point, if that is little and no start of the net's own
/// names.
fn groups(net: &[String], names: BTreeSet<String>) -> Option<BTreeSet<String>> {
    let mut groups = BTreeSet::new();
    for name in names {
        let group = name.find('.').map_or(name.as_str(), |end| &name[..=end]);
        if groups.contains(group) {
            continue;
        }
        if groups.len() == GROUPS || net.iter().any(|own| own.starts_with(group)) {
            return None;
        }
        groups.insert(group.to_owned());
    }
    Some(groups)
}
