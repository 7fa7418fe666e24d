use super::*;
use crate::encoding::{Reader, Writer};

/// A seeded source of bytes.
fn seeded(seed: u64) -> impl FnMut(&mut [u8]) {
    let mut state = seed | 1;
    move |bytes: &mut [u8]| {
        for byte in bytes {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *byte = state.to_le_bytes()[3];
        }
    }
}

/// What two runs with these secrets have sent, in order; and how each side ended.
struct Run {
    tlvs: [Tlv; 4],
    /// Each side's state before the message that it gets.
    before: [Smp; 4],
    ends: [bool; 2],
}

fn run(a: &[u8; 32], b: &[u8; 32], question: Option<&str>) -> Run {
    let mut random = seeded(7);
    let (mut alice, mut bob) = (Smp::default(), Smp::default());
    let one = alice.start(a, question, &mut random).expect("idle");
    let bob_before_one = bob.clone();
    let asked = bob.handle(&one, &mut random).expect("message 1 is good");
    assert_eq!(
        asked,
        SmpStep::Asked {
            question: question.map(str::to_owned)
        }
    );
    assert_eq!(bob.question(), question);
    let two = bob.answer(b, &mut random).expect("asked");
    let alice_before_two = alice.clone();
    let Ok(SmpStep::Reply(three)) = alice.handle(&two, &mut random) else {
        panic!("message 2 is good")
    };
    let bob_before_three = bob.clone();
    let Ok(SmpStep::Done {
        reply: Some(four),
        same: bob_same,
    }) = bob.handle(&three, &mut random)
    else {
        panic!("message 3 is good")
    };
    let alice_before_four = alice.clone();
    let Ok(SmpStep::Done {
        reply: None,
        same: alice_same,
    }) = alice.handle(&four, &mut random)
    else {
        panic!("message 4 is good")
    };
    assert!(alice.is_idle() && bob.is_idle());
    Run {
        tlvs: [one, two, three, four],
        before: [
            bob_before_one,
            alice_before_two,
            bob_before_three,
            alice_before_four,
        ],
        ends: [alice_same, bob_same],
    }
}

/// The numbers of a record without a question.
fn numbers(tlv: &Tlv) -> Vec<Vec<u8>> {
    let mut reader = Reader::new(&tlv.value);
    let count = reader.u32().expect("a count");
    (0..count)
        .map(|_| reader.mpi().expect("a number").to_vec())
        .collect()
}

fn record(kind: u16, numbers: &[Vec<u8>]) -> Tlv {
    let mut writer = Writer::new();
    writer.u32(u32::try_from(numbers.len()).expect("few"));
    for number in numbers {
        writer.mpi(number);
    }
    Tlv::new(kind, writer.finish())
}

#[test]
fn the_same_secret_on_both_sides_succeeds() {
    assert_eq!(run(&[5; 32], &[5; 32], None).ends, [true, true]);
    let asked = run(&[5; 32], &[5; 32], Some("Which café?"));
    assert_eq!(asked.ends, [true, true]);
    assert_eq!(asked.tlvs.map(|tlv| tlv.kind), [7, 3, 4, 5]);
}

#[test]
fn different_secrets_fail_on_both_sides() {
    assert_eq!(run(&[5; 32], &[6; 32], None).ends, [false, false]);
}

#[test]
fn the_secret_depends_on_who_started_on_both_keys_and_on_the_session() {
    let (a, b) = (
        Fingerprint::from_bytes([1; 20]),
        Fingerprint::from_bytes([2; 20]),
    );
    let base = secret(&a, &b, &[3; 8], b"tea");
    assert_ne!(base, secret(&b, &a, &[3; 8], b"tea"));
    assert_ne!(base, secret(&a, &b, &[4; 8], b"tea"));
    assert_ne!(base, secret(&a, &b, &[3; 8], b"Tea"));
}

/// Positions of group elements and of exponents in each message.
const ELEMENTS: [&[usize]; 4] = [&[0, 3], &[0, 3, 6, 7], &[0, 1, 5], &[0]];
const EXPONENTS: [&[usize]; 4] = [&[2, 5], &[2, 5, 9, 10], &[3, 4, 7], &[2]];

#[test]
fn s_otr_09_elements_and_exponents_outside_their_range_end_the_run() {
    let run = run(&[5; 32], &[5; 32], None);
    let p = crate::group::tests::modulus_bytes();
    let q = crate::group::tests::order_bytes();
    let near = |number: &[u8], by: i16| {
        let mut out = number.to_vec();
        let last = out.last_mut().expect("not empty");
        *last = u8::try_from(i16::from(*last) + by).unwrap_or(0);
        out
    };
    // p ends in ff: one more is the byte before it plus one, eight times over.
    let mut p_plus_1 = p.clone();
    for byte in p_plus_1.iter_mut().rev() {
        let (sum, carry) = byte.overflowing_add(1);
        *byte = sum;
        if !carry {
            break;
        }
    }
    let elements = [vec![], vec![1], near(&p, -1), p.clone(), p_plus_1];
    let mut q_plus_1 = q.clone();
    for byte in q_plus_1.iter_mut().rev() {
        let (sum, carry) = byte.overflowing_add(1);
        *byte = sum;
        if !carry {
            break;
        }
    }
    let exponents = [vec![], q.clone(), q_plus_1, p.clone(), vec![0xff; 200]];
    let mut tried = 0;
    for (index, tlv) in run.tlvs.iter().enumerate() {
        for (positions, values) in [(ELEMENTS[index], &elements), (EXPONENTS[index], &exponents)] {
            for position in positions {
                for value in values {
                    let mut changed = numbers(tlv);
                    changed[*position] = value.clone();
                    let mut smp = run.before[index].clone();
                    let result = smp.handle(&record(tlv.kind, &changed), &mut seeded(3));
                    assert_eq!(
                        result,
                        Err(SmpError::OutOfRange),
                        "message {index}, number {position}, {value:02x?}"
                    );
                    assert!(smp.is_idle());
                    tried += 1;
                }
            }
        }
    }
    assert_eq!(tried, 100);
}

