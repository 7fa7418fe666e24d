//! What each side keeps between messages, and the step to the next.

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::SmpError;
use super::message::{Last, Message1, Message2, Message3, Message4, Share};
use super::proof::{Bases, Coordinates, EqualLogsProof, LogProof};
use crate::encoding::{Reader, Writer};
use crate::group::{Element, Scalar};
use crate::keypair::Random;

/// Where a run stands.
#[derive(Clone, Default)]
pub(super) enum State {
    #[default]
    Idle,
    Asked(Box<Asked>),
    Awaiting2(Box<Awaiting2>),
    Awaiting3(Box<Awaiting3>),
    Awaiting4(Box<Awaiting4>),
}

/// Message 1 came and was checked.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) question: Option<String>,
    message: Message1,
}

/// Message 1 was sent.
#[derive(Clone)]
pub(super) struct Awaiting2 {
    x: Scalar,
    a2: Scalar,
    a3: Scalar,
}

/// Message 2 was sent.
#[derive(Clone)]
pub(super) struct Awaiting3 {
    b3: Scalar,
    g3a: Element,
    bases: Bases,
    own: Coordinates,
}

/// Message 3 was sent.
#[derive(Clone)]
pub(super) struct Awaiting4 {
    a3: Scalar,
    g3b: Element,
    /// *Pa* / *Pb*.
    p: Element,
    /// *Qa* / *Qb*.
    q: Element,
}

fn share(version: u8, secret: &Scalar, random: Random<'_>) -> Share {
    Share {
        power: Element::GENERATOR.pow(secret),
        proof: LogProof::new(version, secret, random),
    }
}

/// A power the peer's element was raised to; 0, 1 and *p* − 1 give the secret away.
fn raise(element: &Element, secret: &Scalar) -> Result<Element, SmpError> {
    Ok(Element::from_mpi(&element.pow(secret).to_mpi())?)
}

/// *Pa* / *Pb* and *Qa* / *Qb*; neither may be 1 or *p* − 1.
fn quotients(a: &Coordinates, b: &Coordinates) -> Result<(Element, Element), SmpError> {
    let p = Element::from_mpi(&a.p.div(&b.p).to_mpi())?;
    let q = Element::from_mpi(&a.q.div(&b.q).to_mpi())?;
    Ok((p, q))
}

impl Asked {
    pub(super) fn check(message: Message1, question: Option<String>) -> Result<Self, SmpError> {
        message.two.proof.check(1, &message.two.power)?;
        message.three.proof.check(2, &message.three.power)?;
        Ok(Self { question, message })
    }
}

impl Awaiting2 {
    pub(super) fn start(secret: &[u8; 32], random: Random<'_>) -> (Self, Message1) {
        let (a2, a3) = (Scalar::random(random), Scalar::random(random));
        let message = Message1 {
            two: share(1, &a2, random),
            three: share(2, &a3, random),
        };
        let x = Scalar::from_hash(secret);
        (Self { x, a2, a3 }, message)
    }

    pub(super) fn step(
        &self,
        message: &Message2,
        random: Random<'_>,
    ) -> Result<(Awaiting4, Message3), SmpError> {
        message.two.proof.check(3, &message.two.power)?;
        message.three.proof.check(4, &message.three.power)?;
        let bases = Bases {
            g2: raise(&message.two.power, &self.a2)?,
            g3: raise(&message.three.power, &self.a3)?,
        };
        let peer = message.coordinates;
        peer.check(5, &bases, &message.proof)?;
        let (own, proof) = Coordinates::new(6, &bases, &self.x, random);
        own.differ(&peer)?;
        let (p, q) = quotients(&own, &peer)?;
        let last = Last {
            power: q.pow(&self.a3),
            proof: EqualLogsProof::new(7, &q, &self.a3, random),
        };
        let next = Awaiting4 {
            a3: self.a3.clone(),
            g3b: message.three.power,
            p,
            q,
        };
        let reply = Message3 {
            coordinates: own,
            proof,
            last,
        };
        Ok((next, reply))
    }
}

