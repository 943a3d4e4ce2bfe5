//! One connection: the handshake, then requests until the client goes.
//!
//! The reading thread goes on reading while requests are in work: that is how it sees a client go.

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use grnet_features::model_file::ModelId;
use grnet_image::Limits;
use grnet_wire::faults::{self, Operation};
use grnet_wire::{
    Failure, Image, MAX_IMAGES, MAX_REPLY, MAX_REQUEST, PROTOCOL, Reply, Request, WireError, decode_request,
    encode_reply, read_body, read_frame, read_length, write_frame,
};

use crate::budget::{Frame, Permit};
use crate::client::Client;
use crate::inbox::Load;
use crate::jobs::answer;
use crate::jobs::job::Job;
use crate::log::log_event;
use crate::pending::{EncodedImage, ImageRequest, Pending, RequestKind};
use crate::shared::Shared;

/// How long a client may take for its first message, and for a piece of any other once it began.
const PATIENCE: Duration = Duration::from_secs(30);
/// Largest first message.
const HELLO: usize = 1024;
/// Frames up to this size need nothing of the budget: counters are told to whoever asks, however full it is.
const SMALL: usize = 64 << 10;
/// How often one that waits for the budget looks whether its client is there.
const LOOK: Duration = Duration::from_millis(50);
/// A session's own stack: it keeps images on the heap.
pub const STACK: usize = 256 << 10;
/// Images of more pixels are refused whatever the client's limit says.
const MOST_PIXELS: u64 = 1 << 28;

/// Serves one connection until it ends.
pub fn run(shared: &Arc<Shared>, stream: UnixStream, pid: i32) {
    match open(shared, &stream, pid) {
        Ok(client) => {
            if let Err(error) = serve(shared, &client, &stream)
                && !client.is_gone()
            {
                match error {
                    WireError::Closed => {}
                    error => log_event!("client {pid} dropped: {error}"),
                }
            }
            client.close();
            shared.queue.forget(&client);
        }
        Err(error) => log_event!("client {pid} not let in: {error}"),
    }
}

/// The handshake, and the start of the thread that writes answers.
fn open(shared: &Shared, stream: &UnixStream, pid: i32) -> Result<Arc<Client>, WireError> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(shared.limits.write_timeout))?;
    let first = read_frame(&mut &*stream, HELLO)?;
    match decode_request(&first)? {
        Request::Hello { protocol: PROTOCOL, .. } => {}
        Request::Hello { protocol, .. } => {
            let reason = format!("the client speaks protocol {protocol}, this engine {PROTOCOL}");
            refuse(stream, &reason);
            return Err(WireError::Malformed(reason));
        }
        _ => {
            let reason = "a connection's first message must be its hello";
            refuse(stream, reason);
            return Err(WireError::Malformed(reason.to_owned()));
        }
    }
    let client = Arc::new(Client::new(stream.try_clone()?, pid));
    let writer = Arc::clone(&client);
    let spawned = faults::check(Operation::Spawn).and_then(|()| {
        thread::Builder::new().name("writer".into()).stack_size(STACK).spawn(move || writer.write_answers())
    });
    if let Err(error) = spawned {
        refuse(stream, "the engine could not start a thread for the connection");
        return Err(error.into());
    }
    client.send(Reply::Hello { protocol: PROTOCOL, pid: std::process::id() });
    shared.clients.add(&client);
    Ok(client)
}

/// Says why a connection is not wanted. Best effort: the client may be gone.
pub fn refuse(stream: &UnixStream, reason: &str) {
    if let Ok(bytes) = encode_reply(&Reply::Refused { reason: reason.to_owned() }) {
        let _ = stream.set_write_timeout(Some(Duration::from_millis(100)));
        let _ = write_frame(&mut &*stream, &bytes);
    }
}

fn serve(shared: &Arc<Shared>, client: &Arc<Client>, stream: &UnixStream) -> Result<(), WireError> {
    // Dropped with the connection, however it ends.
    let mut job = None;
    loop {
        stream.set_read_timeout(None)?;
        let length = read_length(&mut &*stream, MAX_REQUEST)?;
        let arrived = Instant::now();
        stream.set_read_timeout(Some(PATIENCE))?;
        // From here on an answer is owed: a connection that waits for the budget is not idle.
        client.asked();
        let permit = if length <= SMALL { None } else { Some(permit(shared, client, length)?) };
        let frame = Frame::new(read_body(&mut &*stream, length)?, permit);
        answer(shared, client, &mut job, frame, arrived)?;
    }
}

/// Waits for the bytes of a frame that was announced, as long as somebody is there to send it.
fn permit(shared: &Shared, client: &Client, length: usize) -> Result<Permit, WireError> {
    let waiting = shared.budget.queue(length, client.held());
    loop {
        if let Some(permit) = waiting.wait(LOOK) {
            return Ok(permit);
        }
        if client.has_left() || shared.stopped.load(Ordering::Acquire) {
            return Err(WireError::Closed);
        }
    }
}

/// Turns a request away.
fn busy(shared: &Shared, id: u64, queued: u64) -> Reply {
    shared.counters.turned_away();
    Reply::Failed { id, failure: Failure::Busy { queued, limit: shared.limits.max_queue } }
}

