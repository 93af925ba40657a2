//! An authenticator with one passkey, written by WebAuthn Level 3 (§6.1, §6.5.4, §7) and RFC 9052 alone, and able to lie.
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use openssl::{
    bn::{BigNum, BigNumContext},
    ec::{EcGroup, EcKey},
    hash::MessageDigest,
    nid::Nid,
    pkey::{PKey, Private},
    sha::sha256,
    sign::Signer,
};
use serde_json::{Value, json};

/// What it does is decided by its fields.
#[derive(Clone)]
pub struct Authenticator {
    pub key: PKey<Private>,
    /// The credential's id.
    pub id: Vec<u8>,
    /// Whose it says it is.
    pub handle: Option<Vec<u8>>,
    /// The page where it is used.
    pub origin: String,
    /// The site that it signs for; what it is asked for, if none.
    pub site: Option<String>,
    /// It has asked for a PIN.
    pub verifies: bool,
    /// Its key is on several devices.
    pub synced: bool,
    /// Zero stays so: many never count.
    pub counter: u32,
    /// What it says that it signs, if not what it is asked for.
    pub kind: Option<&'static str>,
}

impl Authenticator {
    /// `seed` makes the credential's id.
    pub fn new(origin: &str, seed: &str) -> Self {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        Authenticator {
            key: PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap(),
            id: sha256(seed.as_bytes()).to_vec(),
            handle: None,
            origin: origin.to_owned(),
            site: None,
            verifies: true,
            synced: false,
            counter: 0,
            kind: None,
        }
    }

    /// The answer to `navigator.credentials.create()`, as `toJSON()` writes it.
    pub fn make(&mut self, options: &Value) -> Value {
        self.handle = Some(bytes(&options["user"]["id"]));
        let mut data = self.data(options["rp"]["id"].as_str().unwrap(), true);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(&self.id);
        data.extend(self.cose());
        let mut object = vec![0xa3];
        object.extend(text("fmt"));
        object.extend(text("none"));
        object.extend(text("attStmt"));
        object.push(0xa0);
        object.extend(text("authData"));
        object.extend([&[0x59], &u16::try_from(data.len()).unwrap().to_be_bytes()[..]].concat());
        object.extend(data);
        let client = self.client("webauthn.create", options);
        json!({
            "id": encoded(&self.id),
            "rawId": encoded(&self.id),
            "type": "public-key",
            "response": { "clientDataJSON": encoded(&client), "attestationObject": encoded(&object), "transports": ["usb"] },
            "clientExtensionResults": {},
        })
    }

    /// The answer to `navigator.credentials.get()`.
    pub fn sign(&mut self, options: &Value) -> Value {
        if self.counter > 0 {
            self.counter += 1;
        }
        let data = self.data(options["rpId"].as_str().unwrap(), false);
        let client = self.client("webauthn.get", options);
        let mut signer = Signer::new(MessageDigest::sha256(), &self.key).unwrap();
        let signature = signer.sign_oneshot_to_vec(&[&data[..], &sha256(&client)].concat()).unwrap();
        json!({
            "id": encoded(&self.id),
            "rawId": encoded(&self.id),
            "type": "public-key",
            "response": {
                "clientDataJSON": encoded(&client),
                "authenticatorData": encoded(&data),
                "signature": encoded(&signature),
                "userHandle": self.handle.as_deref().map(encoded),
            },
            "clientExtensionResults": {},
        })
    }

    /// §6.1: for whom, the flags, the counter.
    fn data(&self, asked: &str, makes: bool) -> Vec<u8> {
        let site = self.site.as_deref().unwrap_or(asked);
        let present = 0x01;
        let verified = if self.verifies { 0x04 } else { 0 };
        let synced = if self.synced { 0x08 | 0x10 } else { 0 };
        let with_key = if makes { 0x40 } else { 0 };
        let mut data = sha256(site.as_bytes()).to_vec();
        data.push(present | verified | synced | with_key);
        data.extend(self.counter.to_be_bytes());
        data
    }

    /// §5.8.1.
    fn client(&self, kind: &str, options: &Value) -> Vec<u8> {
        let kind = self.kind.unwrap_or(kind);
        let client =
            json!({ "type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": false });
        client.to_string().into_bytes()
    }

    /// RFC 9053 §7.1.1: a key for ES256.
    fn cose(&self) -> Vec<u8> {
        let key = self.key.ec_key().unwrap();
        let (mut x, mut y) = (BigNum::new().unwrap(), BigNum::new().unwrap());
        let mut context = BigNumContext::new().unwrap();
        key.public_key().affine_coordinates(key.group(), &mut x, &mut y, &mut context).unwrap();
        let (x, y) = (x.to_vec_padded(32).unwrap(), y.to_vec_padded(32).unwrap());
        [&[0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20], &x[..], &[0x22, 0x58, 0x20], &y].concat()
    }
}

/// RFC 8949 §3.1: a text of fewer than 24 bytes.
fn text(text: &str) -> Vec<u8> {
    [&[0x60 | u8::try_from(text.len()).unwrap()], text.as_bytes()].concat()
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn bytes(value: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(value.as_str().unwrap()).unwrap()
}
