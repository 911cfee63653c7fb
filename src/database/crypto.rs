//! What a Studio encrypts: `enc:v1:` and a Fernet token under a key made of its secret (contract 3.5).

use aes::Aes128;
use base64::{Engine as _, prelude::BASE64_URL_SAFE};
use cbc::cipher::{
    BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _, block_padding::Pkcs7,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

/// What an encrypted value begins with; one without it is an old value in clear.
pub const PREFIX: &str = "enc:v1:";

/// The secret that Studio uses when it was given none.
pub const DEFAULT_SECRET: &str = "dev";

const VERSION: u8 = 0x80;
/// Version, seconds, initialisation vector.
const HEAD: usize = 1 + 8 + 16;
const SIGNATURE: usize = 32;

/// Why a stored value could not be read. It keeps its bytes: whoever has the right secret can still read it (W37).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("it is no Fernet token: it is damaged")]
    NotAToken,
    #[error(
        "it was encrypted with another secret, or is damaged: give the FLASK_SECRET_KEY that Studio had when it was stored"
    )]
    WrongSecret,
    #[error("what was encrypted is no text")]
    NotText,
    #[error("this machine gave no random bytes")]
    NoRandomness,
}

/// The key that Studio derives from its `FLASK_SECRET_KEY`. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    signing: [u8; 16],
    encryption: [u8; 16],
}

impl Secret {
    /// The key of a `FLASK_SECRET_KEY`; a blank one is Studio's default.
    pub fn new(secret: &str) -> Self {
        let secret = if secret.trim().is_empty() {
            DEFAULT_SECRET
        } else {
            secret
        };
        let digest = Sha256::digest(secret.as_bytes());
        let mut key = Self {
            signing: [0; 16],
            encryption: [0; 16],
        };
        key.signing.copy_from_slice(&digest[..16]);
        key.encryption.copy_from_slice(&digest[16..]);
        key
    }

    /// The text as Studio stores it, with white space around it taken off.
    ///
    /// # Errors
    /// When the machine has no random bytes.
    pub fn seal(&self, text: &str, now: Timestamp) -> Result<String, Unreadable> {
        let mut iv = [0; 16];
        getrandom::fill(&mut iv).map_err(|_| Unreadable::NoRandomness)?;
        self.seal_with(text, now, iv)
    }

    /// [`Secret::seal`] with a given initialisation vector; one vector must not be used twice.
    fn seal_with(&self, text: &str, now: Timestamp, iv: [u8; 16]) -> Result<String, Unreadable> {
        let mut token = vec![VERSION];
        // A clock before 1970 is as good as none.
        token.extend(u64::try_from(now.as_second()).unwrap_or(0).to_be_bytes());
        token.extend(iv);
        let encryptor = cbc::Encryptor::<Aes128>::new(&self.encryption.into(), &iv.into());
        token.extend(encryptor.encrypt_padded_vec::<Pkcs7>(text.trim().as_bytes()));
        let signature = self.signer()?.chain_update(&token).finalize().into_bytes();
        token.extend(signature);
        Ok(format!("{PREFIX}{}", BASE64_URL_SAFE.encode(token)))
    }

    /// The text of a stored value. One without the prefix is in clear already.
    ///
    /// # Errors
    /// When it cannot be read with this secret. Nothing of the value is in the error.
    pub fn open(&self, stored: &str) -> Result<String, Unreadable> {
        let Some(token) = stored.trim().strip_prefix(PREFIX) else {
            return Ok(stored.trim().to_owned());
        };
        let bytes = BASE64_URL_SAFE
            .decode(token.trim())
            .map_err(|_| Unreadable::NotAToken)?;
        let blocks = bytes.len().saturating_sub(HEAD + SIGNATURE);
        if bytes.first() != Some(&VERSION) || blocks == 0 || blocks % 16 != 0 {
            return Err(Unreadable::NotAToken);
        }
        let (signed, signature) = bytes.split_at(bytes.len() - SIGNATURE);
        self.signer()?
            .chain_update(signed)
            .verify_slice(signature)
            .map_err(|_| Unreadable::WrongSecret)?;
        let decryptor =
            cbc::Decryptor::<Aes128>::new_from_slices(&self.encryption, &signed[9..HEAD])
                .map_err(|_| Unreadable::NotAToken)?;
        let text = decryptor
            .decrypt_padded_vec::<Pkcs7>(&signed[HEAD..])
            .map_err(|_| Unreadable::WrongSecret)?;
        let text = String::from_utf8(text).map_err(|_| Unreadable::NotText)?;
        Ok(text.trim().to_owned())
    }

