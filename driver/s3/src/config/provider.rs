//! The schema of the `provider` option: a choice out of the table of services.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use crate::profile::Profile;

/// The ids with the names that people know, and the endpoints that an id stands for together with `region`.
pub(super) fn schema(_: &mut SchemaGenerator) -> Schema {
    let choices: Vec<Value> = Profile::all()
        .map(|profile| json!({"const": profile.id, "title": profile.title}))
        .collect();
    let endpoints: Map<String, Value> = Profile::all()
        .filter(|profile| !profile.endpoints.is_empty())
        .map(|profile| (profile.id.to_owned(), json!(profile.endpoints)))
        .collect();
    json_schema!({
        "title": "Provider",
        "type": "string",
        "oneOf": choices,
        "x-orlop-endpoints": endpoints,
    })
}
