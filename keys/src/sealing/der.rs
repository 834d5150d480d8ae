//! The little ASN.1 that keys need: PKCS#1 (RFC 8017 appendix A) in and out of PKCS#8 (RFC 5208).

use x509_cert::der::asn1::{AnyRef, OctetStringRef, UintRef};
use x509_cert::der::{Decode, Reader, SliceReader};
use zeroize::Zeroizing;

/// rsaEncryption (1.2.840.113549.1.1.1) with its NULL parameters, as an AlgorithmIdentifier.
const RSA_ENCRYPTION: [u8; 15] = [
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];

/// The modulus and exponent of a PKCS#1 RSAPublicKey, each big endian without leading zeros.
pub(super) fn public_key_parts(pkcs1: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut reader = SliceReader::new(pkcs1).ok()?;
    let sequence: AnyRef<'_> = reader.decode().ok()?;
    reader.finish().ok()?;
    let mut fields = SliceReader::new(sequence.value()).ok()?;
    let modulus = UintRef::decode(&mut fields).ok()?;
    let exponent = UintRef::decode(&mut fields).ok()?;
    Some((modulus.as_bytes().to_vec(), exponent.as_bytes().to_vec()))
}

/// The length in bits of a PKCS#1 RSAPrivateKey's modulus.
pub(super) fn private_key_bits(pkcs1: &[u8]) -> Option<usize> {
    let sequence = AnyRef::from_der(pkcs1).ok()?;
    let mut fields = SliceReader::new(sequence.value()).ok()?;
    let _version = UintRef::decode(&mut fields).ok()?;
    let modulus = UintRef::decode(&mut fields).ok()?;
    Some(bits(modulus.as_bytes()))
}

/// The length in bits of a big-endian number without leading zeros.
pub(super) fn bits(number: &[u8]) -> usize {
    let leading = number
        .first()
        .map_or(0, |byte| byte.leading_zeros() as usize);
    number.len() * 8 - leading
}

/// The key inside a PKCS#8 PrivateKeyInfo, and whether it is an RSA key. Returns `None` if it is malformed.
pub(super) fn unwrap_pkcs8(pkcs8: &[u8]) -> Option<(bool, Zeroizing<Vec<u8>>)> {
    let sequence = AnyRef::from_der(pkcs8).ok()?;
    let mut fields = SliceReader::new(sequence.value()).ok()?;
    let _version = UintRef::decode(&mut fields).ok()?;
    let algorithm: AnyRef<'_> = fields.decode().ok()?;
    let key: &OctetStringRef = fields.decode().ok()?;
    let is_rsa = algorithm.value().starts_with(&RSA_ENCRYPTION[2..13]);
    Some((is_rsa, Zeroizing::new(key.as_bytes().to_vec())))
}

/// Puts a PKCS#1 RSAPrivateKey into a PKCS#8 envelope.
pub(super) fn wrap_pkcs1(pkcs1: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut content = Zeroizing::new(Vec::with_capacity(pkcs1.len() + 32));
    content.extend_from_slice(&[0x02, 0x01, 0x00]);
    content.extend_from_slice(&RSA_ENCRYPTION);
    push_header(&mut content, 0x04, pkcs1.len());
    content.extend_from_slice(pkcs1);
    let mut out = Zeroizing::new(Vec::with_capacity(content.len() + 8));
    push_header(&mut out, 0x30, content.len());
    out.extend_from_slice(&content);
    out
}

fn push_header(out: &mut Vec<u8>, tag: u8, length: usize) {
    out.push(tag);
    let bytes = length.to_be_bytes();
    let significant = &bytes[length.leading_zeros() as usize / 8..];
    match significant {
        [short] if *short < 0x80 => out.push(*short),
        [] => out.push(0),
        long => {
            out.push(0x80 | long.len() as u8);
            out.extend_from_slice(long);
        }
    }
}
