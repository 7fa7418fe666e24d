//! The four messages: a count and that many MPIs, the first with an optional question before it.

use super::proof::{Coordinates, CoordinatesProof, EqualLogsProof, Hash, LogProof};
use super::{MAX_QUESTION, SmpError, TLV_SMP_1, TLV_SMP_1Q, TLV_SMP_2, TLV_SMP_3, TLV_SMP_4};
use crate::encoding::{Reader, Tlv, Writer};
use crate::group::{Element, Scalar};

/// One half of message 1 and 2: *g*^*x* and that its sender knows *x*.
#[derive(Clone)]
pub(super) struct Share {
    pub(super) power: Element,
    pub(super) proof: LogProof,
}

#[derive(Clone)]
pub(super) struct Message1 {
    pub(super) two: Share,
    pub(super) three: Share,
}

pub(super) struct Message2 {
    pub(super) two: Share,
    pub(super) three: Share,
    pub(super) coordinates: Coordinates,
    pub(super) proof: CoordinatesProof,
}

pub(super) struct Message3 {
    pub(super) coordinates: Coordinates,
    pub(super) proof: CoordinatesProof,
    pub(super) last: Last,
}

pub(super) struct Message4 {
    pub(super) last: Last,
}

/// The end of message 3 and 4: *R* and that it has the exponent of *g3*.
pub(super) struct Last {
    pub(super) power: Element,
    pub(super) proof: EqualLogsProof,
}

/// Reads the count, then numbers.
struct Numbers<'a>(Reader<'a>);

impl<'a> Numbers<'a> {
    fn new(bytes: &'a [u8], count: u32) -> Result<Self, SmpError> {
        let mut reader = Reader::new(bytes);
        if reader.u32()? == count {
            Ok(Self(reader))
        } else {
            Err(SmpError::Malformed)
        }
    }

    fn element(&mut self) -> Result<Element, SmpError> {
        Ok(Element::from_mpi(self.0.mpi()?)?)
    }

    fn scalar(&mut self) -> Result<Scalar, SmpError> {
        Ok(Scalar::from_mpi(self.0.mpi()?)?)
    }

    fn hash(&mut self) -> Result<Hash, SmpError> {
        let number = self.0.mpi()?;
        let mut hash = [0_u8; 32];
        let start = hash.len().checked_sub(number.len());
        let room = start.and_then(|start| hash.get_mut(start..));
        room.ok_or(SmpError::OutOfRange)?.copy_from_slice(number);
        Ok(hash)
    }

    fn share(&mut self) -> Result<Share, SmpError> {
        let power = self.element()?;
        let (c, d) = (self.hash()?, self.scalar()?);
        let proof = LogProof { c, d };
        Ok(Share { power, proof })
    }

    fn coordinates(&mut self) -> Result<(Coordinates, CoordinatesProof), SmpError> {
        let (p, q) = (self.element()?, self.element()?);
        let (c, d5, d6) = (self.hash()?, self.scalar()?, self.scalar()?);
        Ok((Coordinates { p, q }, CoordinatesProof { c, d5, d6 }))
    }

    fn last(&mut self) -> Result<Last, SmpError> {
        let power = self.element()?;
        let (c, d) = (self.hash()?, self.scalar()?);
        let proof = EqualLogsProof { c, d };
        Ok(Last { power, proof })
    }

    /// Nothing may follow the numbers.
    fn end(self) -> Result<(), SmpError> {
        Ok(self.0.finish()?)
    }
}

impl Share {
    fn write(&self, writer: &mut Writer) {
        writer
            .mpi(&self.power.to_mpi())
            .mpi(&self.proof.c)
            .mpi(&self.proof.d.to_mpi());
    }
}

fn write_coordinates(writer: &mut Writer, pair: &Coordinates, proof: &CoordinatesProof) {
    writer
        .mpi(&pair.p.to_mpi())
        .mpi(&pair.q.to_mpi())
        .mpi(&proof.c)
        .mpi(&proof.d5.to_mpi())
        .mpi(&proof.d6.to_mpi());
}

