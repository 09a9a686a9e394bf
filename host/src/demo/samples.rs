//! The sample files.

use std::borrow::Cow;

use anyhow::Context;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use orlop::{BoxError, Namespace, Path, Upload, WriteOptions};

use super::picture;

/// The file over 50 MB.
pub(super) const BIG_FILE: &str = "zeros-52MiB.bin";

/// Files that are written at once.
const AT_ONCE: usize = 8;

const README: &str = "\
# Orlop's sample files

These files lie in an S3 bucket that runs inside this process. What you see comes to you through a
**driver**: a WebAssembly component in a sandbox, which signs requests and reads listings, and cannot reach
anything but that bucket.

- `pictures` has small pictures to preview.
- `odd names` has names that many file servers stumble over.
- `notes` has folders inside folders.
- `empty` has nothing in it, and yet it is there.
- `zeros-52MiB.bin` is large enough to watch a download.

Upload, move and delete as you like: everything is gone when the demo ends.
";

const HTML: &str = "\
<!doctype html>
<title>A page</title>
<p>A page from a bucket. It is shown as text or in a sandbox, never as part of Orlop.</p>
<script>document.body.append('This line must not appear.')</script>
";

/// Files of text.
const TEXTS: [(&str, &str); 16] = [
    ("README.md", README),
    ("hello.txt", "Hello from the lowest deck.\n"),
    ("zero-bytes.txt", ""),
    ("data/page.html", HTML),
    (
        "data/depths.csv",
        "fathoms,metres\n1,1.83\n2,3.66\n3,5.49\n5,9.14\n10,18.29\n",
    ),
    (
        "data/ship.json",
        "{\n  \"decks\": [\"upper\", \"middle\", \"lower\", \"orlop\"],\n  \"hold\": true\n}\n",
    ),
    (
        "data/orlop.toml",
        "[[mount]]\npath = \"/photos\"\ndriver = \"s3\"\n",
    ),
    ("data/count.py", "for deck in range(4):\n    print(deck)\n"),
    (
        "notes/monday.md",
        "# Monday\n\n- caulk the planks\n- count the casks\n",
    ),
    (
        "notes/tuesday.md",
        "# Tuesday\n\n1. splice the cables\n2. dry the sails\n",
    ),
    (
        "notes/wednesday.md",
        "# Wednesday\n\n> Everything has its place, or it is in the way.\n",
    ),
    (
        "notes/2026/january/plan.md",
        "# January\n\nSail when the ice is gone.\n",
    ),
    (
        "notes/2026/february/plan.md",
        "# February\n\nThe ice is not gone.\n",
    ),
    (
        "notes/2026/march/log.txt",
        "Wind: south-west.\nIce: gone.\n",
    ),
    (
        "notes/2026/march/cargo/list.txt",
        "40 casks of water\n12 barrels of flour\n1 cat\n",
    ),
    (
        "notes/2026/march/cargo/cat.txt",
        "Ship's cat. Not for sale.\n",
    ),
];

/// Names that must work everywhere. The content of each file is its name.
const ODD_NAMES: [&str; 20] = [
    "a space.txt",
    "two  spaces.txt",
    "plus+plus.txt",
    "100%.txt",
    "percent%20encoded.txt",
    "hash#tag.txt",
    "what?.txt",
    "this & that.txt",
    "single'quote.txt",
    "double\"quote.txt",
    "<angle> brackets.txt",
    "semi;colon, comma.txt",
    "equals=at@.txt",
    "back\\slash.txt",
    "umlauts äöü ÄÖÜ ß.txt",
    "日本語.txt",
    "中文文件.txt",
    "emoji 🚢⚓.txt",
    ".hidden",
    "ordner & mehr/über + unter.txt",
];

/// Folders with nothing in them.
const EMPTY: [&str; 2] = ["empty", "notes/2026/april"];

const DUSK: picture::Colour = [32, 24, 72];
const SUN: picture::Colour = [255, 176, 64];
const SEA: picture::Colour = [16, 96, 128];
const FOAM: picture::Colour = [216, 248, 240];
const MOSS: picture::Colour = [48, 112, 40];

/// A sample file.
pub(super) struct Sample {
    path: Cow<'static, str>,
    content: Bytes,
}

/// Writes all samples but the big one into a folder.
pub(super) async fn write(namespace: &Namespace, folder: &Path) -> anyhow::Result<()> {
    let writes = samples().into_iter().map(|sample| async move {
        let path = Path::parse(format!("{folder}/{}", sample.path))?;
        let content_type = mime_guess::from_path(path.name()).first_raw();
        let size = sample.content.len() as u64;
        let content = sample.content;
        let mut upload = Upload::new(stream::iter([Ok::<_, BoxError>(content)]), Some(size));
        if let Some(content_type) = content_type {
            upload = upload.with_content_type(content_type.to_owned());
        }
        namespace
            .write(&path, upload, WriteOptions::default())
            .await
            .with_context(|| format!("cannot write the sample /{path}"))?;
        anyhow::Ok(())
    });
    stream::iter(writes)
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>()
        .await?;
    for name in EMPTY {
        let path = Path::parse(format!("{folder}/{name}"))?;
        namespace
            .make_directory(&path)
            .await
            .with_context(|| format!("cannot make the folder /{path}"))?;
    }
    Ok(())
}

/// All samples but the big one.
pub(super) fn samples() -> Vec<Sample> {
    let texts = TEXTS.map(|(path, text)| Sample {
        path: path.into(),
        content: Bytes::from_static(text.as_bytes()),
    });
    let odd_names = ODD_NAMES.map(|name| Sample {
        path: format!("odd names/{name}").into(),
        content: Bytes::from(format!("{name}\n")),
    });
    let pictures = [
        ("sunrise", DUSK, SUN),
        ("sea", SEA, FOAM),
        ("forest", FOAM, MOSS),
        ("night", [8, 8, 24], DUSK),
    ]
    .map(|(name, from, to)| Sample {
        path: format!("pictures/{name}.png").into(),
        content: picture::png(from, to).into(),
    });
    let drawings = [
        ("buoy", SUN, DUSK),
        ("porthole", SEA, FOAM),
        ("tree", MOSS, SUN),
    ]
    .map(|(name, from, to)| Sample {
        path: format!("pictures/drawings/{name}.svg").into(),
        content: picture::svg(from, to).into(),
    });
    texts
        .into_iter()
        .chain(odd_names)
        .chain(pictures)
        .chain(drawings)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_few_dozen_files_with_clean_paths() {
        let samples = samples();
        let paths: BTreeSet<_> = samples.iter().map(|sample| &sample.path).collect();
        assert_eq!(paths.len(), samples.len());
        assert!((30..60).contains(&paths.len()), "{}", paths.len());
        for path in paths {
            assert!(Path::parse(path.clone()).is_ok(), "{path}");
        }
    }
}
