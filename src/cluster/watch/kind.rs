//! One kind of object: listed page by page, then watched from there; listed anew when the server forgot where we were.

use super::Uids;
use crate::cluster::Cluster;
use crate::cluster::error::{Error, Kind};
use crate::cluster::rest::{Asked, Resource};
use crate::cluster::wire::{List, ListMeta, Wire};
use futures::StreamExt;
use kube::api::{ListParams, WatchEvent, WatchParams};
use std::pin::pin;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// Objects in the first page of a list: as many as a screen shows, so that it shows them at once.
const FIRST_PAGE: u32 = 100;
/// Objects in every other page: large enough to cost few requests (ten thousand Jobs take no longer than by thousands),
/// small enough to be held in memory.
const PAGE: u32 = 500;
/// The head of a page, with the place where the next one begins, is shorter than that.
const HEAD: usize = 4096;
/// The server ends a watch after that time, so that a connection which died in silence is noticed soon after.
const WATCH_SECONDS: u32 = 30;
const SILENCE: Duration = Duration::from_secs(WATCH_SECONDS as u64 + 5);
/// A watch that ends sooner than this is not opened again at once.
const SHORT: Duration = Duration::from_secs(1);
/// So many expired watches or lists in a row are not a matter of age.
const EXPIRED_AT_MOST: u32 = 3;

/// What happened to the objects of one kind.
pub(in crate::cluster) enum Change<W> {
    /// Some of the objects of a full list.
    Page(Vec<W>),
    /// The full list ended; these are all.
    Listed(Uids),
    Put(W),
    Removed(W),
}

/// Somebody who is told of changes.
pub(in crate::cluster) trait Take<W>: Sync {
    fn take(&self, change: Change<W>) -> impl Future<Output = ()> + Send;
}

/// How a watch ended.
enum End {
    /// As it should, or with the connection: the next request tells which.
    Quiet,
    /// 410: list anew.
    Expired(Error),
    Lost(Error),
}

/// Lists and watches until something fails that only a new connection can cure.
pub(in crate::cluster) async fn follow<W: Wire>(
    cluster: &Cluster,
    resource: Resource,
    namespace: &str,
    labels: Option<&str>,
    to: &impl Take<W>,
) -> Error {
    let mut expired = 0;
    loop {
        let mut version = match Box::pin(list(cluster, resource, namespace, labels, to)).await {
            Ok(version) => version,
            Err(error) => return error,
        };
        loop {
            let since = Instant::now();
            match watch(cluster, resource, namespace, labels, &mut version, to).await {
                End::Quiet if since.elapsed() < SHORT => sleep(SHORT).await,
                End::Quiet => expired = 0,
                End::Expired(error) => {
                    expired += 1;
                    if expired >= EXPIRED_AT_MOST {
                        return error;
                    }
                    break;
                }
                End::Lost(error) => return error,
            }
        }
    }
}

/// Lists everything page by page; gives the version to watch from. The next page is on its way while one is read.
pub(in crate::cluster) async fn list<W: Wire>(
    cluster: &Cluster,
    resource: Resource,
    namespace: &str,
    labels: Option<&str>,
    to: &impl Take<W>,
) -> Result<String, Error> {
    let first = ListParams {
        label_selector: labels.map(str::to_owned),
        limit: Some(FIRST_PAGE),
        ..ListParams::default()
    };
    let after = |token: String| ListParams {
        limit: Some(PAGE),
        continue_token: Some(token),
        ..first.clone()
    };
    let fetch = async |params: ListParams| cluster.page_text(resource, namespace, &params).await;
    let mut uids = Uids::new();
    let mut expired = 0;
    let mut fetched = fetch(first.clone()).await;
    loop {
        let text = match fetched {
            Ok(text) => text,
            // The list took so long that its later pages are forgotten. Those that came are true all the same.
            Err(error)
                if error.kind() == Kind::Gone && !uids.is_empty() && expired < EXPIRED_AT_MOST =>
            {
                expired += 1;
                uids.clear();
                fetched = fetch(first.clone()).await;
                continue;
            }
            Err(error) => return Err(error),
        };
        let early = next_of(&text);
        let ahead = async {
            match early.clone() {
                Some(token) => Some(fetch(after(token)).await),
                None => None,
            }
        };
        let read = async {
            let page: List<W> = cluster.read_page(resource, namespace, &text)?;
            drop(text);
            uids.extend(page.items.iter().map(|item| item.meta().uid.clone()));
            if !page.items.is_empty() {
                to.take(Change::Page(page.items)).await;
            }
            Ok::<ListMeta, Error>(page.metadata)
        };
        // In this order: the request leaves before the reading begins.
        let (following, read) = futures::join!(ahead, read);
        let metadata: ListMeta = read?;
        fetched = match following {
            Some(following) => following,
            None if metadata.next.is_empty() => {
                to.take(Change::Listed(uids)).await;
                return Ok(metadata.resource_version);
            }
            None => fetch(after(metadata.next)).await,
        };
    }
}

