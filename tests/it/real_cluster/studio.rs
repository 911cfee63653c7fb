//! Studio's database in the cluster: reached through a port-forward with the stack's own credentials.

use super::Place;
use crate::support::postgres::PASSWORD;
use crate::support::real::Use;
use crate::support::terminal::{ENTER, ESC};
use llmctl_dev::runtime::studio::Studio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_postgres::NoTls;

const PATIENCE: Duration = Duration::from_mins(2);

const TABLE: &str = "CREATE TABLE integration_settings (
    id serial PRIMARY KEY, provider varchar(32) NOT NULL, key varchar(64) NOT NULL, value text NOT NULL,
    created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL, UNIQUE (provider, key))";

/// The part of the stack that holds the database, as the manifests have it.
fn stack(image: &str) -> String {
    format!(
        r#"apiVersion: v1
kind: ConfigMap
metadata: {{name: llmctl-studio-config}}
data: {{LLMCTL_POSTGRES_DB: llmctl_studio, LLMCTL_POSTGRES_USER: llmctl}}
---
apiVersion: v1
kind: Secret
metadata: {{name: llmctl-studio-secrets}}
stringData: {{LLMCTL_POSTGRES_PASSWORD: "{PASSWORD}", FLASK_SECRET_KEY: planted-flask-secret}}
---
apiVersion: v1
kind: Service
metadata: {{name: llmctl-postgres}}
spec:
  selector: {{app: llmctl-postgres}}
  ports: [{{port: 5432, targetPort: postgres}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: llmctl-postgres}}
spec:
  selector: {{matchLabels: {{app: llmctl-postgres}}}}
  template:
    metadata: {{labels: {{app: llmctl-postgres}}}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: postgres
          image: {image}
          imagePullPolicy: Never
          ports: [{{name: postgres, containerPort: 5432}}]
          env:
            - name: POSTGRES_DB
              valueFrom: {{configMapKeyRef: {{name: llmctl-studio-config, key: LLMCTL_POSTGRES_DB}}}}
            - name: POSTGRES_USER
              valueFrom: {{configMapKeyRef: {{name: llmctl-studio-config, key: LLMCTL_POSTGRES_USER}}}}
            - name: POSTGRES_PASSWORD
              valueFrom: {{secretKeyRef: {{name: llmctl-studio-secrets, key: LLMCTL_POSTGRES_PASSWORD}}}}
          readinessProbe: {{tcpSocket: {{port: postgres}}, periodSeconds: 1}}
"#
    )
}

/// Makes the table over a port-forward of the program, as Studio's own schema step would.
async fn make_table(place: &Place) {
    let real = place.real.as_ref().unwrap();
    let found = real.cluster.studio_database(&real.namespace).await.unwrap();
    assert!(!format!("{found:?}").contains("s3cret"), "{found:?}");
    let stream = real.cluster.forward_to(&found).await.unwrap();
    let mut config = tokio_postgres::Config::new();
    config
        .user(&found.user)
        .dbname(&found.database)
        .password(found.password.reveal());
    let (client, moving) = config.connect_raw(stream, NoTls).await.unwrap();
    let moving = tokio::spawn(moving);
    client.batch_execute(TABLE).await.unwrap();
    drop(client);
    moving.await.unwrap().unwrap();

    // Nobody listens on that port: the first read says so.
    let mut closed = real
        .cluster
        .forward(&real.namespace, &found.pod, 9)
        .await
        .unwrap();
    let _ = closed.write_all(b"x").await;
    let mut answer = Vec::new();
    let error = tokio::time::timeout(PATIENCE, closed.read_to_end(&mut answer))
        .await
        .unwrap();
    let error = error.unwrap_err().to_string();
    assert!(error.contains("refused"), "{error}");
}

/// Brings the database up in the namespace of the place.
pub(super) fn stand(place: &Place, image: &str) {
    place
        .home
        .write("overlays/studio/stack.yaml", &stack(image));
    let namespace = &place.real.as_ref().unwrap().namespace;
    let kustomization = format!("namespace: {namespace}\nresources: [stack.yaml]\n");
    place
        .home
        .write("overlays/studio/kustomization.yaml", &kustomization);
    place.say("overlays apply studio --yes").ended(0);

    let begin = Instant::now();
    loop {
        let told = place.say("settings pull --from studio");
        if told.err.contains("integration_settings") {
            break;
        }
        assert!(told.ended(3).err.contains("llmctl-postgres"), "{told:?}");
        assert!(begin.elapsed() < PATIENCE, "{told:?}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// A connection that is open when its pod goes is lost, and that is told.
async fn lose(place: &Place) {
    let real = place.real.as_ref().unwrap();
    let mut open = Studio::of_stack(&real.cluster, &real.namespace)
        .await
        .unwrap();
    open.database.settings().await.unwrap();
    real.delete_pods("app=llmctl-postgres").await;
    let begin = Instant::now();
    let error = loop {
        match open.database.settings().await {
            Err(error) => break error,
            Ok(_) => assert!(
                begin.elapsed() < PATIENCE,
                "the connection outlives its pod"
            ),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(error.to_string().contains("lost"), "{error}");
    assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
}

#[test]
fn settings_go_to_and_come_from_the_database_of_the_stack() {
    let Ok(image) = std::env::var("LLMCTL_DEV_TEST_POSTGRES_IMAGE") else {
        eprintln!("SKIPPED studio: LLMCTL_DEV_TEST_POSTGRES_IMAGE names no image of a PostgreSQL");
        return;
    };
    let Some(place) = Place::prepared("studio", Use::Shared) else {
        return;
    };
    let told = place.say("settings pull --from studio");
    assert!(
        told.ended(5).err.contains("studio-secret.example.yaml"),
        "{told:?}"
    );
    stand(&place, &image);
    place.runtime.block_on(make_table(&place));

    let mut said = String::new();
    let mut say = |line: &str| {
        let ran = place.say(line);
        said.push_str(&ran.out);
        said.push_str(&ran.err);
        ran.ended(0).out.clone()
    };
    say("settings set k8s_gpu_limit 2 k8s_job_ttl_seconds 90");
    let pushed = say("settings push --to studio --yes -o json");
    assert!(
        pushed.contains("\"from\": null") && pushed.contains("llmctl_studio"),
        "{pushed}"
    );
    assert!(say("settings push --to studio --yes").contains("nothing to push"));
    say("settings kubeconfig from-profile");
    assert!(say("settings kubeconfig show").contains("sha256:"));
    say("settings unset k8s_gpu_limit k8s_job_ttl_seconds");
    say("settings pull --from studio");
    assert_eq!(say("settings get k8s_gpu_limit"), "2\n");
    assert!(say("settings show --origin").contains("90"));

    // The same from the form: the database is one of its places.
    say("settings set k8s_gpu_limit 3");
    let mut terminal = place.home.terminal(&[]);
    terminal.wait_for("● live");
    terminal.press("2S");
    terminal.wait_for_row(&["] Studio", "llmctl_studio", "1 change"]);
    // One that answers late is not chosen by itself.
    terminal.press(ESC);
    terminal.gone("Save ·");
    terminal.press("S");
    terminal.wait_for_row(&["[x] Studio", "llmctl_studio", "1 change"]);
    // To there alone: whoever reads the ConfigMaps would have to restart.
    terminal.press("jj j ");
    terminal.wait_for_row(&["[ ] ConfigMap llmctl-studio-config"]);
    terminal.wait_for_row(&["[ ] ConfigMap llmctl-executor-settings"]);
    terminal.press(ENTER);
    terminal.gone("Save ·");
    terminal.press("!");
    terminal.wait_for("Messages");
    terminal.wait_for("pushed 1 setting to Studio");
    terminal.press(ESC);
    terminal.gone("Messages");
    terminal.press(ESC);
    terminal.gone("Settings · executor.toml");
    terminal.press("q");
    assert_eq!(terminal.exit_and_restore(), 0);
    assert!(say("settings push --to studio --yes").contains("nothing to push"));
    said.push_str(&terminal.raw());
    for secret in ["s3cret", "planted", "enc:v1:", "client-key"] {
        assert!(!said.contains(secret), "{secret}: {said}");
    }
    place.runtime.block_on(lose(&place));
}
