//! The migration of the running stack's database, through a port-forward.

use super::Place;
use super::studio::stand;
use crate::support::real::Use;
use crate::support::terminal::{ENTER, ESC};
use crate::terminal::checks::{migrate, way_back};
use tokio_postgres::NoTls;

const LEGACY: &str = include_str!("../fixtures/legacy-postgres.sql");

/// All rows, and what the table allows.
const STATE: &str = "SELECT md5(string_agg(t::text, '|' ORDER BY id)) FROM agent_tasks t
    UNION ALL SELECT md5(string_agg(s::text, '|' ORDER BY id)) FROM integration_settings s
    UNION ALL SELECT count(*)::text FROM pg_constraint WHERE conname LIKE 'ck_node_runs%'
    UNION ALL SELECT string_agg(pg_get_expr(adbin, adrelid), '|' ORDER BY adnum) FROM pg_attrdef WHERE adrelid = 'agent_tasks'::regclass";

/// Runs SQL over a port-forward, as Studio itself would; gives the rows of the last statement.
async fn sql(place: &Place, text: &str) -> Vec<Option<String>> {
    let real = place.real.as_ref().unwrap();
    let found = real.cluster.studio_database(&real.namespace).await.unwrap();
    let stream = real.cluster.forward_to(&found).await.unwrap();
    let mut config = tokio_postgres::Config::new();
    config
        .user(&found.user)
        .dbname(&found.database)
        .password(found.password.reveal());
    let (client, moving) = config.connect_raw(stream, NoTls).await.unwrap();
    let moving = tokio::spawn(moving);
    let answer = client.simple_query(text).await.unwrap();
    drop(client);
    moving.await.unwrap().unwrap();
    let rows = answer.into_iter().filter_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => Some(row.get(0).map(str::to_owned)),
        _ => None,
    });
    rows.collect()
}

#[test]
fn the_database_of_the_stack_is_planned_migrated_verified_and_restored() {
    let Ok(image) = std::env::var("LLMCTL_DEV_TEST_POSTGRES_IMAGE") else {
        eprintln!("SKIPPED: LLMCTL_DEV_TEST_POSTGRES_IMAGE names no image of a PostgreSQL");
        return;
    };
    let Some(place) = Place::prepared("migrate", Use::Shared) else {
        return;
    };
    let missing = place.say("migrate plan --stack");
    assert!(missing.err.contains("studio-secret"), "{missing:?}");
    stand(&place, &image);
    let state = || place.runtime.block_on(sql(&place, STATE));
    place.runtime.block_on(sql(&place, LEGACY));
    let before = state();

    let mut said = String::new();
    let mut say = |line: &str, code: i32| {
        let ran = place.say(line);
        said.push_str(&ran.out);
        said.push_str(&ran.err);
        ran.ended(code).out.clone()
    };
    let plan = say("migrate plan --stack", 1);
    assert!(plan.contains("llmctl-postgres"), "{plan}");
    say("migrate verify --stack", 1);
    assert_eq!(state(), before, "a plan touches nothing");
    let done = say("migrate apply --stack --yes -o json", 0);
    let done: serde_json::Value = serde_json::from_str(&done).unwrap();
    let backup = done["backup"].as_str().unwrap();
    assert_ne!(state(), before);
    say("migrate verify --stack", 0);
    say("migrate plan --stack", 0);
    say(&format!("migrate restore {backup} --stack --yes"), 0);
    assert_eq!(state(), before, "every byte is back");
    for secret in ["s3cret", "planted-flask-secret"] {
        assert!(!said.contains(secret), "{secret}: {said}");
    }
}

/// Every row of a run that is written takes its time.
const SLOWLY: &str = "CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_sleep(10); RETURN NEW; END $$;
    CREATE TRIGGER slowly BEFORE UPDATE ON agent_tasks FOR EACH ROW EXECUTE FUNCTION slowly()";

#[test]
fn the_database_of_the_stack_is_migrated_from_the_pane_and_a_key_rolls_it_back() {
    let Ok(image) = std::env::var("LLMCTL_DEV_TEST_POSTGRES_IMAGE") else {
        eprintln!("SKIPPED: LLMCTL_DEV_TEST_POSTGRES_IMAGE names no image of a PostgreSQL");
        return;
    };
    let Some(place) = Place::prepared("pane", Use::Shared) else {
        return;
    };
    stand(&place, &image);
    let state = || place.runtime.block_on(sql(&place, STATE));
    place.runtime.block_on(sql(&place, LEGACY));
    place.runtime.block_on(sql(&place, SLOWLY));
    let before = state();

    let mut terminal = place.home.terminal(&[]);
    terminal.wait_for("● live");
    terminal.press("5");
    // A port-forward is opened only when somebody asks for it.
    terminal.wait_for_row(&["Database", "not looked at"]);
    terminal.press(ENTER);
    terminal.wait_for_row(&["Migration of", "llmctl-postgres"]);
    terminal.wait_for_row(&["delete", "docker_host"]);
    migrate(&mut terminal, "llmctl-postgres");
    terminal.wait_for("changing: 0 of");
    terminal.press(ESC);
    terminal.wait_for("all of it was rolled back");
    assert_eq!(state(), before, "nothing was changed");
    terminal.wait_for_row(&["delete", "docker_host"]);

    place
        .runtime
        .block_on(sql(&place, "DROP FUNCTION slowly() CASCADE"));
    migrate(&mut terminal, "llmctl-postgres");
    terminal.wait_for("migrated and verified");
    terminal.wait_for("nothing to migrate");
    assert_ne!(state(), before);
    place
        .say(&format!("{} --yes", way_back(&terminal).join(" ")))
        .ended(0);
    assert_eq!(state(), before, "every byte is back");
    terminal.press("u");
    terminal.wait_for_row(&["delete", "docker_host"]);
    terminal.press(ESC);
    terminal.gone("Migration of");
    terminal.press("q");
    assert_eq!(terminal.exit_and_restore(), 0);
    for secret in ["s3cret", "planted-flask-secret"] {
        assert!(!terminal.raw().contains(secret), "{secret}");
    }
}
