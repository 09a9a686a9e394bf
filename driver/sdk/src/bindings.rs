//! What wit-bindgen makes of the contract's imports. Everything else of the crate is written by hand.

wit_bindgen::generate!({
    path: "../../wit",
    world: "imports",
    generate_all,
});