    fn signer(&self) -> Result<Hmac<Sha256>, Unreadable> {
        Hmac::new_from_slice(&self.signing).map_err(|_| Unreadable::WrongSecret)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// A stored value is encrypted, not in clear.
pub fn is_sealed(stored: &str) -> bool {
    stored.trim().starts_with(PREFIX)
}

/// What is shown of a secret text: `sha256:` and twelve hex digits.
pub fn fingerprint(text: &str) -> String {
    use std::fmt::Write as _;
    let digest = Sha256::digest(text.trim().as_bytes());
    let mut shown = String::from("sha256:");
    for byte in &digest[..6] {
        let _ = write!(shown, "{byte:02x}");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn vectors() -> Value {
        let fixture = include_str!("../../tests/it/fixtures/legacy-settings.json");
        let all: Value = serde_json::from_str(fixture).unwrap();
        all["kubeconfig_vectors"].clone()
    }

    #[test]
    fn vectors_are_read_and_made_again_byte_for_byte() {
        let vectors = vectors();
        let plain = vectors["plaintext"].as_str().unwrap();
        assert_eq!(fingerprint(plain), vectors["plaintext_fingerprint"]);
        let tokens = vectors["tokens"].as_array().unwrap();
        assert!(tokens.len() >= 2);
        for token in tokens {
            let secret = Secret::new(token["secret"].as_str().unwrap());
            let stored = token["stored_value"].as_str().unwrap();
            assert_eq!(secret.open(stored).unwrap(), plain.trim());
            let iv: [u8; 16] = std::array::from_fn(|at| u8::try_from(at).unwrap());
            let now = Timestamp::from_second(1_771_286_400).unwrap();
            assert_eq!(secret.seal_with(plain, now, iv).unwrap(), stored);
        }
    }

    #[test]
    fn another_secret_and_a_damaged_token_are_told_apart_from_text() {
        let secret = Secret::new("one");
        let stored = secret
            .seal("apiVersion: v1", Timestamp::UNIX_EPOCH)
            .unwrap();
        assert!(is_sealed(&stored));
        assert_eq!(
            Secret::new("two").open(&stored),
            Err(Unreadable::WrongSecret)
        );
        assert_eq!(secret.open("enc:v1:%%%"), Err(Unreadable::NotAToken));
        assert_eq!(secret.open("enc:v1:"), Err(Unreadable::NotAToken));
        let cut = &stored[..stored.len() - 4];
        assert!(secret.open(cut).is_err());
        assert_eq!(secret.open(" in clear \n").unwrap(), "in clear");
        assert_eq!(format!("{secret:?}"), "Secret(***)");
    }

    #[test]
    fn no_secret_is_the_default_one() {
        assert_eq!(Secret::new(" "), Secret::new(DEFAULT_SECRET));
        assert_ne!(Secret::new("x"), Secret::new(DEFAULT_SECRET));
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_to_the_same(text in "\\PC{0,300}", key in ".{0,20}") {
            let secret = Secret::new(&key);
            let stored = secret.seal(&text, Timestamp::UNIX_EPOCH).unwrap();
            prop_assert!(!stored.contains(text.trim()) || text.trim().len() < 8);
            prop_assert_eq!(secret.open(&stored).unwrap(), text.trim());
        }

        #[test]
        fn no_garbage_panics(text in "(enc:v1:)?[A-Za-z0-9_=-]{0,200}") {
            let _ = Secret::new("dev").open(&text);
        }
    }
}