#[test]
fn s_otr_09_any_number_changed_within_its_range_breaks_a_proof() {
    let run = run(&[5; 32], &[5; 32], None);
    for (index, tlv) in run.tlvs.iter().enumerate() {
        for position in 0..numbers(tlv).len() {
            let mut changed = numbers(tlv);
            changed[position] = vec![0x11; 32];
            let mut smp = run.before[index].clone();
            let result = smp.handle(&record(tlv.kind, &changed), &mut seeded(3));
            assert_eq!(
                result,
                Err(SmpError::Proof),
                "message {index}, number {position}"
            );
            assert!(smp.is_idle());
        }
    }
}

#[test]
fn s_otr_09_a_message_in_the_wrong_state_ends_the_run() {
    let run = run(&[5; 32], &[5; 32], None);
    let mut states = run.before.to_vec();
    let mut asked = Smp::default();
    asked
        .handle(&run.tlvs[0], &mut seeded(3))
        .expect("message 1 is good");
    states.push(asked);
    for (at, state) in states.iter().enumerate() {
        for (index, tlv) in run.tlvs.iter().enumerate() {
            if index == at {
                continue;
            }
            let mut smp = state.clone();
            let result = smp.handle(tlv, &mut seeded(3));
            assert_eq!(result, Err(SmpError::NotDue), "state {at}, message {index}");
            assert!(smp.is_idle());
        }
    }
    assert_eq!(
        Smp::default().handle(&Tlv::new(1, vec![]), &mut seeded(3)),
        Err(SmpError::NotDue)
    );
}

#[test]
fn pieces_of_the_peer_sent_back_to_it_are_refused() {
    // Bob's own coordinates returned in message 3.
    let run = run(&[5; 32], &[5; 32], None);
    let two = numbers(&run.tlvs[1]);
    let mut three = numbers(&run.tlvs[2]);
    three[0].clone_from(&two[6]);
    let mut bob = run.before[2].clone();
    let result = bob.handle(&record(TLV_SMP_3, &three), &mut seeded(3));
    assert_eq!(result, Err(SmpError::OutOfRange));
}

#[test]
fn calls_at_the_wrong_time_are_refused_and_change_nothing() {
    let mut random = seeded(9);
    let mut alice = Smp::default();
    assert_eq!(alice.answer(&[5; 32], &mut random), Err(SmpError::NotDue));
    alice.start(&[5; 32], None, &mut random).expect("idle");
    assert_eq!(
        alice.start(&[5; 32], None, &mut random),
        Err(SmpError::NotDue)
    );
    assert!(!alice.is_idle());
    assert_eq!(alice.abort().kind, TLV_SMP_ABORT);
    assert!(alice.is_idle());
    let long = "?".repeat(MAX_QUESTION + 1);
    for question in [long.as_str(), "a\0b"] {
        assert_eq!(
            alice.start(&[5; 32], Some(question), &mut random),
            Err(SmpError::Malformed)
        );
    }
    assert_eq!(
        alice.handle(&Tlv::new(TLV_SMP_ABORT, vec![]), &mut random),
        Ok(SmpStep::Aborted)
    );
}

#[test]
fn a_run_survives_the_store() {
    let run = run(&[5; 32], &[5; 32], None);
    for (index, state) in run.before.iter().enumerate() {
        let mut again = Smp::from_bytes(&state.to_bytes()).expect("it was just written");
        assert!(again.handle(&run.tlvs[index], &mut seeded(3)).is_ok());
        let written = again.to_bytes();
        let read = Smp::from_bytes(&written).expect("it was just written");
        assert_eq!(read.to_bytes(), written);
    }
}

proptest::proptest! {
    #[test]
    fn garbage_never_panics(
        kind in 2_u16..8,
        at in 0_usize..4,
        cut in 0_usize..900,
        bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..80),
    ) {
        static RUN: std::sync::OnceLock<Run> = std::sync::OnceLock::new();
        let run = RUN.get_or_init(|| run(&[5; 32], &[5; 32], None));
        let _ = run.before[at].clone().handle(&Tlv::new(kind, bytes.clone()), &mut seeded(3));
        let good = &run.tlvs[at];
        if cut < good.value.len() {
            let mut cut_short = good.value[..cut].to_vec();
            cut_short.extend_from_slice(&bytes);
            let tlv = Tlv::new(good.kind, cut_short);
            proptest::prop_assert!(run.before[at].clone().handle(&tlv, &mut seeded(3)).is_err());
        }
        let _ = Smp::from_bytes(&bytes);
    }
}
