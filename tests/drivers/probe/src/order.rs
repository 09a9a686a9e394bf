//! What a path asks for.

use orlop_driver::Path;
use percent_encoding::percent_decode_str;

/// What a path asks for. The crate's documentation says what each does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Readme,
    Stream(u64),
    Short(u64),
    Broken(u64),
    Fetch(String),
    Pass(String),
    Signed(String),
    Host(String),
    Proxy(String),
    Flood(String),
    Trap,
    Spin,
    Grow,
    Sleep,
    Note(String),
    Noted,
    Print(String),
    Token,
    Escape,
}

impl Order {
    /// The order that a file's path stands for; none if there is no such file.
    pub(crate) fn parse(path: &Path) -> Option<Self> {
        match path.as_str() {
            "readme.txt" | "notes/deep/est.txt" => return Some(Self::Readme),
            "trap" => return Some(Self::Trap),
            "spin" => return Some(Self::Spin),
            "grow" => return Some(Self::Grow),
            "sleep" => return Some(Self::Sleep),
            "noted" => return Some(Self::Noted),
            "token" => return Some(Self::Token),
            "escape" => return Some(Self::Escape),
            _ => {}
        }
        let (verb, object) = path.as_str().split_once('/')?;
        let number = || object.parse().ok();
        let text = || Some(percent_decode_str(object).decode_utf8().ok()?.into_owned());
        match verb {
            "stream" => Some(Self::Stream(number()?)),
            "short" => Some(Self::Short(number()?)),
            "broken" => Some(Self::Broken(number()?)),
            "fetch" => Some(Self::Fetch(text()?)),
            "pass" => Some(Self::Pass(text()?)),
            "signed" => Some(Self::Signed(text()?)),
            "host" => Some(Self::Host(text()?)),
            "proxy" => Some(Self::Proxy(text()?)),
            "flood" => Some(Self::Flood(text()?)),
            "note" => Some(Self::Note(text()?)),
            "print" => Some(Self::Print(text()?)),
            _ => None,
        }
    }
}
