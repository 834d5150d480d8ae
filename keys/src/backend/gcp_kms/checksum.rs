//! CRC-32C (RFC 3720, B.4), by which Google asks to check what goes over the network.

/// The checksum. Data keys are short: no table is worth its place.
pub(super) fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| match crc & 1 {
        1 => crc >> 1 ^ 0x82f6_3b78,
        _ => crc >> 1,
    };
    let of_byte = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), step);
    !bytes.iter().fold(!0, of_byte)
}

#[cfg(test)]
mod tests {
    use super::crc32c;

    #[test]
    fn examples_of_the_standard_come_out() {
        let ascending: Vec<u8> = (0..32).collect();
        for (bytes, expected) in [
            (&[0; 32][..], 0x8a91_36aa),
            (&[0xff; 32], 0x62a8_ab43),
            (&ascending, 0x46dd_794e),
            (b"123456789", 0xe306_9283),
            (b"", 0),
        ] {
            assert_eq!(crc32c(bytes), expected);
        }
    }
}
