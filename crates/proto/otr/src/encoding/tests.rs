use proptest::prelude::*;

use super::*;

#[test]
fn what_is_written_is_read() {
    let mut writer = Writer::new();
    writer.u8(1).u16(2).u32(3).data(b"four").mpi(&[0, 0, 5]);
    let bytes = writer.finish();
    let mut reader = Reader::new(&bytes);
    assert_eq!(reader.u8(), Ok(1));
    assert_eq!(reader.u16(), Ok(2));
    assert_eq!(reader.u32(), Ok(3));
    assert_eq!(reader.data(), Ok(&b"four"[..]));
    assert_eq!(reader.rest(), [0, 0, 0, 1, 5]);
    assert_eq!(reader.mpi(), Ok(&[5][..]));
    assert!(reader.finish().is_ok());
}

#[test]
fn s_otr_04_a_length_that_lies_is_refused_before_anything_is_allocated() {
    for length in [1_u32, 0x7fff_ffff, 0xffff_fffc, u32::MAX] {
        let bytes = length.to_be_bytes();
        assert_eq!(Reader::new(&bytes).data(), Err(DecodeError::Truncated));
        assert_eq!(Reader::new(&bytes).mpi(), Err(DecodeError::Truncated));
    }
    let mut writer = Writer::new();
    writer.data(&[1; MAX_MPI + 1]);
    assert_eq!(
        Reader::new(writer.as_slice()).mpi(),
        Err(DecodeError::TooLarge)
    );
}

#[test]
fn s_otr_04_base64_is_read_strictly() {
    for text in [
        "", "A", "AA", "AAA", "AB==", "AA==\n", "A A=", "====", "AA=A",
    ] {
        assert!(base64_decode(text).is_err(), "{text:?}");
    }
    assert_eq!(base64_decode("AAEC").map(|b| b.to_vec()), Ok(vec![0, 1, 2]));
    assert_eq!(base64_encode(&[0, 1, 2]), "AAEC");
}

#[test]
fn a_record_longer_than_its_length_field_is_not_written() {
    let mut writer = Writer::new();
    assert!(Tlv::new(1, vec![0; 65_536]).write(&mut writer).is_err());
    assert!(writer.as_slice().is_empty());
}

proptest! {
    #[test]
    fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..64), text in ".{0,40}") {
        let mut reader = Reader::new(&bytes);
        let _ = reader.clone().mpi();
        let _ = Tlv::read(&mut reader);
        let _ = reader.data();
        let _ = base64_decode(&text);
    }
}
