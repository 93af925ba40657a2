//! An authenticator app, written by the specifications alone (RFC 4648 §6, RFC 4226 §5.3, RFC 6238 §4).
use openssl::{hash::MessageDigest, pkey::PKey, sign::Signer};
use signet::{
    app::App,
    flows::{
        account::User,
        admin::users,
        factors::{
            Permit, Place,
            totp::{self, Confirmed, Confirming},
        },
        login::Standing,
        visitor::Device,
    },
    protocol::trace::Kind,
};

use uuid::Uuid;

use super::seed::Person;

pub struct Phone {
    secret: Vec<u8>,
    /// The recovery codes that came with it.
    pub codes: Vec<String>,
}

impl Phone {
    /// Reads the key as somebody types it.
    pub fn reading(key: &str) -> Self {
        let five = |c: char| "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(c).expect("base 32");
        let bits: Vec<bool> = key
            .chars()
            .filter(|c| !c.is_whitespace())
            .flat_map(|c| (0..5).rev().map(move |bit| five(c) >> bit & 1 == 1))
            .collect();
        let byte = |eight: &[bool]| eight.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
        Phone { secret: bits.chunks_exact(8).map(byte).collect(), codes: Vec::new() }
    }

    /// What it shows at that time.
    pub fn shows(&self, at: i64) -> String {
        let key = PKey::hmac(&self.secret).unwrap();
        let mut signer = Signer::new(MessageDigest::sha1(), &key).unwrap();
        let hash = signer.sign_oneshot_to_vec(&(at / 30).to_be_bytes()).unwrap();
        let offset = usize::from(hash[19] & 0xf);
        let number = u32::from_be_bytes(hash[offset..offset + 4].try_into().unwrap()) & 0x7fff_ffff;
        format!("{:06}", number % 1_000_000)
    }
}

pub async fn find(app: &App, person: &Person) -> User {
    users::find(app, &person.id).await.unwrap()
}

/// Somebody sets one up. What it shows in this moment is used by that.
pub async fn phone(app: &App, person: &Person) -> Phone {
    let user = find(app, person).await;
    let place = Place::session(app, user.id, Uuid::nil());
    let begun = totp::begin(app, &user, &place).await.unwrap().expect("the person has none");
    let phone = Phone::reading(&begun.secret);
    let device = Device::new([127, 0, 0, 1].into(), None);
    let permit = Permit::half_way(Standing::of(&user));
    let who = Confirming { user: &user, permit, place: &place, device: &device, sign_in: None };
    match totp::confirm(app, who, &phone.shows(app.now()), &app.trace(Kind::Account)).await.unwrap() {
        Confirmed::Well(codes) => Phone { codes: codes.map(|codes| codes.shown()).unwrap_or_default(), ..phone },
        _ => panic!("the app was not confirmed"),
    }
}
