//! Hashes of other programs: read, checked, and never without bounds.
use std::time::Duration;

use signet::crypto::password::{Cost, HashPool, Unusable, Verdict, check};

/// What the hashes below that name no password of their own are of.
const PASSWORD: &str = "correct horse battery";

/// Published with the algorithm, or made by another implementation; low costs, so that the test is quick.
#[rustfmt::skip]
const HASHES: [(&str, &str, &str); 29] = [
    // crypt_blowfish's own test vectors; the last has more than 72 bytes.
    ("bcrypt, published", "U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
    ("bcrypt, published, 72 bytes", "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui"),
    // RFC 7914 §12.
    ("scrypt, published", "pleaseletmein", "scrypt$16384$SodiumChloride$8$1$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw=="),
    // RFC 7914 §11 and RFC 6070 §2.
    ("PBKDF2 with SHA-256, published", "passwd", "pbkdf2:sha256:1$salt$55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783"),
    ("PBKDF2 with SHA-1, published", "password", "pbkdf2_sha1$4096$salt$SwB5AbdlSJq+rUnZJvch0GWkKcE="),
    // passlib 1.7: bcrypt.using(rounds=4).hash(…), with ident="2a", ident="2y".
    ("bcrypt 2b", PASSWORD, "$2b$04$abcdefghijklmnopqrstuuqREtd3VJD2QVZbuFskFSLk6eRIrQoOS"),
    ("bcrypt 2a", PASSWORD, "$2a$04$TFGSN5fJV7DjNj6IMGTI8.ZWTLFaqw/I5qmgIPiqhMX4Fr1M8ZgxO"),
    ("bcrypt 2y", PASSWORD, "$2y$04$08pwA6ABMZInmGQwyrXEseIJmjioEUj/i9LgjzuTSdqkpGhsJ3rPK"),
    ("bcrypt of more than ASCII", "pässwörd mit Umlauten", "$2b$04$i/aT6DkWEf.a9FqVTjwC3eyNPeKdhZofm2aeO/if/2rxh7TK55Hxe"),
    // passlib 1.7: pbkdf2_sha1, pbkdf2_sha256, pbkdf2_sha512 .using(rounds=1000).hash(…), scrypt.using(rounds=10).hash(…).
    ("passlib's PBKDF2 with SHA-1", PASSWORD, "$pbkdf2$1000$JiSEUIrx3vtfqzVGyDmHMA$OG7xldKBPAJKspXnuiZfVpdnUAg"),
    ("passlib's PBKDF2 with SHA-256", PASSWORD, "$pbkdf2-sha256$1000$ZCyllDJGyFnrXcs5R0jpfQ$TjyUaEAhh9qtg3ymKbzEelCEUC6wK4h4jbDVAFB0TsA"),
    ("passlib's PBKDF2 with SHA-512", PASSWORD, "$pbkdf2-sha512$1000$cc651xpjzHlvDSGklPJeCw$.Bt4KDD6FGgMMD1EyZ9JGjTJWvBjXDkoDHE/yxTq39wFIJi1VQYEXGDzxWzxhsmhTVGOrAysTAEJK/QA1xvgSw"),
    ("passlib's scrypt", PASSWORD, "$scrypt$ln=10,r=8,p=1$FqL0fs9ZqxXCGGOMkfL+Xw$CukvAwTLAI9RxqkZWbyhsnf+h2DnrtGfEcrNiYVlcGk"),
    // Python's hashlib.pbkdf2_hmac and hashlib.scrypt with b"saltsaltsaltsalt", put in the PHC string format.
    ("PHC's PBKDF2 with SHA-1", PASSWORD, "$pbkdf2-sha1$i=1000,l=20$c2FsdHNhbHRzYWx0c2FsdA$NcA2jyIs3HUlQRwFRhBCuXxEFJk"),
    ("PHC's PBKDF2 with SHA-256", PASSWORD, "$pbkdf2-sha256$i=1000,l=32$c2FsdHNhbHRzYWx0c2FsdA$Cf9xjlisAEzRbMZsosxST/5+wkpfUV6uoqiZkYtP6iQ"),
    ("PHC's PBKDF2 with SHA-512", PASSWORD, "$pbkdf2-sha512$i=1000,l=64$c2FsdHNhbHRzYWx0c2FsdA$lYhPheApeiwq3tKG8A+KHC4iQ8mmHXFAKab1ywrJ5QhG73jAKAyVeLsbqTYH/KNRnW0OYbntj3FPNcXf3GKcRg"),
    ("PHC's scrypt", PASSWORD, "$scrypt$ln=10,r=8,p=2$c2FsdHNhbHRzYWx0c2FsdA$x7s26qK5a5UE1Qu/WZ5xwbOo1f/G8lZSqQ2aPGM4V04"),
    // Django 5.2: its hashers with lower costs, encode(…, "saltsaltsalt").
    ("Django's PBKDF2", PASSWORD, "pbkdf2_sha256$1000$41edvuNmmiM3$SiQ8URNHGzxaoN9M8UfIvWsi424r9D4IoY+1paauDeI="),
    ("Django's PBKDF2 with SHA-1", PASSWORD, "pbkdf2_sha1$1000$vQXjjkN9AkLv$KdLaCBOGnRvTIRzOBA8XpAFRU3A="),
    ("Django's scrypt", PASSWORD, "scrypt$1024$saltsaltsalt$8$5$8q/xo8InyoCGNRnHwzT2rxpW0fOFSD9jeN+Z1lOeIYtPfxMO1hfMOFnitRHyW6oZZ/PP7lWFFU/rx3xziRueaA=="),
    ("Django's bcrypt", PASSWORD, "bcrypt$$2b$04$6r.77wPUUb7ipthl75gMB.9C1y2DxnYZU8an.oxV821UKvcQTtXqG"),
    ("Django's Argon2", PASSWORD, "argon2$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0$IFTPU2T57OfS1UCuRGHB/rWveuBJh10XCxhj9AvQtiM"),
    // Werkzeug 3: generate_password_hash(…, "scrypt:1024:8:1") and "pbkdf2:sha256:1000".
    ("Werkzeug's scrypt", PASSWORD, "scrypt:1024:8:1$dWyeEe4boONdhMOr$48d149ff0cd4122af23ce6bbfe14b43b94f430e169accb02de7a210d7303425dd977d78406289b44d96bcf11d99b600b6574ce97ac5af069168973beac9e0500"),
    ("Werkzeug's PBKDF2", PASSWORD, "pbkdf2:sha256:1000$xE47PrK7t1g2KgoX$fee6ec32bc613fce8be2ae3604c05f64830488adb266becca57581c20133c229"),
    // argon2-cffi: hash_secret(…, b"saltsaltsaltsalt", 2, 64, 2, 32, type, version). The first version wrote no number.
    ("Argon2i of the first version", PASSWORD, "$argon2i$m=64,t=2,p=2$c2FsdHNhbHRzYWx0c2FsdA$0iba5IqRAzDkSOYfXT4cpFltSLB3ScXr++k/9uA6c9U"),
    ("Argon2d of the first version", PASSWORD, "$argon2d$v=16$m=64,t=2,p=2$c2FsdHNhbHRzYWx0c2FsdA$wZuFfXHmD7XMM2ERKousvdwPLEt2EpFmPhttUgwaPZE"),
    ("Argon2id of the first version", PASSWORD, "$argon2id$v=16$m=64,t=2,p=2$c2FsdHNhbHRzYWx0c2FsdA$O+4KECwV13TE8eHEmYOYb+ibJWOeSYWlfPRX5bETfHE"),
    ("Argon2i", PASSWORD, "$argon2i$v=19$m=64,t=2,p=2$c2FsdHNhbHRzYWx0c2FsdA$cBISXsi3yMMte8sUix0IAtpSW9CJ7EjpS6teHp6cgQ8"),
    ("Argon2id of another cost", PASSWORD, "$argon2id$v=19$m=64,t=2,p=2$c2FsdHNhbHRzYWx0c2FsdA$H0vYMwvXFu8ShtX0dYqD5TyZWyl0mTWzYxZodBSQgAw"),
];

fn pool() -> HashPool {
    let cost = Cost { memory_kib: 64, iterations: 1, parallelism: 1 };
    HashPool::new(cost, 1, 8, Duration::from_secs(60)).unwrap()
}

#[tokio::test]
async fn a_hash_of_another_program_is_checked_and_called_outdated() {
    let pool = pool();
    for (kind, password, hash) in HASHES {
        assert_eq!(check(hash), Ok(()), "{kind}");
        let right = pool.verify(password, Some(hash)).await.unwrap();
        assert_eq!(right, Verdict { right: true, outdated: true }, "{kind}");
        for wrong in ["", &password[1..], &password.chars().rev().skip(1).collect::<String>(), &format!("x{password}")]
        {
            assert!(!pool.verify(wrong, Some(hash)).await.unwrap().right, "{kind}: {wrong}");
        }
    }
}

/// SEC-113 is about our own hashes. An imported one knows no more of a password than its program has put into it.
#[tokio::test]
async fn bcrypt_reads_72_bytes_as_every_bcrypt_does() {
    // passlib: bcrypt.using(rounds=4).hash("x" * 72)
    let hash = "$2b$04$fRia7l6Gr176GPA3DutYpu/Vb1gYZWfgXubCrdEeYyWzaOFutjgKy";
    for (length, right) in [(71, false), (72, true), (73, true), (200, true)] {
        let verdict = pool().verify(&"x".repeat(length), Some(hash)).await.unwrap();
        assert_eq!(verdict.right, right, "{length}");
    }
}

#[test]
fn a_hash_is_not_taken_when() {
    use Unusable::{Broken, TooDear, Unknown};
    let (salt, hash) = ("c2FsdHNhbHRzYWx0c2FsdA", "Cf9xjlisAEzRbMZsosxST/5+wkpfUV6uoqiZkYtP6iQ");
    for (reason, text, why) in [
        ("it is empty", String::new(), Unknown),
        ("it is a password", PASSWORD.into(), Unknown),
        ("it is MD5 in hexadecimal", "5f4dcc3b5aa765d61d8327deb882cf99".into(), Unknown),
        ("it is MD5-crypt", "$1$salt$qJH7.N4xYta3aEG/dfqo/0".into(), Unknown),
        ("it is SHA-512-crypt", format!("$6$saltsalt${hash}"), Unknown),
        ("it is of a broken bcrypt", "$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW".into(), Unknown),
        ("its digest is unknown", format!("$pbkdf2-md5$i=1,l=32${salt}${hash}"), Unknown),
        ("bcrypt's is cut", "$2b$04$abcdefghijklmnopqrstuuqREtd3VJD2QVZbuFskFSLk6eRIrQoO".into(), Broken),
        ("bcrypt's cost is none", "$2b$3$abcdefghijklmnopqrstuuqREtd3VJD2QVZbuFskFSLk6eRIrQoOS".into(), Broken),
        ("bcrypt's is not ASCII", format!("$2b$04${}é", "a".repeat(51)), Broken),
        ("bcrypt's takes a minute", "$2b$20$abcdefghijklmnopqrstuuqREtd3VJD2QVZbuFskFSLk6eRIrQoOS".into(), TooDear),
        ("PBKDF2 has no rounds", format!("$pbkdf2-sha256$i=0,l=32${salt}${hash}"), Broken),
        ("PBKDF2 has rounds with a sign", format!("$pbkdf2-sha256$i=+9,l=32${salt}${hash}"), Broken),
        ("PBKDF2's length is another", format!("$pbkdf2-sha256$i=9,l=31${salt}${hash}"), Broken),
        ("any password would fit", format!("$pbkdf2-sha256$i=9${salt}$"), Broken),
        ("many passwords would fit", format!("$pbkdf2-sha256$i=9${salt}$AAAA"), Broken),
        ("PBKDF2 takes minutes", format!("$pbkdf2-sha256$i=100000000,l=32${salt}${hash}"), TooDear),
        ("PBKDF2 takes years", format!("$pbkdf2-sha256$i=99999999999,l=32${salt}${hash}"), TooDear),
        ("PBKDF2 makes two blocks of many rounds", format!("pbkdf2_sha256$9000000$s${hash}AAAAAAAAAAAAAAAA"), TooDear),
        ("scrypt takes a gigabyte", format!("$scrypt$ln=20,r=8,p=1${salt}${hash}"), TooDear),
        ("scrypt takes more than there is", format!("$scrypt$ln=63,r=4294967295,p=9${salt}${hash}"), TooDear),
        ("scrypt takes more than can be said", format!("$scrypt$ln=99,r=8,p=1${salt}${hash}"), TooDear),
        ("scrypt has many lanes", format!("$scrypt$ln=15,r=8,p=1000${salt}${hash}"), TooDear),
        ("scrypt's cost is no power of two", format!("scrypt$1000$salt$8$1${hash}"), Broken),
        ("Argon2 takes a gigabyte", format!("$argon2id$v=19$m=1048576,t=1,p=1${salt}${hash}"), TooDear),
        ("Argon2 takes minutes", format!("$argon2id$v=19$m=262144,t=90,p=1${salt}${hash}"), TooDear),
        ("Argon2's version is to come", format!("$argon2id$v=20$m=64,t=1,p=1${salt}${hash}"), Broken),
        ("Argon2's kind is to come", format!("$argon2x$v=19$m=64,t=1,p=1${salt}${hash}"), Broken),
        ("Argon2 had a key", format!("$argon2id$v=19$m=64,t=1,p=1,keyid=aGVsbG8${salt}${hash}"), Broken),
        ("Argon2's hash is missing", format!("$argon2id$v=19$m=64,t=1,p=1${salt}"), Broken),
    ] {
        assert_eq!(check(&text), Err(why), "{reason}: {text}");
    }
}

/// SEC-117, SEC-158: what cannot be used costs what an unknown name costs.
#[tokio::test]
async fn an_unusable_hash_costs_as_much_as_none() {
    let pool = pool();
    for hash in [None, Some("$2b$31$abcdefghijklmnopqrstuuqREtd3VJD2QVZbuFskFSLk6eRIrQoOS"), Some("nonsense")] {
        let before = pool.blocks_filled();
        assert!(!pool.verify(PASSWORD, hash).await.unwrap().right);
        assert_eq!(pool.blocks_filled() - before, 64, "{hash:?}");
    }
}
