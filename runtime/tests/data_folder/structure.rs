//! What a folder must look like, and what becomes of it.

use std::fs;

use typenet_runtime::data::{
    Channels, Examples, ImageFolder, ImageOptions, Images, Resize, View, read_image,
};
use typenet_runtime::image::imageops::FilterType;
use typenet_runtime::image::{ImageFormat, RgbImage};

use super::{
    Image, ORDER, check, encoded, folder, mistake, numbers, open, options, pets, picture, png,
    write,
};

#[test]
fn classes_are_the_folders_in_the_order_of_their_names() {
    let place = pets();
    for folder in [folder(&place), folder(&place).in_memory(), folder(&place)] {
        let images = open(&folder);
        assert_eq!(images.class_names(), ["bird", "cat", "dog"]);
        assert!(images.labels().eq([0, 1, 1, 2]));
        check(&images, &ORDER);
        let path = place.path().join("train/cat/b.png");
        assert_eq!(images.place(2), path.display().to_string());
        assert_eq!(images.target(View::Plain, 3).unwrap(), 2);
        assert!(images.skipped().is_empty());
        let statistics = images.to_dataset().unwrap().channel_statistics(3).unwrap();
        let found = images.channel_statistics().unwrap();
        for (found, expected) in found.mean.iter().zip(&statistics.mean) {
            assert!((found - expected).abs() <= 1e-7);
        }
        for (found, expected) in found.std.iter().zip(&statistics.std) {
            assert!((found - expected).abs() <= 1e-7);
        }
    }
}

#[test]
fn images_get_the_size_and_the_channels_of_the_options() {
    let place = pets();
    let large = typenet_runtime::image::imageops::resize(&picture(1), 50, 40, FilterType::Nearest);
    write(place.path(), "train/cat/a.png", &encoded(&large, ImageFormat::Png));
    let error = mistake(&place, &folder(&place));
    assert!(
        error.starts_with(
            "train/cat/a.png: the image: expected 5×4 pixels, as it is `Resize::Exact`, found 50×40 \
             pixels"
        ),
        "{error}"
    );
    let nearest = ImageOptions::new(Resize::Stretch(FilterType::Nearest), Channels::Rgb);
    let images = open(&ImageFolder::new(place.path().join("train"), nearest));
    check(&images, &ORDER);

    // Other options, other pixels; each kind has its own cache.
    let turned = ImageOptions::new(Resize::Stretch(FilterType::Nearest), Channels::Bgr);
    let images = open(&ImageFolder::new(place.path().join("train"), turned));
    let mut expected = picture(1);
    expected.pixels_mut().for_each(|pixel| pixel.0.reverse());
    assert_eq!(super::image(&images, 1), numbers(&expected));
    let grey = ImageOptions::new(Resize::Crop(FilterType::Triangle), Channels::Grey);
    let folder = ImageFolder::new(place.path().join("train"), grey);
    let images: Images<[[[f32; 8]; 8]; 1]> = folder.open().unwrap();
    assert_eq!(images.len(), 4);
    assert_eq!(super::caches(&place).len(), 3);
    let error = folder.open::<Image>().unwrap_err().to_string();
    assert!(error.starts_with("channels of `Channels::Grey`: expected 3"), "{error}");
    assert!(folder.open::<[f32; 64]>().is_err());
}

#[test]
fn content_tells_the_format_and_not_the_name() {
    let place = pets();
    write(place.path(), "train/cat/a.png", &encoded(&picture(9), ImageFormat::Jpeg));
    write(place.path(), "train/cat/no extension", &png(5));
    let grey16 = typenet_runtime::image::DynamicImage::from(RgbImage::from_pixel(
        5,
        4,
        typenet_runtime::image::Rgb([7; 3]),
    ));
    let mut file = std::io::Cursor::new(Vec::new());
    grey16.to_luma16().write_to(&mut file, ImageFormat::Png).unwrap();
    write(place.path(), "train/cat/z16.png", file.get_ref());
    let images = open(&folder(&place));
    assert_eq!(images.len(), 6);
    // A JPEG is near what went in.
    for (found, expected) in super::image(&images, 1).iter().zip(numbers(&picture(9))) {
        assert!((found - expected).abs() <= 0.2, "{found} {expected}");
    }
    assert_eq!(super::image(&images, 3), numbers(&picture(5)));
    assert_eq!(super::image(&images, 4), [7.0 / 255.0; 60]);
}

#[test]
fn what_systems_add_is_passed_over() {
    let place = pets();
    for name in [
        "train/.DS_Store",
        "train/README.txt",
        "train/cat/.DS_Store",
        "train/cat/Thumbs.db",
        "train/dog/desktop.ini",
        "train/.git/config",
    ] {
        write(place.path(), name, b"no image");
    }
    check(&open(&folder(&place)), &ORDER);
}