fn answer(
    shared: &Shared,
    client: &Arc<Client>,
    job: &mut Option<Job>,
    frame: Frame,
    arrived: Instant,
) -> Result<(), WireError> {
    match decode_request(&frame)? {
        Request::Hello { .. } => Err(WireError::Malformed("a second hello".to_owned())),
        Request::Stats { id } => {
            let stats = shared.counters.stats([&shared.device, &shared.precision, &shared.fence], shared.shapes.ids());
            client.send(Reply::Stats { id, stats });
            Ok(())
        }
        about_jobs @ (Request::Job { .. }
        | Request::Images { .. }
        | Request::Run { .. }
        | Request::Piece { .. }
        | Request::End { .. }
        | Request::Jobs { .. }) => {
            answer::answer(&shared.jobs, client, job, about_jobs);
            Ok(())
        }
        Request::Model { id, file } => {
            // After a restart every session brings the model; only the first one's is loaded.
            let model = ModelId::of(file);
            if shared.shapes.get(model).is_some() {
                client.send(Reply::ModelReady { id, model });
                return Ok(());
            }
            let file = range_in(&frame, file);
            let load = Load { id, client: Arc::clone(client), frame, file };
            if !shared.inbox.push_load(load) {
                client.send(busy(shared, id, shared.counters.queued()));
            }
            Ok(())
        }
        Request::Embed { id, model, deadline_ms, max_bytes, max_pixels, images } => {
            let Some(known) = shared.shapes.get(model) else {
                client.send(Reply::NeedModel { id, model });
                return Ok(());
            };
            if let Some(message) = too_many(images.len(), known.shape.value_bytes()) {
                client.send(Reply::Failed { id, failure: Failure::Engine(message) });
                return Ok(());
            }
            if images.is_empty() {
                client.send(Reply::Features { id, images: Vec::new() });
                return Ok(());
            }
            let encoded =
                |image: &Image<'_>| EncodedImage { bytes: range_in(&frame, image.bytes), region: image.region };
            let images = images.iter().map(encoded).collect();
            let deadline = arrived + Duration::from_millis(deadline_ms.into());
            let limits = limits(max_bytes, max_pixels);
            let kind = RequestKind::Features;
            admit(
                shared,
                client,
                ImageRequest { id, kind, model, shape: known.shape, limits, arrived, deadline, images, frame },
            );
            Ok(())
        }
        Request::MatchMap { id, model, deadline_ms, max_bytes, max_pixels, query, item } => {
            let Some(known) = shared.shapes.get(model) else {
                client.send(Reply::NeedModel { id, model });
                return Ok(());
            };
            let images =
                [query, item].iter().map(|part| EncodedImage { bytes: range_in(&frame, part), region: None }).collect();
            let deadline = arrived + Duration::from_millis(deadline_ms.into());
            let limits = limits(max_bytes, max_pixels);
            let kind = RequestKind::MatchMap(known.scorer);
            admit(
                shared,
                client,
                ImageRequest { id, kind, model, shape: known.shape, limits, arrived, deadline, images, frame },
            );
            Ok(())
        }
    }
}

fn limits(max_bytes: u64, max_pixels: u64) -> Limits {
    Limits { max_bytes, max_pixels: max_pixels.min(MOST_PIXELS) }
}

/// Takes a request, or says at once that its session asks for too much. What other sessions asked for is no reason:
/// they take turns.
fn admit(shared: &Shared, client: &Arc<Client>, request: ImageRequest) {
    let images = request.images.len() as u64;
    if let Err(waiting) = client.admit(images, shared.limits.max_queue) {
        client.send(busy(shared, request.id, waiting));
        return;
    }
    shared.counters.admit(images);
    shared.queue.push(Arc::new(Pending::new(request, Arc::clone(client), Arc::clone(&shared.counters))));
}

/// What keeps a request of `images` images from being answered in one message, whatever is in them.
fn too_many(images: usize, value_bytes: usize) -> Option<String> {
    if images > MAX_IMAGES {
        return Some(format!("a request has {images} images, the limit is {MAX_IMAGES}"));
    }
    let fit = MAX_REPLY / (value_bytes + 64);
    (images > fit).then(|| {
        format!("a request has {images} images, {fit} of this model's features ({value_bytes} bytes) fit an answer")
    })
}

/// Where `part`, which borrows from `frame`, lies in it: the frame is kept and nothing is copied.
fn range_in(frame: &[u8], part: &[u8]) -> std::ops::Range<usize> {
    let start = (part.as_ptr() as usize).wrapping_sub(frame.as_ptr() as usize);
    // An empty part may point anywhere.
    if part.is_empty() { 0..0 } else { start..start + part.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_found_in_its_frame() -> Result<(), WireError> {
        let images = vec![Image { bytes: b"one", region: None }, Image { bytes: b"", region: None }];
        let model = grnet_features::model_file::ModelId([1; 8]);
        let request = Request::Embed { id: 1, model, deadline_ms: 1, max_bytes: 1, max_pixels: 1, images };
        let frame = grnet_wire::encode_request(&request)?;
        if let Request::Embed { images, .. } = decode_request(&frame)? {
            assert_eq!(&frame[range_in(&frame, images[0].bytes)], b"one");
            assert_eq!(&frame[range_in(&frame, images[1].bytes)], b"");
        }
        Ok(())
    }

    #[test]
    fn what_cannot_be_answered_in_one_message_is_refused_beforehand() {
        assert!(too_many(MAX_IMAGES, 7204).is_none());
        assert!(too_many(MAX_IMAGES + 1, 100).is_some());
        assert!(too_many(100, 1 << 20).is_some());
    }
}
