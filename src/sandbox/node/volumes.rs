//! A pod's volumes as directories below its own temporary one.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, symlink};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::paths::Paths;
use crate::sandbox::kinds::Kind;
use crate::sandbox::object::meta;
use crate::sandbox::store::Store;

/// Why a volume cannot be set up, in the kubelet's words.
#[derive(Debug, thiserror::Error)]
#[error("MountVolume.SetUp failed for volume {volume:?} : {why}")]
pub(crate) struct MountError {
    volume: String,
    why: String,
}

/// The files of a volume: path below its mount, and content.
type Files = Vec<(String, Vec<u8>)>;

/// What a volume is made of.
#[derive(Clone, Debug)]
enum Source {
    Files(Files),
    /// A directory that every container of the pod shares.
    Shared(PathBuf),
}

/// The volumes of a pod, read and checked, ready to be put into its containers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Volumes(Vec<(String, Source)>);

impl Volumes {
    /// Reads what the pod's volumes need. `pod_dir` is the pod's own directory, `claims` the one where claims keep their data.
    ///
    /// # Errors
    /// The first volume that cannot be set up now.
    pub(crate) fn read(
        store: &Store,
        pod: &Value,
        pod_dir: &Path,
        claims: &Path,
    ) -> Result<Self, MountError> {
        let mut volumes = Vec::new();
        for volume in pod["spec"]["volumes"].as_array().into_iter().flatten() {
            let name = volume["name"].as_str().unwrap_or_default();
            let source = read(
                store,
                pod,
                volume,
                &pod_dir.join("volumes").join(name),
                claims,
            )
            .map_err(|why| MountError {
                volume: name.to_owned(),
                why,
            })?;
            volumes.push((name.to_owned(), source));
        }
        Ok(Self(volumes))
    }

    /// Puts the volumes where the container mounts them.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn mount(&self, container: &Value, paths: &Paths) -> io::Result<()> {
        let mut mounts: Vec<&Value> = container["volumeMounts"]
            .as_array()
            .into_iter()
            .flatten()
            .collect();
        // The outer of two nested mounts comes first.
        mounts.sort_by_key(|mount| mount["mountPath"].as_str().map_or(0, str::len));
        for mount in mounts {
            let (Some(at), Some(name)) = (mount["mountPath"].as_str(), mount["name"].as_str())
            else {
                continue;
            };
            let Some((_, source)) = self.0.iter().find(|(one, _)| one == name) else {
                continue;
            };
            let at = paths.place(at.trim_end_matches('/'));
            let sub = mount["subPath"]
                .as_str()
                .map(|sub| sub.trim_matches('/'))
                .filter(|sub| !sub.is_empty());
            if sub.is_some_and(|sub| !is_inside(sub)) {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "subPath must not leave its volume",
                ));
            }
            match source {
                Source::Shared(dir) => {
                    let target = sub.map_or_else(|| dir.clone(), |sub| dir.join(sub));
                    if sub.is_some() {
                        private_dir(&target)?;
                    }
                    if let Some(above) = at.parent() {
                        private_dir(above)?;
                    }
                    symlink(target, &at)?;
                }
                Source::Files(files) => put_files(files, &at, sub, paths)?,
            }
        }
        Ok(())
    }
}

fn put_files(files: &Files, at: &Path, sub: Option<&str>, paths: &Paths) -> io::Result<()> {
    if sub.is_none() {
        private_dir(at)?;
    }
    for (path, content) in files {
        let target = match sub {
            None => at.join(path),
            Some(sub) if path == sub => at.to_owned(),
            Some(sub) => match path
                .strip_prefix(sub)
                .and_then(|rest| rest.strip_prefix('/'))
            {
                Some(rest) => at.join(rest),
                None => continue,
            },
        };
        if let Some(above) = target.parent() {
            private_dir(above)?;
        }
        let moved = std::str::from_utf8(content)
            .ok()
            .and_then(|text| paths.payload(text));
        let content = moved.as_deref().map_or(content.as_slice(), str::as_bytes);
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(target)?;
        io::Write::write_all(&mut file, content)?;
    }
    Ok(())
}

/// A directory for this user only, with those above it.
pub(crate) fn private_dir(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

fn read(
    store: &Store,
    pod: &Value,
    volume: &Value,
    own: &Path,
    claims: &Path,
) -> Result<Source, String> {
    let namespace = meta(pod, "namespace");
    let shared = |dir: PathBuf| {
        private_dir(&dir)
            .map(|()| Source::Shared(dir))
            .map_err(|error| error.to_string())
    };
    if let Some(source) = volume["configMap"].as_object() {
        return Ok(Source::Files(config_map(store, namespace, source, "name")?));
    }
    if let Some(source) = volume["secret"].as_object() {
        return Ok(Source::Files(secret(
            store,
            namespace,
            source,
            "secretName",
        )?));
    }
    if let Some(source) = volume["projected"].as_object() {
        let mut files = Files::new();
        for source in source
            .get("sources")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            files.extend(projected(store, pod, source)?);
        }
        return Ok(Source::Files(files));
    }
    if let Some(source) = volume["downwardAPI"].as_object() {
        return Ok(Source::Files(downward(pod, source)));
    }
    if let Some(source) = volume["hostPath"].as_object() {
        return host_path(source);
    }
    if let Some(claim) = volume["persistentVolumeClaim"]["claimName"].as_str() {
        return shared(claims.join(namespace).join(claim));
    }
    if volume["emptyDir"].is_object() || volume.as_object().is_some_and(|fields| fields.len() == 1)
    {
        return shared(own.to_owned());
    }
    let kind = volume
        .as_object()
        .into_iter()
        .flat_map(Map::keys)
        .find(|field| *field != "name");
    Err(format!(
        "the sandbox node does not imitate volumes of the kind {}",
        kind.map_or("?", String::as_str)
    ))
}

