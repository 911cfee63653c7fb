//! A private PostgreSQL for tests: one server for the whole run on a loopback port of its own, a database for each test.
//!
//! `Database::new("test")` gives an empty database, or none where no PostgreSQL is installed, which is said; with `CI=true`
//! that is a failure. Programs are found in `LLMCTL_DEV_TEST_POSTGRES_BIN`, `/usr/lib/postgresql/*/bin` or `PATH`. The
//! server wants passwords, ends with this process in every case, and takes its files along.

pub(crate) mod relay;

use llmctl_dev::database::address::Address;
use llmctl_dev::database::password::Password;
use llmctl_dev::database::postgres::Postgres;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The password of every user; must be seen nowhere but here.
pub(crate) const PASSWORD: &str = "planted s3cret+pass%word";

/// The user that owns the databases of tests; an ordinary one.
pub(crate) const USER: &str = "llmctl";

const ADMIN: &str = "postgres";

/// Longest wait for the server to start on a busy machine.
const START: Duration = Duration::from_secs(90);

/// Runs the server until standard input ends, that is until the tests' process is gone, and removes its directory then.
const GUARDED: &str = r#"
"$1/postgres" -D "$2/data" &
server=$!
read -r _
kill -INT "$server"
wait "$server"
rm -rf "$2"
"#;

struct Server {
    programs: PathBuf,
    /// Also where its socket is.
    directory: PathBuf,
    port: u16,
    /// Its open standard input is what keeps the server.
    _guard: Child,
}

/// A database of a test.
pub(crate) struct Database {
    server: &'static Server,
    name: String,
}

impl Database {
    /// An empty database for the test of that name, or none with a word about it.
    pub(crate) fn new(test: &str) -> Option<Self> {
        static SERVER: OnceLock<Option<Server>> = OnceLock::new();
        let Some(server) = SERVER.get_or_init(Server::start) else {
            eprintln!(
                "SKIPPED {test}: no PostgreSQL is installed (Debian: apt-get install postgresql)"
            );
            assert!(
                std::env::var("CI").as_deref() != Ok("true"),
                "no PostgreSQL, and CI=true"
            );
            return None;
        };
        let name = format!(
            "test_{}",
            test.replace(|c: char| !c.is_ascii_alphanumeric(), "_")
        );
        let create = format!("CREATE DATABASE {name} OWNER {USER} TEMPLATE template0");
        server.psql(ADMIN, ADMIN, &format!("DROP DATABASE IF EXISTS {name}"));
        server.psql(ADMIN, ADMIN, &create);
        Some(Self { server, name })
    }

    /// Its address as Studio would write it, without the password.
    pub(crate) fn uri(&self) -> String {
        format!(
            "postgresql+psycopg://{USER}@127.0.0.1:{}/{}",
            self.server.port, self.name
        )
    }

    /// Its address by the server's socket.
    pub(crate) fn socket_uri(&self) -> String {
        let (directory, port) = (self.server.directory.display(), self.server.port);
        format!(
            "postgresql:///{}?user={USER}&host={directory}&port={port}",
            self.name
        )
    }

    pub(crate) fn address(&self) -> Address {
        Address::parse(&self.uri()).unwrap().address
    }

    /// A connection as its owner.
    pub(crate) async fn connect(&self) -> Postgres {
        Postgres::connect(&self.address(), Some(&Password::new(PASSWORD)))
            .await
            .unwrap()
    }

    /// Runs SQL with `psql` as the owner; rows as lines, columns separated by `|`.
    #[track_caller]
    pub(crate) fn sql(&self, sql: &str) -> String {
        self.server.psql(USER, &self.name, sql)
    }