#[test]
fn another_structure_is_an_error() {
    let place = pets();
    let folder = folder(&place);
    let train = place.path().join("train");
    fs::create_dir(train.join("cow")).unwrap();
    assert_eq!(mistake(&place, &folder), "train/cow: there is no image in this class folder");
    fs::remove_dir(train.join("cow")).unwrap();

    write(&train, "cat/more/1.png", &png(1));
    assert_eq!(
        mistake(&place, &folder),
        "train/cat/more: this is a folder in a class folder: images are expected as CLASS/FILE in the \
         folder that is opened"
    );
    // The folder above is such a case.
    let above = ImageFolder::new(place.path(), options());
    assert!(mistake(&place, &above).contains("a folder in a class folder"));
    fs::remove_dir_all(train.join("cat/more")).unwrap();

    let stray = write(&train, "stray.JPG", &png(1));
    assert_eq!(
        mistake(&place, &folder),
        "train/stray.JPG: this image is in no class folder: images are expected as CLASS/FILE"
    );
    fs::remove_file(stray).unwrap();

    let class = ImageFolder::new(train.join("cat"), options());
    assert!(mistake(&place, &class).contains("this image is in no class folder"));
    fs::create_dir(place.path().join("empty")).unwrap();
    let empty = ImageFolder::new(place.path().join("empty"), options());
    let expected = "empty: there are no class folders: images are expected as CLASS/FILE in it";
    assert_eq!(mistake(&place, &empty), expected);
    let missing = ImageFolder::new(place.path().join("nowhere"), options());
    assert!(mistake(&place, &missing).starts_with("nowhere: "));
    let file = ImageFolder::new(train.join("cat/a.png"), options());
    assert!(mistake(&place, &file).starts_with("train/cat/a.png: "));
}

#[test]
fn given_classes_keep_their_numbers() {
    let place = pets();
    let names = ["dog", "cow", "cat", "bird"];
    let images = open(&folder(&place).class_names(names));
    assert_eq!(images.class_names(), names);
    assert!(images.labels().eq([0, 2, 2, 3]));
    check(&images, &[3, 1, 2, 0]);
    let error = mistake(&place, &folder(&place).class_names(["dog", "cat"]));
    assert_eq!(error, "train/bird: this is none of the classes dog, cat");
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_circles_end() {
    use std::os::unix::fs::symlink;

    let place = pets();
    let train = place.path().join("train");
    symlink(train.join("dog/1.png"), train.join("cat/c.png")).unwrap();
    symlink(train.join("bird"), train.join("another bird")).unwrap();
    let images = open(&folder(&place));
    assert_eq!(images.class_names(), ["another bird", "bird", "cat", "dog"]);
    check(&images, &[0, 0, 1, 2, 3, 3]);

    symlink(&train, train.join("cat/loop")).unwrap();
    assert!(mistake(&place, &folder(&place)).starts_with("train/cat/loop: this is a folder in"));
    fs::remove_file(train.join("cat/loop")).unwrap();
    symlink(&train, train.join("loop")).unwrap();
    assert!(mistake(&place, &folder(&place)).starts_with("train/loop/"));
    fs::remove_file(train.join("loop")).unwrap();

    // The folder itself may be a link: the cache is beside what it leads to.
    symlink(&train, place.path().join("link")).unwrap();
    check(&open(&ImageFolder::new(place.path().join("link"), options())), &[0, 0, 1, 2, 3, 3]);
    symlink("b", train.join("a")).unwrap();
    symlink("a", train.join("b")).unwrap();
    assert!(mistake(&place, &folder(&place)).starts_with("train/a: "));
}

#[cfg(unix)]
#[test]
fn names_need_no_utf8_but_those_of_classes() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let place = pets();
    let train = place.path().join("train");
    let name = OsStr::from_bytes(b"\xff\xfe.png");
    if fs::write(train.join("cat").join(name), png(7)).is_err() {
        println!("skipped: this file system has UTF-8 names alone");
        return;
    }
    let images = open(&folder(&place));
    check(&images, &[0, 1, 2, 7, 3]);
    assert!(images.place(3).ends_with(".png"));
    fs::create_dir(train.join(name)).unwrap();
    assert!(
        mistake(&place, &folder(&place))
            .ends_with("the name of this class folder is no UTF-8 text")
    );
}

#[test]
fn a_single_image_is_read_by_the_same_rules() {
    let place = pets();
    let good = read_image(place.path().join("train/cat/a.png")).unwrap();
    assert_eq!(good.to_rgb8(), picture(1));
    let jpeg = encoded(&picture(1), ImageFormat::Jpeg);
    let cut = write(place.path(), "cut.jpg", &jpeg[..jpeg.len() - 9]);
    let error = read_image(&cut).unwrap_err().to_string();
    assert!(
        error.ends_with("cut.jpg: the JPEG data end too early: the file is truncated"),
        "{error}"
    );
    assert!(read_image(place.path()).unwrap_err().to_string().ends_with("this is no regular file"));
    assert!(read_image(place.path().join("nowhere.png")).is_err());
}
