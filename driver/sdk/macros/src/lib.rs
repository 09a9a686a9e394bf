//! The `export!` macro of `orlop-driver`.
//!
//! A component exports only the interfaces that its driver implements, so its world is made to measure:
//! this macro writes the world, has wit-bindgen bind it against the one copy of the contract, and calls
//! `orlop-driver`'s glue for each interface. It is a procedural macro because only such a one knows where
//! that copy lies.

use proc_macro::{TokenStream, TokenTree};

/// The interfaces by the name of the trait that stands for them.
const INTERFACES: [(&str, &str); 5] = [
    ("Storage", "storage"),
    ("Writable", "writable"),
    ("Removable", "removable"),
    ("Transfer", "transfer"),
    ("Sharing", "sharing"),
];

/// Exports a driver as a component: `export!(Driver<Sandbox>: Storage + Writable + Removable);`.
///
/// The type must implement each trait named; `Storage` must be among them.
#[proc_macro]
pub fn export(input: TokenStream) -> TokenStream {
    expand(input).unwrap_or_else(|message| {
        format!("::core::compile_error!({message:?});")
            .parse()
            .unwrap_or_default()
    })
}

fn expand(input: TokenStream) -> Result<TokenStream, String> {
    let (driver, traits) = split(input)?;
    let interfaces = traits
        .iter()
        .map(|name| {
            INTERFACES
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, interface)| *interface)
                .ok_or_else(|| {
                    format!("`{name}` is none of Storage, Writable, Removable, Transfer, Sharing")
                })
        })
        .collect::<Result<Vec<_>, _>>()?;
    if !interfaces.contains(&"storage") {
        return Err("a driver must export Storage".to_owned());
    }

    let exports: String = interfaces
        .iter()
        .map(|interface| format!("export orlop:driver/{interface}@0.1.0; "))
        .collect();
    let world = format!(
        "package orlop:component; world component {{ include orlop:driver/imports@0.1.0; {exports}}}"
    );
    let contract = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../wit");
    let glue: String = interfaces
        .iter()
        .map(|interface| format!("::orlop_driver::__export_{interface}!({driver});"))
        .collect();

    format!(
        r#"
        #[doc(hidden)]
        mod __orlop_component {{
            #![allow(missing_docs, missing_debug_implementations, unsafe_code, unreachable_pub, unused, reason = "generated code")]
            use super::*;
            ::orlop_driver::wit_bindgen::generate!({{
                inline: {world:?},
                path: {contract:?},
                world: "orlop:component/component",
                runtime_path: "::orlop_driver::wit_bindgen::rt",
                export_macro_name: "__export_component",
                with: {{
                    "orlop:driver/types@0.1.0": ::orlop_driver::bindings::orlop::driver::types,
                    "orlop:driver/http@0.1.0": ::orlop_driver::bindings::orlop::driver::http,
                    "orlop:driver/uploads@0.1.0": ::orlop_driver::bindings::orlop::driver::uploads,
                    "orlop:driver/notes@0.1.0": ::orlop_driver::bindings::orlop::driver::notes,
                    "wasi:clocks/types@0.3.0": ::orlop_driver::bindings::wasi::clocks::types,
                    "wasi:clocks/monotonic-clock@0.3.0": ::orlop_driver::bindings::wasi::clocks::monotonic_clock,
                }},
            }});
            struct Component;
            {glue}
            __export_component!(Component);
        }}
        "#
    )
    .parse()
    .map_err(|error| format!("{error}"))
}

/// Parts `Driver<Sandbox>: Storage + Writable` at its last lone colon.
fn split(input: TokenStream) -> Result<(String, Vec<String>), String> {
    let tokens: Vec<TokenTree> = input.into_iter().collect();
    let is_punct = |index: usize, wanted: char| matches!(tokens.get(index), Some(TokenTree::Punct(punct)) if punct.as_char() == wanted);
    let colon = (1..tokens.len())
        .rev()
        .find(|&index| {
            is_punct(index, ':') && !is_punct(index - 1, ':') && !is_punct(index + 1, ':')
        })
        .ok_or("expected `Driver: Storage + …`")?;
    let driver: TokenStream = tokens.iter().take(colon).cloned().collect();
    let traits = tokens
        .iter()
        .skip(colon + 1)
        .filter_map(|token| match token {
            TokenTree::Ident(name) => Some(name.to_string()),
            _ => None,
        })
        .collect();
    Ok((driver.to_string(), traits))
}
