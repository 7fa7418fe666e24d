use super::*;

fn counter() -> impl FnMut(&mut [u8]) {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    move |bytes: &mut [u8]| {
        for byte in bytes {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *byte = state.to_le_bytes()[3];
        }
    }
}

fn mpi(number: U1536) -> Vec<u8> {
    number.to_be_bytes().as_ref().to_vec()
}

#[test]
fn the_modulus_is_a_safe_prime_and_two_has_order_q() {
    let (p, q) = (modulus(), order());
    assert_eq!(q.shl_vartime(1).wrapping_add(&U1536::ONE), p);
    let three = FieldElement::new(&U1536::from_u8(3));
    assert_eq!(
        three.pow(&p.wrapping_sub(&U1536::ONE)).retrieve(),
        U1536::ONE
    );
    let three = Exponent::new(&U1536::from_u8(3));
    assert_eq!(
        three.pow(&q.wrapping_sub(&U1536::ONE)).retrieve(),
        U1536::ONE
    );
    assert_eq!(
        FieldElement::new(&U1536::from_u8(2)).pow(&q).retrieve(),
        U1536::ONE
    );
    // RFC 3526, section 2: 2^1536 - 2^1472 - 1 + 2^64 * { [2^1406 pi] + 741804 }.
    assert!(MODULUS.starts_with("FFFFFFFFFFFFFFFFC90FDAA22168C234"));
    assert!(MODULUS.ends_with("CA237327FFFFFFFFFFFFFFFF"));
}

#[test]
fn s_otr_10_an_element_is_from_2_to_p_minus_2() {
    let p = modulus();
    let (one, two) = (U1536::ONE, U1536::from_u8(2));
    for bad in [
        U1536::ZERO,
        one,
        p.wrapping_sub(&one),
        p,
        p.wrapping_add(&one),
        U1536::MAX,
    ] {
        assert_eq!(Element::from_mpi(&mpi(bad)), Err(OutOfRange));
    }
    for good in [two, p.wrapping_sub(&two)] {
        assert_eq!(Element::from_mpi(&mpi(good)), Ok(Element(good)));
    }
    assert_eq!(Element::from_mpi(&[]), Err(OutOfRange));
    assert_eq!(Element::from_mpi(&[1; 193]), Err(OutOfRange));
}

#[test]
fn a_scalar_is_from_1_to_q_minus_1() {
    let q = order();
    assert!(Scalar::from_mpi(&[]).is_err());
    assert!(Scalar::from_mpi(&mpi(q)).is_err());
    assert!(Scalar::from_mpi(&mpi(q.wrapping_add(&U1536::ONE))).is_err());
    assert!(Scalar::from_mpi(&[1]).is_ok());
    assert!(Scalar::from_mpi(&mpi(q.wrapping_sub(&U1536::ONE))).is_ok());
}

#[test]
fn both_sides_compute_the_same_secret() {
    let mut random = counter();
    let a = DhKeypair::generate(&mut random);
    let b = DhKeypair::generate(&mut random);
    assert_eq!(a.shared(&b.public), b.shared(&a.public));
    let again = DhKeypair::from_bytes(a.to_bytes().as_slice()).expect("it was just written");
    assert_eq!(again.public, a.public);
    assert!(DhKeypair::from_bytes(&[1; 39]).is_err());
}

#[test]
fn products_of_powers_agree_with_powers() {
    let mut random = counter();
    let (x, y) = (Scalar::random(&mut random), Scalar::random(&mut random));
    let h = Element::GENERATOR.pow(&Scalar::random(&mut random));
    let both = Element::GENERATOR.pow_mul(&x, &h, &y);
    assert_eq!(both, Element::GENERATOR.pow(&x).mul(&h.pow(&y)));
    assert_eq!(both.div(&h.pow(&y)), Element::GENERATOR.pow(&x));
    let hash = [0xa5; 32];
    assert_eq!(
        h.pow_mul_short(&x, &both, &hash),
        h.pow(&x).mul(&both.pow(&Scalar::from_hash(&hash)))
    );
}

/// *p*, big-endian.
pub(crate) fn modulus_bytes() -> Vec<u8> {
    mpi(modulus())
}

/// *q*, big-endian.
pub(crate) fn order_bytes() -> Vec<u8> {
    mpi(order())
}
