//! The front doors: the page, plain HTTP, and the JSON API, over one [`Namespace`](crate::Namespace).
//!
//! [`Server`] listens and drains; [`router`] is the same without a socket, for programs that have a
//! server of their own. Doors never touch a driver: they speak to the namespace, and every error
//! becomes an answer by the one table in [`verdict`].
//!
//! | path | door |
//! |---|---|
//! | `/{path}` | the page: a folder, or a file's preview; the same as JSON for `Accept: application/json` |
//! | `/d/{path}` | download, by redirect or through the host as the mount says; `PUT` and `DELETE` |
//! | `/p/{path}` | download through the host |
//! | `/dav/{path}` | WebDAV, class 1 and 2 |
//! | `/api/v1/…` | JSON |
//! | `/s/{token}/…` | what users share |
//! | `/healthz`, `/readyz`, `/metrics` | alive; every mount's state; Prometheus |
//! | `/_orlop/…` | the page's own style and icon, and its log-in form |
//!
//! A name in the namespace that is spelt like a door (`d`, `api`, …) stays reachable: the page links to
//! it with its first letter percent-encoded, and doors are told apart before anything is decoded.

mod accept;
mod address;
mod api;
mod assets;
mod attachment;
mod authentication;
mod byteranges;
mod caller;
mod change;
mod client;
mod condition;
mod connection;
mod cors;
mod date;
mod dav;
mod descriptor;
mod digest;
mod door;
mod download;
mod file;
mod front;
mod gate;
mod grants;
mod href;
mod json;
mod listen;
mod listener;
mod login;
mod media;
mod meters;
mod natural;
mod operations;
mod options;
mod origin;
mod page;
mod password;
pub(crate) mod problem;
mod pulse;
mod range;
mod record;
mod routes;
mod server;
mod share;
mod signature;
pub(crate) mod site;
mod status;
mod tls;
mod user;
mod zip;

pub use self::{
    client::{BadProxy, TrustedProxies},
    cors::Origins,
    listen::ListenAddress,
    meters::record_metrics,
    options::{Patience, ServeOptions},
    password::{NotAHash, PasswordError, PasswordHash},
    routes::router,
    server::{Bound, Reload, ServeError, Server},
    status::{Verdict, verdict},
    tls::{TlsError, TlsFiles},
    user::{BadName, User, Users},
};
