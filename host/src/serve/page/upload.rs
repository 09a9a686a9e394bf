//! What the forms of a folder's page send.

use axum::{
    body::Body,
    extract::{
        DefaultBodyLimit, FromRequest as _, Multipart, Request,
        multipart::{Field, MultipartError},
    },
    response::Response,
};
use bytes::Bytes;
use futures::{SinkExt as _, channel::mpsc};
use http::{StatusCode, request::Parts};

use super::see;
use crate::{
    BoxError, Kind, Outcome, Path, Precondition, Upload, WriteOptions,
    serve::{
        address, door::Door, href, media, meters::Direction, origin, problem::Problem, site::Visit,
    },
};

/// The longest value of a field that is not a file: a name.
const TEXT_LIMIT: usize = 4096;

/// Chunks between the form's reader and the storage's writer.
const CHUNKS_IN_FLIGHT: usize = 4;

/// Takes a form: files to write, or a folder to make. Then shows the folder again.
pub(super) async fn receive(site: &Visit, parts: &Parts, body: Body) -> Result<Response, Problem> {
    origin::guard(&parts.uri, &parts.headers)?;
    let location = address::parse(Door::Page, parts.uri.path())?;
    if location.want != Some(Kind::Directory) {
        return Err(Problem::bad_request(
            "forms go to a folder, whose address ends in `/`",
        ));
    }
    let folder = location.path;
    let mut form = form(parts, body).await?;
    let mut precondition = Precondition::Absent;
    while let Some(field) = form.next_field().await.map_err(broken)? {
        match field.name() {
            // It stands before the files in the form, and so in what is sent.
            Some("replace") => precondition = Precondition::None,
            Some("folder") => make_folder(site, &folder, field).await?,
            Some("file") => write(site, &folder, field, precondition.clone()).await?,
            _ => {}
        }
    }
    Ok(see(&href::absolute(Door::Page, &folder, true)))
}

/// Files may have any length, so the limit that guards bodies held in memory is lifted.
async fn form(parts: &Parts, body: Body) -> Result<Multipart, Problem> {
    let mut request = Request::new(body);
    *request.headers_mut() = parts.headers.clone();
    DefaultBodyLimit::disable().apply(&mut request);
    Multipart::from_request(request, &())
        .await
        .map_err(|error| {
            Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "invalid-argument",
                format!("send a form as multipart/form-data: {error}"),
            )
        })
}

async fn make_folder(site: &Visit, folder: &Path, field: Field<'_>) -> Result<(), Problem> {
    let name = text(field).await?;
    let path = child(folder, name.trim())?;
    site.namespace.make_directory(&path).await?;
    Ok(())
}

async fn write(
    site: &Visit,
    folder: &Path,
    mut field: Field<'_>,
    precondition: Precondition,
) -> Result<(), Problem> {
    let name = field.file_name().unwrap_or_default().to_owned();
    if name.is_empty() {
        // A form that is sent with no file chosen has an empty one.
        return Ok(());
    }
    let path = child(folder, &name)?;
    let (mut sender, receiver) = mpsc::channel::<Result<Bytes, BoxError>>(CHUNKS_IN_FLIGHT);
    let mut upload = Upload::new(receiver, None);
    if let Some(content_type) = media::to_store(path.name(), field.content_type()) {
        upload = upload.with_content_type(content_type);
    }
    let counter = site.meters.bytes(Door::Page, Direction::In);
    // The field borrows the form, and an upload owns its stream: the channel is between them.
    let pump = async move {
        loop {
            match field.chunk().await {
                Ok(Some(chunk)) => {
                    counter.increment(chunk.len() as u64);
                    if sender.send(Ok(chunk)).await.is_err() {
                        // The storage wants no more, and says why.
                        return Ok(());
                    }
                }
                Ok(None) => return Ok(()),
                Err(error) => {
                    // Without it, the storage would take what came so far for the whole file.
                    let _ = sender.send(Err(error.to_string().into())).await;
                    return Err(broken(error));
                }
            }
        }
    };
    let options = WriteOptions {
        precondition,
        ..WriteOptions::default()
    };
    let (written, pumped) = futures::join!(site.namespace.write(&path, upload, options), pump);
    pumped?;
    match written {
        Err(crate::Error::Outcome(Outcome::PreconditionFailed | Outcome::AlreadyExists)) => {
            Err(Problem::new(
                StatusCode::CONFLICT,
                "already-exists",
                format!(
                    "`{name}` is there already; tick “Replace files of the same name” to replace it"
                ),
            ))
        }
        result => {
            result?;
            Ok(())
        }
    }
}

/// A name in the folder, or a path below it: browsers send one for the files of a chosen folder.
fn child(folder: &Path, name: &str) -> Result<Path, Problem> {
    match Path::parse(name) {
        Ok(below) if !below.is_root() => Ok(folder.join(&below)),
        _ => Err(Problem::bad_request(
            "that is no name: a part of it is empty, `.` or `..`, or has a NUL",
        )),
    }
}

async fn text(mut field: Field<'_>) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(broken)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > TEXT_LIMIT {
            return Err(Problem::bad_request("that name is too long"));
        }
    }
    String::from_utf8(bytes).map_err(|_| Problem::bad_request("that name is not UTF-8"))
}

fn broken(error: MultipartError) -> Problem {
    Problem::new(error.status(), "invalid-argument", error.body_text())
}
