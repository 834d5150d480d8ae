use super::*;

#[test]
fn a_resource_id_is_a_path_and_nothing_else() {
    for (text, id) in [
        ("projects/p/locations/global/keyRings/r/cryptoKeys/k", None),
        (
            " projects/example.com:p-1/locations/europe-west4/keyRings/R_1/cryptoKeys/k-2 ",
            Some("projects/example.com:p-1/locations/europe-west4/keyRings/R_1/cryptoKeys/k-2"),
        ),
    ] {
        let key = GcpKey::parse(text).expect(text);
        assert_eq!(key.to_string(), id.unwrap_or(text));
        let again = (BACKEND.load)(&key.fields()).expect("its own fields");
        assert_eq!(again.to_string(), key.to_string());
    }
    for text in [
        "",
        "projects/p/locations/l/keyRings/r/cryptoKeys/",
        "projects/../locations/l/keyRings/r/cryptoKeys/k",
        "projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1",
        "/projects/p/locations/l/keyRings/r/cryptoKeys/k",
        "projects/p/locations/l/keyRings/r/cryptoKeys/k:decrypt?x=",
        "projects/p/locations/l/keyRings/r/cryptoKeys/k%2f",
        "projects/p/locations/l/keyRings/../cryptoKeys/k",
        "projects/p/locations/l/keyRings/r\n/cryptoKeys/k",
        "projects/p/locations/l/keyrings/r/cryptokeys/k",
        "https://cloudkms.googleapis.com/v1/projects/p/locations/l/keyRings/r/cryptoKeys/k",
    ] {
        assert!(GcpKey::parse(text).is_err(), "{text}");
    }
}
