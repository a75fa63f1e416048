//! The cache: used, stale, damaged, without room.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use tempfile::TempDir;
use typenet_runtime::data::{Examples, ImageFolder, View};

use super::{
    Image, ORDER, caches, check, folder, image, mistake, numbers, open, options, pets, picture,
    png, write,
};

fn age(path: &Path) -> SystemTime {
    fs::metadata(path).unwrap().modified().unwrap()
}

/// Makes a file old, so that it is seen whether it is written again.
fn make_old(path: &Path) -> SystemTime {
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    fs::File::options().write(true).open(path).unwrap().set_modified(old).unwrap();
    old
}

fn cache_of(place: &TempDir) -> std::path::PathBuf {
    let caches = caches(place);
    assert_eq!(caches.len(), 1, "{caches:?}");
    caches[0].clone()
}

#[test]
fn the_second_start_reads_the_cache() {
    let place = pets();
    check(&open(&folder(&place)), &ORDER);
    let cache = cache_of(&place);
    let name = cache.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("train-3x4x5-") && name.ends_with(".typenet"), "{name}");
    let old = make_old(&cache);
    check(&open(&folder(&place)), &ORDER);
    assert_eq!(age(&cache), old);

    let other = place.path().join("elsewhere.cache");
    check(&open(&folder(&place).cache(&other)), &ORDER);
    assert_eq!(fs::read(&other).unwrap(), fs::read(&cache).unwrap(), "the same bytes every time");

    // A folder that moves with its files is the same folder.
    fs::rename(place.path().join("train"), place.path().join("moved")).unwrap();
    let old = make_old(&other);
    let moved = ImageFolder::new(place.path().join("moved"), options()).cache(&other);
    check(&open(&moved), &ORDER);
    assert_eq!(age(&other), old);
}

#[test]
fn every_change_of_the_folder_makes_it_stale() {
    let place = pets();
    let train = place.path().join("train");
    let reopen = |pictures: &[u8]| {
        check(&open(&folder(&place)), pictures);
        let cache = cache_of(&place);
        let old = make_old(&cache);
        move || assert!(age(&cache) != old, "the cache was made anew")
    };
    let stale = reopen(&ORDER);
    write(&train, "cat/c.png", &png(9));
    check(&open(&folder(&place)), &[0, 1, 2, 9, 3]);
    stale();
    let stale = reopen(&[0, 1, 2, 9, 3]);
    fs::rename(train.join("cat/c.png"), train.join("dog/0.png")).unwrap();
    check(&open(&folder(&place)), &[0, 1, 2, 9, 3]);
    stale();
    let stale = reopen(&[0, 1, 2, 9, 3]);
    fs::remove_file(train.join("dog/0.png")).unwrap();
    check(&open(&folder(&place)), &ORDER);
    stale();
    // Other content of the same size, written later.
    let stale = reopen(&ORDER);
    let (before, after) = (png(1), png(9));
    assert_eq!(before.len(), after.len());
    write(&train, "cat/a.png", &after);
    check(&open(&folder(&place)), &[0, 9, 2, 3]);
    stale();
    let stale = reopen(&[0, 9, 2, 3]);
    make_old(&train.join("cat/a.png"));
    check(&open(&folder(&place)), &[0, 9, 2, 3]);
    stale();
    let stale = reopen(&[0, 9, 2, 3]);
    fs::rename(train.join("cat"), train.join("tiger")).unwrap();
    let images = open(&folder(&place));
    check(&images, &[0, 3, 9, 2]);
    assert_eq!(images.class_names(), ["bird", "dog", "tiger"]);
    stale();
}

#[test]
fn a_cut_cache_is_made_anew() {
    let place = pets();
    open(&folder(&place));
    let cache = cache_of(&place);
    let whole = fs::read(&cache).unwrap();
    for len in 0..whole.len() {
        fs::write(&cache, &whole[..len]).unwrap();
        check(&open(&folder(&place)), &ORDER);
        assert_eq!(fs::read(&cache).unwrap(), whole);
    }
    fs::write(&cache, [&whole[..], b"more"].concat()).unwrap();
    check(&open(&folder(&place)), &ORDER);
    assert_eq!(fs::read(&cache).unwrap(), whole);
}