fn config_map(
    store: &Store,
    namespace: &str,
    source: &Map<String, Value>,
    field: &str,
) -> Result<Files, String> {
    let name = text(source, field);
    let Some(found) = store.find(Kind::ConfigMap, namespace, name) else {
        return if optional(source) {
            Ok(Files::new())
        } else {
            Err(format!("configmap {name:?} not found"))
        };
    };
    let mut data = Files::new();
    for (key, value) in found["data"].as_object().into_iter().flatten() {
        data.push((
            key.clone(),
            value.as_str().unwrap_or_default().as_bytes().to_vec(),
        ));
    }
    for (key, value) in found["binaryData"].as_object().into_iter().flatten() {
        data.push((key.clone(), decoded(value)));
    }
    picked(data, source)
}

fn secret(
    store: &Store,
    namespace: &str,
    source: &Map<String, Value>,
    field: &str,
) -> Result<Files, String> {
    let name = text(source, field);
    let Some(found) = store.find(Kind::Secret, namespace, name) else {
        return if optional(source) {
            Ok(Files::new())
        } else {
            Err(format!("secret {name:?} not found"))
        };
    };
    let data = found["data"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.clone(), decoded(value)));
    picked(data.collect(), source)
}

/// The keys that the volume picks, under the paths that it gives them.
fn picked(data: Files, source: &Map<String, Value>) -> Result<Files, String> {
    let Some(items) = source
        .get("items")
        .and_then(Value::as_array)
        .filter(|items| !items.is_empty())
    else {
        return Ok(data);
    };
    let mut files = Files::new();
    for item in items {
        let (key, path) = (
            item["key"].as_str().unwrap_or_default(),
            item["path"].as_str().unwrap_or_default(),
        );
        match data.iter().find(|(one, _)| one == key) {
            Some((_, content)) if is_inside(path) => files.push((path.to_owned(), content.clone())),
            Some(_) => return Err(format!("invalid path {path:?}")),
            None if optional(source) => {}
            None => return Err(format!("references non-existent config key: {key}")),
        }
    }
    Ok(files)
}

fn projected(store: &Store, pod: &Value, source: &Value) -> Result<Files, String> {
    let namespace = meta(pod, "namespace");
    if let Some(source) = source["configMap"].as_object() {
        return config_map(store, namespace, source, "name");
    }
    if let Some(source) = source["secret"].as_object() {
        return secret(store, namespace, source, "name");
    }
    if let Some(source) = source["downwardAPI"].as_object() {
        return Ok(downward(pod, source));
    }
    if let Some(path) = source["serviceAccountToken"]["path"].as_str() {
        // No request from inside a pod reaches the sandbox's API, so this token opens nothing.
        return Ok(vec![(path.to_owned(), b"sandbox".to_vec())]);
    }
    Ok(Files::new())
}

fn downward(pod: &Value, source: &Map<String, Value>) -> Files {
    let items = source.get("items").and_then(Value::as_array);
    let file = |item: &Value| {
        let path = item["path"].as_str().filter(|path| is_inside(path))?;
        let value = super::environment::field(pod, item["fieldRef"]["fieldPath"].as_str()?)?;
        Some((path.to_owned(), value.into_bytes()))
    };
    items.into_iter().flatten().filter_map(file).collect()
}

fn host_path(source: &Map<String, Value>) -> Result<Source, String> {
    let path = PathBuf::from(text(source, "path"));
    let failed = |what: &str| {
        Err(format!(
            "hostPath type check failed: {} is not a {what}",
            path.display()
        ))
    };
    match source
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default()
    {
        "Directory" if !path.is_dir() => failed("directory"),
        "File" if !path.is_file() => failed("file"),
        "DirectoryOrCreate" => match fs::create_dir_all(&path) {
            Ok(()) => Ok(Source::Shared(path)),
            Err(error) => Err(error.to_string()),
        },
        "FileOrCreate" => match fs::OpenOptions::new().append(true).create(true).open(&path) {
            Ok(_) => Ok(Source::Shared(path)),
            Err(error) => Err(error.to_string()),
        },
        _ => Ok(Source::Shared(path)),
    }
}

fn text<'a>(source: &'a Map<String, Value>, field: &str) -> &'a str {
    source
        .get(field)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn optional(source: &Map<String, Value>) -> bool {
    source.get("optional") == Some(&Value::Bool(true))
}

fn decoded(value: &Value) -> Vec<u8> {
    value
        .as_str()
        .and_then(|text| STANDARD.decode(text).ok())
        .unwrap_or_default()
}

/// Whether a relative path stays below the directory that it is joined to.
fn is_inside(path: &str) -> bool {
    !path.is_empty()
        && Path::new(path)
            .components()
            .all(|part| matches!(part, std::path::Component::Normal(_)))
}
