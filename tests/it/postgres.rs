//! Connections to a real PostgreSQL: who is let in, and what the refusals say.

use super::support::postgres::{Database, PASSWORD, USER};
use llmctl_dev::database::address::Address;
use llmctl_dev::database::error::Error;
use llmctl_dev::database::password::Password;
use llmctl_dev::database::postgres::Postgres;

fn password() -> Password {
    Password::new(PASSWORD)
}

/// The error of a connection that must fail; the password is nowhere in it.
async fn refused(address: &Address, password: Option<&Password>) -> Error {
    let error = Postgres::connect(address, password).await.unwrap_err();
    let shown = format!("{error} {error:?} {address:?} {password:?}");
    assert!(!shown.contains("s3cret"), "{shown}");
    error
}

#[tokio::test]
async fn a_password_lets_in_by_loopback_and_by_socket() {
    let Some(database) = Database::new("lets in") else {
        return;
    };
    for uri in [database.uri(), database.socket_uri()] {
        let address = Address::parse(&uri).unwrap().address;
        let open = Postgres::connect(&address, Some(&password()))
            .await
            .unwrap();
        assert!(open.place().contains("test_lets_in"), "{open:?}");
        open.close().await;
    }
}

#[tokio::test]
async fn whoever_is_not_let_in_reads_why_and_what_to_do() {
    let Some(database) = Database::new("refuses") else {
        return;
    };
    let address = database.address();
    let error = refused(&address, None).await;
    assert!(matches!(error, Error::PasswordMissing { .. }), "{error}");
    assert!(
        error.to_string().contains("LLMCTL_POSTGRES_PASSWORD"),
        "{error}"
    );

    let error = refused(&address, Some(&Password::new("another s3cret"))).await;
    assert!(matches!(error, Error::Denied { .. }), "{error}");
    assert!(error.to_string().contains(USER), "{error}");

    let nowhere = Address {
        database: "nowhere".into(),
        ..address.clone()
    };
    let error = refused(&nowhere, Some(&password())).await;
    assert!(matches!(error, Error::NoDatabase { .. }), "{error}");

    let closed = Address { port: 1, ..address };
    let error = refused(&closed, Some(&password())).await;
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains("127.0.0.1:1"), "{error}");
}

#[tokio::test]
async fn a_stream_that_somebody_opened_will_do() {
    let Some(database) = Database::new("stream") else {
        return;
    };
    let address = database.address();
    let stream = tokio::net::TcpStream::connect(("127.0.0.1", address.port))
        .await
        .unwrap();
    let open = Postgres::over(stream, &address, Some(&password()), "the stack's database").await;
    assert_eq!(open.unwrap().place(), "the stack's database");
    // One that ends at once is told as such.
    let (ours, theirs) = tokio::io::duplex(64);
    drop(theirs);
    let error = Postgres::over(ours, &address, None, "the stack's database")
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
}
