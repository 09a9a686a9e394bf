//! The import `http`: the only way out.

use std::sync::Arc;

use futures::StreamExt;
use http::HeaderMap;
use tracing::{Instrument as _, Span};
use wasmtime::{AsContextMut, component::Accessor};

use super::{
    bindings::orlop::driver::{http as contract, types},
    context::{Context, Lent},
    spans::Spans,
    stream,
};
use crate::{
    activity::Activity,
    network::{Network, Outgoing},
};

impl types::Host for &mut Context {}

impl contract::Host for &mut Context {}

impl contract::HostWithStore<Context> for Lent {
    async fn fetch(
        accessor: &Accessor<Context, Self>,
        request: contract::Request,
        max_bytes: u64,
    ) -> wasmtime::Result<Result<contract::SmallResponse, types::Error>> {
        let (network, outgoing, span) = prepare(accessor, request)?;
        Ok(
            match network.fetch(outgoing, max_bytes).instrument(span).await {
                Ok((status, headers, body)) => Ok(contract::SmallResponse {
                    status,
                    headers: fields(&headers),
                    body: body.into(),
                }),
                Err(outcome) => Err(outcome.into()),
            },
        )
    }

    async fn send(
        accessor: &Accessor<Context, Self>,
        request: contract::Request,
    ) -> wasmtime::Result<Result<contract::Response, types::Error>> {
        let (network, outgoing, span) = prepare(accessor, request)?;
        let answer = match network.send(outgoing).instrument(span).await {
            Ok(answer) => answer,
            Err(outcome) => return Ok(Err(outcome.into())),
        };
        let (body, trailing) =
            accessor.with(|mut access| stream::lend(access.as_context_mut(), answer.body))?;
        Ok(Ok(contract::Response {
            status: answer.status,
            headers: fields(&answer.headers),
            body,
            trailing,
        }))
    }
}

/// Makes a guest's request one that the network can send, and tells the span of the call that asks for it.
fn prepare(
    accessor: &Accessor<Context, Lent>,
    request: contract::Request,
) -> wasmtime::Result<(Arc<Network>, Outgoing, Span)> {
    accessor.with(|mut access| {
        let span = Spans::asking(&mut access.as_context_mut())?;
        let context = access.get();
        context.cpu.reset();
        let network = Arc::clone(&context.network);
        let mut activity = Activity::default();
        let (body, length) = match request.body {
            contract::Body::Empty => (reqwest::Body::default(), Some(0)),
            contract::Body::Bytes(bytes) => {
                let length = bytes.len() as u64;
                (reqwest::Body::from(bytes), Some(length))
            }
            contract::Body::Part(part) => {
                let part = context.table.get(&part)?.clone();
                activity = part.activity.clone();
                (reqwest::Body::wrap(part.body()), Some(part.size()))
            }
            contract::Body::Stream(reader) => {
                let pieces = stream::pipe(&mut access.as_context_mut(), reader)?;
                let sign = activity.clone();
                let frames = pieces.map(move |piece| {
                    sign.touch();
                    Ok::<_, std::convert::Infallible>(piece)
                });
                (reqwest::Body::wrap_stream(frames), None)
            }
        };
        let outgoing = Outgoing {
            method: request.method,
            url: request.url,
            headers: request.headers,
            body,
            length,
            activity,
            attempt: 0,
        };
        Ok((network, outgoing, span))
    })
}

/// Headers as the contract writes them. A value that is not text cannot be said in it, and is left out.
fn fields(headers: &HeaderMap) -> Vec<types::Field> {
    headers
        .iter()
        .filter_map(|(name, value)| {
            let value = std::str::from_utf8(value.as_bytes()).ok()?;
            Some((name.as_str().to_owned(), value.to_owned()))
        })
        .collect()
}
