//! Crypto providers: the certificate that all connections share, and which SRTP profile each one negotiated.
//!
//! str0m tells nobody which profile DTLS-SRTP (RFC 5764) chose. It asks the provider for a cipher of that profile,
//! so a provider that counts on the way knows.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use str0m::config::{CryptoProvider, DtlsCert};
use str0m::crypto::{
    AeadAes128GcmCipher, AeadAes256GcmCipher, Aes128CmSha1_80Cipher, SrtpProvider, SupportedAeadAes128Gcm,
    SupportedAeadAes256Gcm, SupportedAes128CmSha1_80,
};

static AES_128_GCM: AtomicU64 = AtomicU64::new(0);
static AES_256_GCM: AtomicU64 = AtomicU64::new(0);
static AES_128_CM: AtomicU64 = AtomicU64::new(0);
static INNER: OnceLock<CryptoProvider> = OnceLock::new();

/// SRTP sessions begun in this process, by negotiated profile.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ProfileCounts {
    /// SRTP_AEAD_AES_128_GCM (RFC 7714).
    pub aead_aes_128_gcm: u64,
    /// SRTP_AEAD_AES_256_GCM (RFC 7714).
    pub aead_aes_256_gcm: u64,
    /// SRTP_AES128_CM_HMAC_SHA1_80 (RFC 3711).
    pub aes_128_cm_sha1_80: u64,
}

/// What has been negotiated so far.
pub fn profile_counts() -> ProfileCounts {
    ProfileCounts {
        aead_aes_128_gcm: AES_128_GCM.load(Ordering::Relaxed),
        aead_aes_256_gcm: AES_256_GCM.load(Ordering::Relaxed),
        aes_128_cm_sha1_80: AES_128_CM.load(Ordering::Relaxed),
    }
}

/// One DTLS certificate for all connections of a process: making one costs 0.8 ms, and a shared one tells a peer
/// nothing that our address doesn't.
#[derive(Clone, Debug)]
pub struct Certificate(pub(crate) DtlsCert);

impl Certificate {
    /// Makes a self-signed certificate. `None` if the crypto library can't.
    pub fn generate() -> Option<Self> {
        inner().dtls_provider.generate_certificate().map(Self)
    }
}

fn inner() -> &'static CryptoProvider {
    INNER.get_or_init(str0m::crypto::from_feature_flags)
}

/// The provider for all connections.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    static COUNTING: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    let counting = || {
        let inner = inner();
        Arc::new(CryptoProvider {
            srtp_provider: &Counting,
            sha1_hmac_provider: inner.sha1_hmac_provider,
            sha1_provider: inner.sha1_provider,
            sha256_provider: inner.sha256_provider,
            dtls_provider: inner.dtls_provider,
        })
    };
    COUNTING.get_or_init(counting).clone()
}

/// Passes everything on and counts the ciphers made for sending: one for each connection.
#[derive(Debug)]
struct Counting;

fn count(counter: &AtomicU64, encrypt: bool) {
    counter.fetch_add(u64::from(encrypt), Ordering::Relaxed);
}

impl SrtpProvider for Counting {
    fn aes_128_cm_sha1_80(&self) -> &'static dyn SupportedAes128CmSha1_80 {
        &Counting
    }
    fn aead_aes_128_gcm(&self) -> &'static dyn SupportedAeadAes128Gcm {
        &Counting
    }
    fn aead_aes_256_gcm(&self) -> &'static dyn SupportedAeadAes256Gcm {
        &Counting
    }
    fn srtp_aes_128_ecb_round(&self, key: &[u8], input: &[u8], output: &mut [u8]) {
        inner().srtp_provider.srtp_aes_128_ecb_round(key, input, output);
    }
    fn srtp_aes_256_ecb_round(&self, key: &[u8], input: &[u8], output: &mut [u8]) {
        inner().srtp_provider.srtp_aes_256_ecb_round(key, input, output);
    }
}

impl SupportedAes128CmSha1_80 for Counting {
    fn create_cipher(&self, key: [u8; 16], encrypt: bool) -> Box<dyn Aes128CmSha1_80Cipher> {
        count(&AES_128_CM, encrypt);
        inner().srtp_provider.aes_128_cm_sha1_80().create_cipher(key, encrypt)
    }
}

impl SupportedAeadAes128Gcm for Counting {
    fn create_cipher(&self, key: [u8; 16], encrypt: bool) -> Box<dyn AeadAes128GcmCipher> {
        count(&AES_128_GCM, encrypt);
        inner().srtp_provider.aead_aes_128_gcm().create_cipher(key, encrypt)
    }
}

impl SupportedAeadAes256Gcm for Counting {
    fn create_cipher(&self, key: [u8; 32], encrypt: bool) -> Box<dyn AeadAes256GcmCipher> {
        count(&AES_256_GCM, encrypt);
        inner().srtp_provider.aead_aes_256_gcm().create_cipher(key, encrypt)
    }
}