impl Awaiting3 {
    pub(super) fn start(
        asked: &Asked,
        secret: &[u8; 32],
        random: Random<'_>,
    ) -> Result<(Self, Message2), SmpError> {
        let (b2, b3) = (Scalar::random(random), Scalar::random(random));
        let y = Scalar::from_hash(secret);
        let (two, three) = (share(3, &b2, random), share(4, &b3, random));
        let bases = Bases {
            g2: raise(&asked.message.two.power, &b2)?,
            g3: raise(&asked.message.three.power, &b3)?,
        };
        let (own, proof) = Coordinates::new(5, &bases, &y, random);
        let next = Self {
            b3,
            g3a: asked.message.three.power,
            bases,
            own,
        };
        let message = Message2 {
            two,
            three,
            coordinates: own,
            proof,
        };
        Ok((next, message))
    }

    pub(super) fn step(
        &self,
        message: &Message3,
        random: Random<'_>,
    ) -> Result<(Message4, bool), SmpError> {
        let peer = message.coordinates;
        peer.differ(&self.own)?;
        peer.check(6, &self.bases, &message.proof)?;
        let (p, q) = quotients(&peer, &self.own)?;
        let ra = &message.last;
        ra.proof.check(7, &self.g3a, &q, &ra.power)?;
        let last = Last {
            power: q.pow(&self.b3),
            proof: EqualLogsProof::new(8, &q, &self.b3, random),
        };
        let same = bool::from(ra.power.pow(&self.b3).ct_eq(&p));
        Ok((Message4 { last }, same))
    }
}

impl Awaiting4 {
    pub(super) fn step(&self, message: &Message4) -> Result<bool, SmpError> {
        let rb = &message.last;
        rb.proof.check(8, &self.g3b, &self.q, &rb.power)?;
        Ok(bool::from(rb.power.pow(&self.a3).ct_eq(&self.p)))
    }
}

impl State {
    pub(super) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut writer = Writer::new();
        match self {
            Self::Idle => {
                writer.u8(0);
            }
            Self::Asked(asked) => {
                writer.u8(1).u8(u8::from(asked.question.is_some()));
                writer.data(asked.question.as_deref().unwrap_or_default().as_bytes());
                asked.message.write_numbers(&mut writer);
            }
            Self::Awaiting2(state) => {
                writer.u8(2);
                for scalar in [&state.x, &state.a2, &state.a3] {
                    writer.mpi(&scalar.to_mpi());
                }
            }
            Self::Awaiting3(state) => {
                writer.u8(3).mpi(&state.b3.to_mpi());
                let (bases, own) = (&state.bases, &state.own);
                for element in [&state.g3a, &bases.g2, &bases.g3, &own.p, &own.q] {
                    writer.mpi(&element.to_mpi());
                }
            }
            Self::Awaiting4(state) => {
                writer.u8(4).mpi(&state.a3.to_mpi());
                for element in [&state.g3b, &state.p, &state.q] {
                    writer.mpi(&element.to_mpi());
                }
            }
        }
        writer.finish()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, SmpError> {
        let mut reader = Reader::new(bytes);
        let state = match reader.u8()? {
            0 => Self::Idle,
            1 => {
                let given = reader.u8()? != 0;
                let text = String::from_utf8_lossy(reader.data()?).into_owned();
                let message = Message1::numbers(reader.rest())?;
                let question = given.then_some(text);
                return Ok(Self::Asked(Box::new(Asked { question, message })));
            }
            2 => Self::Awaiting2(Box::new(Awaiting2 {
                x: scalar(&mut reader)?,
                a2: scalar(&mut reader)?,
                a3: scalar(&mut reader)?,
            })),
            3 => Self::Awaiting3(Box::new(Awaiting3 {
                b3: scalar(&mut reader)?,
                g3a: element(&mut reader)?,
                bases: Bases {
                    g2: element(&mut reader)?,
                    g3: element(&mut reader)?,
                },
                own: Coordinates {
                    p: element(&mut reader)?,
                    q: element(&mut reader)?,
                },
            })),
            4 => Self::Awaiting4(Box::new(Awaiting4 {
                a3: scalar(&mut reader)?,
                g3b: element(&mut reader)?,
                p: element(&mut reader)?,
                q: element(&mut reader)?,
            })),
            _ => return Err(SmpError::Malformed),
        };
        reader.finish()?;
        Ok(state)
    }
}

fn scalar(reader: &mut Reader<'_>) -> Result<Scalar, SmpError> {
    Ok(Scalar::from_mpi(reader.mpi()?)?)
}

fn element(reader: &mut Reader<'_>) -> Result<Element, SmpError> {
    Ok(Element::from_mpi(reader.mpi()?)?)
}
