//! `PROPPATCH` (RFC 4918 §9.2): properties that clients keep with a resource.

use axum::{body::Body, response::Response};
use http::{StatusCode, request::Parts};

use super::{
    claim::{self, Claim},
    destination,
    live::Live,
    multistatus,
    refusal::Refusal,
    xml::{self, Element, Name},
};
use crate::{
    Kind,
    serve::{door::Door, href, problem::Problem, site::Visit},
    state::property::{Property, PropertyChange},
};

/// Answers `PROPPATCH`. All changes are made, or none.
pub(super) async fn answer(site: Visit, parts: Parts, body: Body) -> Result<Response, Refusal> {
    let location = destination::location(parts.uri.path())?;
    let document = xml::read(body).await?;
    let changes = read(document)?;
    let entry = site.namespace.stat(&location).await?;
    let path = &location.path;
    site.namespace.check_change(path)?;
    let claims = [Claim::content(path, entry.kind)];
    claim::permit(&site, &parts, (path, Some(&entry)), &claims).await?;

    let is_protected = |(name, _): &(Name, PropertyChange)| Live::of(name).is_some();
    let (status, culprit) = if changes.iter().any(is_protected) {
        (StatusCode::FAILED_DEPENDENCY, StatusCode::FORBIDDEN)
    } else {
        let made: Vec<PropertyChange> = changes.iter().map(|(_, change)| change.clone()).collect();
        if site
            .state
            .change_properties(path, entry.kind, &made)
            .await?
        {
            (StatusCode::OK, StatusCode::OK)
        } else {
            let full = StatusCode::INSUFFICIENT_STORAGE;
            (full, full)
        }
    };

    let mut out = String::new();
    let href = href::absolute(Door::Dav, path, entry.kind == Kind::Directory);
    multistatus::begin_response(&mut out, &href);
    let (protected, free): (Vec<_>, Vec<_>) =
        changes.iter().partition(|change| is_protected(change));
    for (changes, status) in [(free, status), (protected, culprit)] {
        if changes.is_empty() {
            continue;
        }
        multistatus::propstat(&mut out, status, |out| {
            for (name, _) in changes {
                name.write_empty(out);
            }
        });
    }
    multistatus::end_response(&mut out);
    Ok(multistatus::answer(&out))
}

/// The changes in a `propertyupdate`, in their order, which counts.
fn read(document: Option<Element>) -> Result<Vec<(Name, PropertyChange)>, Problem> {
    let document = document
        .filter(|document| document.name.is_dav("propertyupdate"))
        .ok_or_else(|| Problem::bad_request("the body is no `propertyupdate`"))?;
    let mut changes = Vec::new();
    for instruction in document.elements() {
        let sets = instruction.name.is_dav("set");
        if !sets && !instruction.name.is_dav("remove") {
            continue;
        }
        for property in instruction
            .dav("prop")
            .into_iter()
            .flat_map(Element::elements)
        {
            let Name { namespace, local } = property.name.clone();
            let change = if sets {
                let mut value = String::new();
                property.write(&mut value);
                PropertyChange::Set(Property {
                    namespace,
                    name: local,
                    value,
                })
            } else {
                PropertyChange::Remove(namespace, local)
            };
            changes.push((property.name.clone(), change));
        }
    }
    if changes.is_empty() {
        return Err(Problem::bad_request("the body changes no property"));
    }
    Ok(changes)
}