#[test]
fn any_wrong_byte_is_noticed() {
    let place = pets();
    open(&folder(&place));
    let cache = cache_of(&place);
    let whole = fs::read(&cache).unwrap();
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        fs::write(&cache, &damaged).unwrap();
        check(&open(&folder(&place)), &ORDER);
        // Either it was made anew at once, or removed when the image was read.
        match fs::read(&cache) {
            Ok(found) => assert_eq!(found, whole, "byte {at}"),
            Err(_) => assert!((56..56 + 240).contains(&at), "byte {at}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_content_of_the_cache_is_survived(
        start in 0..3usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        noise in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let place = pets();
        open(&folder(&place));
        let cache = cache_of(&place);
        let mut bytes = fs::read(&cache).unwrap();
        match start {
            0 => bytes = noise,
            1 => bytes.splice(56.., noise).for_each(drop),
            _ => changes.iter().for_each(|(at, byte)| *at.get_mut(&mut bytes) = *byte),
        }
        fs::write(&cache, bytes).unwrap();
        check(&open(&folder(&place)), &ORDER);
    }
}

#[test]
fn the_folder_may_change_once_it_is_open() {
    let place = pets();
    let images = open(&folder(&place));
    fs::remove_dir_all(place.path().join("train")).unwrap();
    check(&images, &ORDER);
    #[cfg(unix)]
    {
        fs::remove_file(cache_of(&place)).unwrap();
        check(&images, &ORDER);
    }
}

#[test]
fn a_cache_that_is_damaged_while_it_is_open_is_no_harm() {
    let place = pets();
    let images = open(&folder(&place));
    let cache = cache_of(&place);
    let cut = || fs::File::options().write(true).open(&cache).unwrap().set_len(100).unwrap();
    cut();
    check(&images, &ORDER);
    assert!(!cache.exists(), "so that the next start makes it anew");

    // Then the file is needed.
    let images = open(&folder(&place));
    cut();
    write(place.path(), "train/cat/a.png", &png(9));
    fs::remove_file(place.path().join("train/cat/b.png")).unwrap();
    write(place.path(), "train/dog/1.png", b"no image!");
    assert_eq!(image(&images, 0), numbers(&picture(0)));
    for (index, problem) in [(1, "changed"), (2, "b.png: "), (3, "no image")] {
        let mut numbers = [0.0; 60];
        let error =
            images.inputs_into(View::Plain, &[index], &mut numbers).unwrap_err().to_string();
        assert!(
            error.contains("are damaged here, and the file is no longer what it was"),
            "{error}"
        );
        assert!(error.contains(problem), "{error}");
    }
}

#[test]
fn many_threads_read_at_once() {
    let place = tempfile::tempdir().unwrap();
    for number in 0..100 {
        write(place.path(), &format!("train/{}/{number:03}.png", number % 3), &png(number));
    }
    let images = open(&folder(&place));
    let order: Vec<u8> =
        (0..3).flat_map(|class| (0..100).filter(move |n| n % 3 == class)).collect();
    thread::scope(|scope| {
        for thread in 0..4 {
            let (images, order) = (&images, &order);
            scope.spawn(move || {
                for i in 0..1000 {
                    let index = (i * 37 + thread * 11) % 100;
                    assert_eq!(image(images, index), numbers(&picture(order[index])));
                }
            });
        }
    });
}

#[test]
fn several_programs_may_make_the_cache_at_once() {
    let place = pets();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| check(&open(&folder(&place)), &ORDER));
        }
    });
    cache_of(&place);
}

#[cfg(unix)]
#[test]
fn a_place_without_permission_is_an_error_with_a_way_out() {
    use std::os::unix::fs::PermissionsExt;

    let place = pets();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o500)).unwrap();
    if fs::write(place.path().join("test"), "").is_ok() {
        println!("skipped: the one who runs this may write everywhere");
        return;
    }
    let error = mistake(&place, &folder(&place));
    assert!(error.contains("`ImageFolder::cache` puts the decoded images elsewhere"), "{error}");
    check(&open(&folder(&place).in_memory()), &ORDER);
    let other = tempfile::tempdir().unwrap();
    check(&open(&folder(&place).cache(other.path().join("cache"))), &ORDER);
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_folder_is_no_place_for_the_cache() {
    let place = pets();
    let folder = folder(&place).cache(place.path());
    assert!(folder.open::<Image>().is_err());
}

/// Where the test of the full disk runs in its own mounts.
const FULL: &str = "TYPENET_TEST_FULL_DISK";

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_what_was_there() {
    use std::process::Command;

    if let Some(disk) = std::env::var_os(FULL) {
        return on_full_disk(Path::new(&disk));
    }
    let disk = tempfile::tempdir().unwrap();
    let script = r#"mount -t tmpfs -o size=256k tmpfs "$1" && exec "$2" --exact "$3" --nocapture"#;
    let can_mount = Command::new("unshare")
        .args(["-rm", "sh", "-c", r#"mount -t tmpfs -o size=256k tmpfs "$1""#, "sh"])
        .arg(disk.path())
        .output()
        .is_ok_and(|output| output.status.success());
    if !can_mount {
        println!("skipped: this user cannot mount a tmpfs");
        return;
    }
    let output = Command::new("unshare")
        .args(["-rm", "sh", "-c", script, "sh"])
        .arg(disk.path())
        .arg(std::env::current_exe().unwrap())
        .arg("cache::a_full_disk_leaves_what_was_there")
        .env(FULL, disk.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

fn on_full_disk(disk: &Path) {
    type Large = [[[f32; 64]; 64]; 3];
    let place = tempfile::tempdir().unwrap();
    for number in 0..40 {
        write(place.path(), &format!("train/a/{number}.png"), &png(number));
    }
    let large = typenet_runtime::data::Resize::Stretch(
        typenet_runtime::image::imageops::FilterType::Nearest,
    );
    let options =
        typenet_runtime::data::ImageOptions::new(large, typenet_runtime::data::Channels::Rgb);
    let cache = disk.join("cache");
    fs::write(&cache, "what was there").unwrap();
    let folder = ImageFolder::new(place.path().join("train"), options).cache(&cache);
    let error = folder.open::<Large>().unwrap_err().to_string();
    assert!(error.contains("No space left on device"), "{error}");
    assert_eq!(fs::read(&cache).unwrap(), b"what was there");
    assert_eq!(fs::read_dir(disk).unwrap().count(), 1, "nothing else is left");
    // Small images still have room.
    let small: typenet_runtime::data::Images<[[[f32; 8]; 8]; 3]> = folder.open().unwrap();
    assert_eq!(small.len(), 40);
}
