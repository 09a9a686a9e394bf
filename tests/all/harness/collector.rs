use std::collections::BTreeMap;

use axum::{Router, body::Bytes, routing::post};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
};
use prost::Message as _;
use tokio::{net::TcpListener, sync::watch, task::AbortHandle};

use super::soon;

/// A collector of spans, as OpenTelemetry's protocol has it over HTTP.
pub(crate) struct Collector {
    pub(crate) url: String,
    spans: watch::Receiver<Vec<Span>>,
    task: AbortHandle,
}

/// A span that arrived. Identifiers are in hexadecimal.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) trace: String,
    pub(crate) id: String,
    pub(crate) parent: String,
    pub(crate) name: String,
    /// The spans that it is linked to.
    pub(crate) links: Vec<String>,
    pub(crate) service: String,
    pub(crate) attributes: BTreeMap<String, String>,
}

impl Collector {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, spans) = watch::channel(Vec::new());
        let take = move |body: Bytes| async move {
            let request = ExportTraceServiceRequest::decode(body).unwrap();
            sender.send_modify(|spans| spans.extend(read(request)));
        };
        let routes = Router::new().route("/v1/traces", post(take));
        let serving = tokio::spawn(async move { axum::serve(listener, routes).await });
        Self {
            url,
            spans,
            task: serving.abort_handle(),
        }
    }

    /// Waits until the spans that arrived are enough.
    pub(crate) async fn wait_for(
        &self,
        what: &str,
        are_enough: impl Fn(&[Span]) -> bool,
    ) -> Vec<Span> {
        let mut spans = self.spans.clone();
        let found = soon(what, spans.wait_for(|spans| are_enough(spans))).await;
        found.unwrap().clone()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Span {
    /// An attribute; empty if there is none.
    pub(crate) fn is(&self, key: &str) -> &str {
        self.attributes.get(key).map_or("", String::as_str)
    }
}

fn read(request: ExportTraceServiceRequest) -> Vec<Span> {
    let mut spans = Vec::new();
    for resource in request.resource_spans {
        let about = texts(resource.resource.unwrap().attributes);
        let told = resource.scope_spans.into_iter();
        spans.extend(told.flat_map(|scope| scope.spans).map(|span| Span {
            trace: hex(&span.trace_id),
            id: hex(&span.span_id),
            parent: hex(&span.parent_span_id),
            name: span.name,
            links: span.links.iter().map(|link| hex(&link.span_id)).collect(),
            service: about["service.name"].clone(),
            attributes: texts(span.attributes),
        }));
    }
    spans
}

fn texts(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    let text = |value: Value| match value {
        Value::StringValue(text) => text,
        Value::IntValue(number) => number.to_string(),
        Value::BoolValue(is) => is.to_string(),
        other => format!("{other:?}"),
    };
    attributes
        .into_iter()
        .filter_map(|pair| Some((pair.key, text(pair.value?.value?))))
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