impl Last {
    fn write(&self, writer: &mut Writer) {
        writer
            .mpi(&self.power.to_mpi())
            .mpi(&self.proof.c)
            .mpi(&self.proof.d.to_mpi());
    }
}

impl Message1 {
    const NUMBERS: u32 = 6;

    pub(super) fn read(tlv: &Tlv) -> Result<(Self, Option<String>), SmpError> {
        let mut question = None;
        let mut bytes = tlv.value.as_slice();
        if tlv.kind == TLV_SMP_1Q {
            let end = bytes.iter().position(|byte| *byte == 0);
            let (text, rest) = bytes.split_at(end.ok_or(SmpError::Malformed)?);
            if text.len() > MAX_QUESTION {
                return Err(SmpError::Malformed);
            }
            question = Some(String::from_utf8_lossy(text).into_owned());
            bytes = rest.get(1..).unwrap_or_default();
        }
        Ok((Self::numbers(bytes)?, question))
    }

    pub(super) fn numbers(bytes: &[u8]) -> Result<Self, SmpError> {
        let mut numbers = Numbers::new(bytes, Self::NUMBERS)?;
        let (two, three) = (numbers.share()?, numbers.share()?);
        numbers.end()?;
        Ok(Self { two, three })
    }

    pub(super) fn write_numbers(&self, writer: &mut Writer) {
        writer.u32(Self::NUMBERS);
        self.two.write(writer);
        self.three.write(writer);
    }

    pub(super) fn write(&self, question: Option<&str>) -> Tlv {
        let mut writer = Writer::new();
        if let Some(question) = question {
            writer.bytes(question.as_bytes()).u8(0);
        }
        self.write_numbers(&mut writer);
        let kind = if question.is_some() {
            TLV_SMP_1Q
        } else {
            TLV_SMP_1
        };
        Tlv::new(kind, writer.finish())
    }
}

impl Message2 {
    pub(super) fn read(tlv: &Tlv) -> Result<Self, SmpError> {
        let mut numbers = Numbers::new(&tlv.value, 11)?;
        let (two, three) = (numbers.share()?, numbers.share()?);
        let (coordinates, proof) = numbers.coordinates()?;
        numbers.end()?;
        Ok(Self {
            two,
            three,
            coordinates,
            proof,
        })
    }

    pub(super) fn write(&self) -> Tlv {
        let mut writer = Writer::new();
        writer.u32(11);
        self.two.write(&mut writer);
        self.three.write(&mut writer);
        write_coordinates(&mut writer, &self.coordinates, &self.proof);
        Tlv::new(TLV_SMP_2, writer.finish())
    }
}

impl Message3 {
    pub(super) fn read(tlv: &Tlv) -> Result<Self, SmpError> {
        let mut numbers = Numbers::new(&tlv.value, 8)?;
        let (coordinates, proof) = numbers.coordinates()?;
        let last = numbers.last()?;
        numbers.end()?;
        Ok(Self {
            coordinates,
            proof,
            last,
        })
    }

    pub(super) fn write(&self) -> Tlv {
        let mut writer = Writer::new();
        writer.u32(8);
        write_coordinates(&mut writer, &self.coordinates, &self.proof);
        self.last.write(&mut writer);
        Tlv::new(TLV_SMP_3, writer.finish())
    }
}

impl Message4 {
    pub(super) fn read(tlv: &Tlv) -> Result<Self, SmpError> {
        let mut numbers = Numbers::new(&tlv.value, 3)?;
        let last = numbers.last()?;
        numbers.end()?;
        Ok(Self { last })
    }

    pub(super) fn write(&self) -> Tlv {
        let mut writer = Writer::new();
        writer.u32(3);
        self.last.write(&mut writer);
        Tlv::new(TLV_SMP_4, writer.finish())
    }
}
