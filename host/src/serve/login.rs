//! The log-in form of the page, and the way out.

use askama::Template;
use axum::{
    body::{Body, to_bytes},
    extract::Request,
    response::{IntoResponse as _, Response},
};
use http::{
    HeaderMap, HeaderValue, StatusCode, Uri,
    header::{CACHE_CONTROL, SET_COOKIE},
};

use super::{
    authentication::{
        by_form,
        session::{self, Session},
    },
    client::Client,
    href,
    page::{self, Frame},
    problem::Problem,
    site::Visit,
};
use crate::state::instant;

/// Where the form is.
pub(crate) const PATH: &str = "/_orlop/login";

/// The longest form that is read, in bytes.
const FORM_LIMIT: usize = 16 * 1024;

/// The longest address that somebody is sent back to.
const NEXT_LIMIT: usize = 4096;

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    frame: Frame<'a>,
    /// Where to go then.
    next: String,
    /// What was wrong the last time; empty at first.
    failure: String,
    name: String,
}

/// `GET /_orlop/login?next=`: the form.
pub(crate) async fn form(site: Visit, request: Request) -> Response {
    if site.options.users.is_empty() {
        return nobody(&site, request.headers());
    }
    let next = field(request.uri().query().unwrap_or_default().as_bytes(), "next");
    show(&site, local(next).as_str(), "", None)
}

/// `POST /_orlop/login`: logs in, and goes on to where the form was asked for.
pub(crate) async fn submit(site: Visit, request: Request) -> Response {
    if site.options.users.is_empty() {
        return nobody(&site, request.headers());
    }
    let client = request.extensions().get::<Client>().copied();
    let headers = request.headers().clone();
    let answer = async {
        let form = read(request.into_body()).await?;
        let name = field(&form, "name").unwrap_or_default();
        let password = field(&form, "password").unwrap_or_default();
        let next = local(field(&form, "next"));
        let client = client.ok_or_else(|| Problem::internal("no client"))?;
        let user = match site
            .log_in(&site.options.users, &client, &name, password.as_bytes())
            .await
        {
            Ok(user) => user,
            Err(problem) if problem.status == StatusCode::INTERNAL_SERVER_ERROR => {
                return Err(problem);
            }
            Err(problem) => return Ok(show(&site, &next, &name, Some(problem))),
        };
        let key = site.session_key().await?;
        let session = Session::begin(key, &user, instant::now())?;
        let mut response = page::see(&next);
        let cookie = session.cookie(key, client.is_secure)?;
        response.headers_mut().insert(SET_COOKIE, cookie);
        Ok(no_store(response))
    };
    match answer.await {
        Ok(response) => response,
        Err(problem) => problem.render(&site, &headers),
    }
}

/// `POST /_orlop/logout`: ends the session, also for copies of its cookie.
pub(crate) async fn log_out(site: Visit, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let client = parts.extensions.get::<Client>();
    let is_secure = client.is_some_and(|client| client.is_secure);
    let answer = async {
        let now = instant::now();
        let key = site.session_key().await?;
        let found = Session::of(&parts.headers, key, &site.options.users, now);
        if let Some(Ok((session, _))) = found {
            let ended = site.state.end_session(&session.id, session.last(), now);
            ended.await.map_err(Problem::internal)?;
        }
        let mut response = page::see("/");
        let cookie = session::forget(is_secure)?;
        response.headers_mut().insert(SET_COOKIE, cookie);
        Ok::<_, Problem>(no_store(response))
    };
    answer.await.unwrap_or_else(Problem::into_response)
}

/// The form's address, which leads back to this one.
pub(crate) fn address(back: &Uri) -> String {
    let next = back.path_and_query().map_or("/", |path| path.as_str());
    format!("{PATH}?next={}", href::query_value(next))
}

fn nobody(site: &Visit, headers: &HeaderMap) -> Response {
    let problem = Problem::new(
        StatusCode::NOT_FOUND,
        "not-found",
        "nobody can log in here: the configuration has no `[[user]]`",
    );
    problem.render(site, headers)
}

fn show(site: &Visit, next: &str, name: &str, problem: Option<Problem>) -> Response {
    let failure = problem
        .as_ref()
        .map(|problem| page::sentence(&problem.detail));
    let page = page::html(&LoginPage {
        frame: Frame::new(site, "Log in"),
        next: next.to_owned(),
        failure: failure.unwrap_or_default(),
        name: name.to_owned(),
    });
    no_store(match problem {
        Some(problem) => by_form(problem).finish(page),
        None => page,
    })
}

fn no_store(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Reads the body of a form.
pub(crate) async fn read(body: Body) -> Result<Vec<u8>, Problem> {
    let bytes = to_bytes(body, FORM_LIMIT).await.map_err(|_| {
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            format!("the form broke off or has more than {FORM_LIMIT} bytes"),
        )
    })?;
    Ok(bytes.to_vec())
}

/// A field of a form.
pub(crate) fn field(form: &[u8], name: &str) -> Option<String> {
    url::form_urlencoded::parse(form)
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

/// Where to go next: only to a place here, since anyone can write a link to the form.
fn local(next: Option<String>) -> String {
    let is_local = |next: &String| {
        let mut letters = next.chars();
        next.len() <= NEXT_LIMIT
            && letters.next() == Some('/')
            // Browsers take `//` and `/\` for the beginning of another host, and do not see line breaks and tabs.
            && !matches!(letters.next(), Some('/' | '\\'))
            && next.chars().all(|letter| letter.is_ascii_graphic() && letter != '\\')
            && !next.starts_with("/_orlop/")
    };
    next.filter(is_local).unwrap_or_else(|| "/".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_places_here() {
        for next in ["/", "/a", "/a%20b/?sort=size&order=asc", "/d/a", "/a//b"] {
            assert_eq!(local(Some(next.to_owned())), next);
        }
        for next in [
            "",
            "a",
            "//evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "https://evil.example/",
            "javascript:alert(1)",
            " /a",
            "/a\\b",
            "/a b",
            "/ü",
            "/_orlop/logout",
            &format!("/{}", "x".repeat(NEXT_LIMIT)),
        ] {
            assert_eq!(local(Some(next.to_owned())), "/", "{next}");
        }
        assert_eq!(local(None), "/");
    }

    #[test]
    fn the_way_back() {
        let back = Uri::from_static("/a/?sort=size&order=asc");
        let address = address(&back);
        assert_eq!(
            address,
            "/_orlop/login?next=%2Fa%2F%3Fsort%3Dsize%26order%3Dasc"
        );
        let query = address.split_once('?').unwrap().1;
        let next = field(query.as_bytes(), "next");
        assert_eq!(local(next), "/a/?sort=size&order=asc");
    }
}