    /// From now on the first row of a run that is written waits until the connection that this gives is closed.
    pub(crate) async fn hold_runs(&self) -> tokio_postgres::Client {
        self.sql(
            "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN PERFORM pg_advisory_xact_lock(77); RETURN NEW; END $$;
             CREATE TRIGGER wait BEFORE UPDATE ON agent_tasks FOR EACH ROW EXECUTE FUNCTION wait()",
        );
        let (client, connection) = tokio_postgres::Config::new()
            .host("127.0.0.1")
            .port(self.server.port)
            .user(USER)
            .password(PASSWORD)
            .dbname(&self.name)
            .connect(tokio_postgres::NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        let lock = "SELECT pg_advisory_lock(77)";
        client.execute(lock, &[]).await.unwrap();
        client
    }

    /// Waits until so many writes of runs wait.
    #[track_caller]
    pub(crate) fn wait_for_writes(&self, count: usize) {
        let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE agent_tasks%'";
        let begin = Instant::now();
        while self.sql(waits).trim() != count.to_string() {
            assert!(begin.elapsed() < START, "never {count} writes");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What it is called.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// All of it as `pg_dump` writes it; equal dumps are equal databases.
    #[track_caller]
    pub(crate) fn dump(&self) -> String {
        let dump = self
            .server
            .command("pg_dump", USER, &self.name)
            .args(["--no-owner", "--no-privileges"])
            .output()
            .unwrap();
        assert!(
            dump.status.success(),
            "{}",
            String::from_utf8_lossy(&dump.stderr)
        );
        let text = String::from_utf8(dump.stdout).unwrap();
        // Newer versions put a random word around the dump.
        let lines = text
            .lines()
            .filter(|line| !line.starts_with('\\') || !line.contains("restrict"));
        lines.fold(String::new(), |text, line| text + line + "\n")
    }
}

impl Server {
    fn start() -> Option<Self> {
        let programs = programs()?;
        let directory = tempfile::Builder::new()
            .prefix("llmctl-dev-pg-")
            .tempdir()
            .unwrap()
            .keep();
        let account = Account::of_server();
        let owned = |path: &Path| {
            if let Some(account) = &account {
                std::os::unix::fs::chown(path, Some(account.user), Some(account.group)).unwrap();
            }
        };
        owned(&directory);
        let password = directory.join("password");
        std::fs::write(&password, PASSWORD).unwrap();
        owned(&password);

        let mut initdb = Command::new(programs.join("initdb"));
        initdb
            .arg("--pgdata")
            .arg(directory.join("data"))
            .arg("--pwfile")
            .arg(&password)
            .args([
                "--username",
                ADMIN,
                "--auth",
                "scram-sha-256",
                "--encoding",
                "UTF8",
            ])
            .args(["--locale", "C", "--no-sync", "--no-instructions"]);
        let made = Account::apply(account.as_ref(), &mut initdb)
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );

        let port = free_port();
        let configured = format!(
            "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{}'\nfsync = off\n\
             synchronous_commit = off\nfull_page_writes = off\nshared_buffers = 32MB\nautovacuum = off\n",
            directory.display()
        );
        std::fs::write(directory.join("data/postgresql.auto.conf"), configured).unwrap();

        let log = std::fs::File::create(directory.join("log")).unwrap();
        let mut server = Command::new("sh");
        server
            .args(["-c", GUARDED, "sh"])
            .args([&programs, &directory])
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            // A key for the tests' own end is none for the server: the shell ends it in order.
            .process_group(0);
        let guard = Account::apply(account.as_ref(), &mut server)
            .spawn()
            .unwrap();
        let server = Self {
            programs,
            directory,
            port,
            _guard: guard,
        };
        server.wait();
        let user = format!("CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}'");
        server.psql(ADMIN, ADMIN, &user);
        Some(server)
    }

    fn wait(&self) {
        let begin = Instant::now();
        loop {
            let probe = self
                .command("psql", ADMIN, ADMIN)
                .args(["-c", "SELECT 1"])
                .output()
                .unwrap();
            if probe.status.success() {
                return;
            }
            let log = std::fs::read_to_string(self.directory.join("log")).unwrap_or_default();
            assert!(begin.elapsed() < START, "the server does not start: {log}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn command(&self, program: &str, user: &str, database: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command
            .arg("--host")
            .arg(&self.directory)
            .args([
                "--port",
                &self.port.to_string(),
                "--username",
                user,
                "--no-password",
            ])
            .args(["--dbname", database])
            .env("PGPASSWORD", PASSWORD)
            // A lock that is never given back fails the test that waits for it.
            .env("PGOPTIONS", "-c statement_timeout=60s")
            .stdin(Stdio::null());
        command
    }

    #[track_caller]
    fn psql(&self, user: &str, database: &str, sql: &str) -> String {
        let ran = self
            .command("psql", user, database)
            .args(["--no-psqlrc", "--no-align", "--tuples-only", "--quiet"])
            .args(["--set", "ON_ERROR_STOP=1", "--command", sql])
            .output()
            .unwrap();
        assert!(
            ran.status.success(),
            "{}",
            String::from_utf8_lossy(&ran.stderr)
        );
        String::from_utf8(ran.stdout).unwrap().trim_end().to_owned()
    }
}

/// The account that the server runs under when the tests run as root, which it refuses.
struct Account {
    user: u32,
    group: u32,
}

impl Account {
    fn of_server() -> Option<Self> {
        rustix::process::geteuid().is_root().then(|| {
            let accounts = std::fs::read_to_string("/etc/passwd").unwrap();
            let line = ["postgres:", "nobody:"]
                .iter()
                .find_map(|name| accounts.lines().find(|line| line.starts_with(name)))
                .expect("an account that is not root");
            let number = |at: usize| line.split(':').nth(at).unwrap().parse().unwrap();
            Self {
                user: number(2),
                group: number(3),
            }
        })
    }

    fn apply<'a>(account: Option<&Self>, command: &'a mut Command) -> &'a mut Command {
        match account {
            // The directory of the tests may be closed to it.
            Some(account) => command
                .uid(account.user)
                .gid(account.group)
                .current_dir("/"),
            None => command,
        }
    }
}

fn programs() -> Option<PathBuf> {
    let named = std::env::var_os("LLMCTL_DEV_TEST_POSTGRES_BIN").map(PathBuf::from);
    let mut debian: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .collect();
    debian.sort();
    let in_path = std::env::var_os("PATH").unwrap_or_default();
    named
        .into_iter()
        .chain(debian.into_iter().rev())
        .chain(std::env::split_paths(&in_path))
        .find(|directory| {
            ["initdb", "postgres", "psql"]
                .iter()
                .all(|name| directory.join(name).is_file())
        })
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}
