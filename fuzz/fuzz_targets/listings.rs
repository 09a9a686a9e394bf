#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|keys: &str| {
    let keys: Vec<&str> = keys.split('|').collect();
    orlop_driver_s3::fuzz::listings(&keys);
});