/// Where the next page begins, from the head of a page: the server writes it before the objects. None when it does not, or when this
/// is the last page.
fn next_of(text: &str) -> Option<String> {
    let head = text.get(..text.len().min(HEAD)).or_else(|| {
        let end = (0..HEAD).rev().find(|end| text.is_char_boundary(*end))?;
        text.get(..end)
    })?;
    let (head, _) = head.split_once(r#","items":"#)?;
    let list: List<serde::de::IgnoredAny> = serde_json::from_str(&format!("{head}}}")).ok()?;
    Some(list.metadata.next).filter(|next| !next.is_empty())
}

async fn watch<W: Wire>(
    cluster: &Cluster,
    resource: Resource,
    namespace: &str,
    labels: Option<&str>,
    version: &mut String,
    to: &impl Take<W>,
) -> End {
    let asked = Asked::all("watch", resource, namespace);
    let params = WatchParams {
        label_selector: labels.map(str::to_owned),
        timeout: Some(WATCH_SECONDS),
        bookmarks: true,
        ..WatchParams::default()
    };
    let request = match resource.request(namespace).watch(&params, version) {
        Ok(request) => request,
        Err(error) => {
            return End::Lost(Error::of(
                &asked,
                cluster.label(),
                &kube::Error::BuildRequest(error),
            ));
        }
    };
    let fail = |error: Error| {
        if error.kind() == Kind::Gone {
            End::Expired(error)
        } else {
            End::Lost(error)
        }
    };
    let client = cluster.client();
    let stream = match cluster
        .within(&asked, client.request_events::<W>(request))
        .await
    {
        Ok(stream) => stream,
        Err(error) => return fail(error),
    };
    let mut stream = pin!(stream);
    loop {
        let event = match timeout(SILENCE, stream.next()).await {
            Ok(Some(Ok(event))) => event,
            Ok(None) => return End::Quiet,
            Ok(Some(Err(error))) => return fail(Error::of(&asked, cluster.label(), &error)),
            Err(_) => return End::Lost(Error::silence(&asked, cluster.label(), SILENCE.as_secs())),
        };
        match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                version.clone_from(&object.meta().resource_version);
                to.take(Change::Put(object)).await;
            }
            WatchEvent::Deleted(object) => {
                version.clone_from(&object.meta().resource_version);
                to.take(Change::Removed(object)).await;
            }
            WatchEvent::Bookmark(mark) => *version = mark.metadata.resource_version,
            WatchEvent::Error(status) => {
                return fail(Error::of_status(
                    &asked,
                    cluster.label(),
                    status.code,
                    &status.reason,
                    &status.message,
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found_in_the_head_of_a_page() {
        let page = |meta: &str| {
            format!(
                r#"{{"kind":"JobList","apiVersion":"batch/v1","metadata":{meta},"items":[{{"metadata":{{"name":"é"}}}}]}}"#
            )
        };
        let next = |meta: &str| next_of(&page(meta));
        let token = r#"{"resourceVersion":"7","continue":"abc","remainingItemCount":3}"#;
        assert_eq!(next(token).as_deref(), Some("abc"));
        assert_eq!(next(r#"{"resourceVersion":"7"}"#), None);
        assert_eq!(next(r#"{"resourceVersion":"7","continue":""}"#), None);
        // Another order, another layout, a long head: the page is read first.
        assert_eq!(
            next_of(r#"{"items":[],"metadata":{"continue":"abc"}}"#),
            None
        );
        assert_eq!(next_of(&"é".repeat(HEAD)), None);
        assert_eq!(next_of(""), None);
    }
}
