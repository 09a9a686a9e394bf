//! What `make fuzz` holds against anything: the readers of documents and the mapping of keys. Each function panics
//! where a promise is broken.

#![expect(clippy::panic, clippy::expect_used, reason = "a fuzzer finds panics")]

use orlop_driver::Path;

use crate::{
    encode, key, octets,
    xml::{cors, deletion, fault, listing, receipt, uploads},
};

/// Documents of any kind are read or refused, and what is read is no larger than what was written.
pub fn documents(body: &str) {
    if let Ok(listing) = listing::read(body) {
        let keys = listing.objects.iter().map(|object| object.key.len());
        let read: usize = keys.chain(listing.prefixes.iter().map(String::len)).sum();
        assert!(
            // `%FF` is a character of four bytes.
            read <= body.len() / 3 * 4 + 2,
            "a listing has more in it than its document"
        );
    }
    if let Ok(failures) = deletion::failures(body) {
        let read: usize = failures.iter().map(|kept| kept.key.len()).sum();
        assert!(
            read <= body.len(),
            "an answer has more in it than its document"
        );
    }
    let _ = (
        fault::read(body),
        uploads::read(body),
        cors::allows_uploads(body),
        receipt::upload_id(body),
        receipt::etag(body, "CopyObjectResult"),
    );
}

/// Keys that a listing has, encoded, are the keys that were written.
pub fn listings(keys: &[&str]) {
    let keys: Vec<_> = keys.iter().map(|key| usual(key)).collect();
    let contents: String = keys
        .iter()
        .map(|key| format!("<Contents><Key>{}</Key></Contents>", encode::value(key)))
        .collect();
    let body =
        format!("<ListBucketResult><EncodingType>url</EncodingType>{contents}</ListBucketResult>");
    let read = listing::read(&body).expect("a listing is not read");
    let read: Vec<_> = read
        .objects
        .iter()
        .map(|object| object.key.as_str())
        .collect();
    assert_eq!(read, keys);
}

/// The text of the bytes that a text stands for.
fn usual(key: &str) -> String {
    octets::text(&octets::bytes(key)).into_owned()
}

/// A key has one path, which leads back to it.
pub fn keys(key: &str) {
    let key = usual(key);
    if key.is_empty() {
        return;
    }
    let names: Vec<_> = key.split('/').map(key::name).collect();
    let Ok(path) = Path::parse(names.join("/")) else {
        panic!("{key:?} has no clean path");
    };
    assert_eq!(key::of_file(&path).as_deref(), Ok(&*key));
}

/// A path that a key has is the path of that key.
pub fn paths(text: &str) {
    let Ok(path) = Path::parse(text) else { return };
    if let Ok(key) = key::of_file(&path) {
        let names: Vec<_> = key.split('/').map(key::name).collect();
        assert_eq!(names.join("/"), text);
    }
}
