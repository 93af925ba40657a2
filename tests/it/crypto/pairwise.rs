//! OpenID Connect Core §8.1.
use signet::crypto::pairwise::PairwiseKey;

#[test]
fn a_subject_is_stable_in_a_sector_different_between_sectors_and_leads_back_to_its_person() {
    let (one, other) = (PairwiseKey::from_bytes([1; 32]), PairwiseKey::from_bytes([2; 32]));
    let (ada, bob) = ([7; 16], [8; 16]);
    assert_eq!(one.subject(&ada), one.subject(&ada));
    assert_ne!(one.subject(&ada), one.subject(&bob));
    assert_ne!(one.subject(&ada), other.subject(&ada));
    assert_eq!(one.person(&one.subject(&ada)), Some(ada));
    assert_ne!(other.person(&one.subject(&ada)), Some(ada));
    for nonsense in ["", "ada", "00000000-0000-0000-0000-000000000000", "AAAAAAAAAAAAAAAAAAAAAAAA", "é"] {
        assert_eq!(one.person(nonsense), None, "{nonsense}");
    }
}
