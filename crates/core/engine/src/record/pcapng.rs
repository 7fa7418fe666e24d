//! Capture files that network analysers open (pcapng, draft-ietf-opsawg-pcapng): each piece of a stream as if it had come
//! over TCP to port 5222 in the clear.
//!
//! The addresses are for documentation (RFC 5737): the real ones are nobody's business here.

use std::collections::BTreeMap;

use crate::io::LinkId;

const CLIENT: [u8; 4] = [192, 0, 2, 1];
const SERVER: [u8; 4] = [192, 0, 2, 2];
const XMPP: u16 = 5222;
/// The first of the ports for private use (RFC 6335 §6), and how many there are.
const PORTS: (u16, u64) = (49152, 16384);
/// The longest part of a piece in one packet, in bytes.
const SEGMENT: usize = 16 * 1024;

const SYN: u8 = 0x02;
const PUSH: u8 = 0x08;
const ACK: u8 = 0x10;
/// Never zero (RFC 1071); the room of the window does not matter.
const WINDOW: u16 = 65535;

/// What a file begins with: one section, one interface that carries Ethernet.
pub(crate) fn opening() -> Vec<u8> {
    let mut out = Vec::new();
    let mut section = Vec::new();
    section.extend(0x1A2B_3C4D_u32.to_le_bytes());
    section.extend(1_u16.to_le_bytes());
    section.extend(0_u16.to_le_bytes());
    section.extend(u64::MAX.to_le_bytes());
    block(&mut out, 0x0A0D_0D0A, &section);
    let mut interface = Vec::new();
    interface.extend(1_u16.to_le_bytes());
    interface.extend(0_u16.to_le_bytes());
    interface.extend(0_u32.to_le_bytes());
    block(&mut out, 1, &interface);
    out
}

/// The connections that were seen, with how many bytes went each way.
#[derive(Default)]
pub(crate) struct Flows(BTreeMap<LinkId, Flow>);

struct Flow {
    port: u16,
    client: u32,
    server: u32,
}

impl Flows {
    /// A connection ended.
    pub fn end(&mut self, link: LinkId) {
        self.0.remove(&link);
    }

    /// The packets of one piece; before the first of a connection, those with which TCP begins.
    pub fn packets(&mut self, link: LinkId, incoming: bool, unix_ms: i64, piece: &str) -> Vec<u8> {
        let mut out = Vec::new();
        let flow = self.0.entry(link).or_insert_with(|| {
            let port = PORTS.0 + u16::try_from(link.0 % PORTS.1).unwrap_or_default();
            let mut flow = Flow {
                port,
                client: 0,
                server: 0,
            };
            flow.packet(&mut out, false, SYN, unix_ms, &[]);
            flow.client = 1;
            flow.packet(&mut out, true, SYN | ACK, unix_ms, &[]);
            flow.server = 1;
            flow.packet(&mut out, false, ACK, unix_ms, &[]);
            flow
        });
        for part in piece.as_bytes().chunks(SEGMENT) {
            flow.packet(&mut out, incoming, PUSH | ACK, unix_ms, part);
            let count = if incoming {
                &mut flow.server
            } else {
                &mut flow.client
            };
            *count = count.wrapping_add(u32::try_from(part.len()).unwrap_or_default());
        }
        out
    }
}

impl Flow {
    fn packet(&self, out: &mut Vec<u8>, incoming: bool, flags: u8, unix_ms: i64, data: &[u8]) {
        let (from, to, ports, sequence, acknowledged) = if incoming {
            (SERVER, CLIENT, (XMPP, self.port), self.server, self.client)
        } else {
            (CLIENT, SERVER, (self.port, XMPP), self.client, self.server)
        };
        let acknowledged = if flags & ACK == 0 { 0 } else { acknowledged };

        let mut tcp = Vec::with_capacity(20 + data.len());
        tcp.extend(ports.0.to_be_bytes());
        tcp.extend(ports.1.to_be_bytes());
        tcp.extend(sequence.to_be_bytes());
        tcp.extend(acknowledged.to_be_bytes());
        tcp.extend([5 << 4, flags]);
        tcp.extend(WINDOW.to_be_bytes());
        tcp.extend([0; 4]);
        tcp.extend(data);
        let length = u16::try_from(tcp.len()).unwrap_or_default();
        let pseudo = [&from[..], &to, &[0, 6], &length.to_be_bytes(), &tcp].concat();
        put_checksum(&mut tcp, 16, &pseudo);

        let mut ip = Vec::with_capacity(20);
        ip.extend([0x45, 0]);
        ip.extend((length + 20).to_be_bytes());
        ip.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
        ip.extend(from);
        ip.extend(to);
        let header = ip.clone();
        put_checksum(&mut ip, 10, &header);

        let (source, target) = if incoming { (2, 1) } else { (1, 2) };
        let ethernet = [2, 0, 0, 0, 0, target, 2, 0, 0, 0, 0, source, 0x08, 0x00];
        let frame = [&ethernet[..], &ip, &tcp].concat();

        let microseconds = u64::try_from(unix_ms)
            .unwrap_or_default()
            .saturating_mul(1000);
        let length = u32::try_from(frame.len()).unwrap_or_default().to_le_bytes();
        let mut body = Vec::with_capacity(20 + frame.len());
        body.extend([0; 4]);
        body.extend(((microseconds >> 32) as u32).to_le_bytes());
        body.extend((microseconds as u32).to_le_bytes());
        body.extend(length);
        body.extend(length);
        body.extend(frame);
        block(out, 6, &body);
    }
}

/// A block: kind, length, body filled up to four bytes, length again.
fn block(out: &mut Vec<u8>, kind: u32, body: &[u8]) {
    let filled = body.len().next_multiple_of(4);
    let length = u32::try_from(12 + filled).unwrap_or_default().to_le_bytes();
    out.extend(kind.to_le_bytes());
    out.extend(length);
    out.extend(body);
    out.resize(out.len() + filled - body.len(), 0);
    out.extend(length);
}

/// The Internet checksum (RFC 1071) of `covered`, at a place of `header`.
fn put_checksum(header: &mut [u8], at: usize, covered: &[u8]) {
    let mut sum = 0_u32;
    for pair in covered.chunks(2) {
        let high = pair.first().copied().unwrap_or_default();
        let low = pair.get(1).copied().unwrap_or_default();
        sum += u32::from(u16::from_be_bytes([high, low]));
    }
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    let sum = !u16::try_from(sum).unwrap_or_default();
    if let Some(place) = header.get_mut(at..at + 2) {
        place.copy_from_slice(&sum.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kind and body of every block.
    fn blocks(mut bytes: &[u8]) -> Vec<(u32, Vec<u8>)> {
        let number = |bytes: &[u8]| u32::from_le_bytes(bytes[..4].try_into().expect("four"));
        let mut found = Vec::new();
        while !bytes.is_empty() {
            let length = number(&bytes[4..]) as usize;
            assert_eq!(length % 4, 0);
            assert_eq!(number(&bytes[length - 4..]) as usize, length);
            found.push((number(bytes), bytes[8..length - 4].to_vec()));
            bytes = &bytes[length..];
        }
        found
    }

    /// The frames of a capture: ports, sequence, acknowledgement, flags, data.
    fn frames(bytes: &[u8]) -> Vec<(u16, u32, u32, u8, Vec<u8>)> {
        let mut all = Vec::new();
        for (kind, body) in blocks(bytes) {
            assert_eq!(kind, 6);
            let length = u32::from_le_bytes(body[12..16].try_into().expect("four")) as usize;
            let frame = &body[20..20 + length];
            let (ip, tcp) = (&frame[14..34], &frame[34..]);
            let total = u16::from_be_bytes([ip[2], ip[3]]);
            assert_eq!(usize::from(total), length - 14);
            // A whole header sums up to nothing.
            let mut sum = [1, 1];
            put_checksum(&mut sum, 0, ip);
            assert_eq!(sum, [0, 0]);
            let number = |at: usize| u32::from_be_bytes(tcp[at..at + 4].try_into().expect("four"));
            let port = u16::from_be_bytes([tcp[0], tcp[1]]);
            all.push((port, number(4), number(8), tcp[13], tcp[20..].to_vec()));
        }
        all
    }

    #[test]
    fn a_file_begins_with_a_section_and_an_ethernet_interface() {
        let blocks = blocks(&opening());
        assert_eq!(blocks.len(), 2);
        assert_eq!((blocks[0].0, blocks[0].1.len()), (0x0A0D_0D0A, 16));
        assert_eq!(blocks[0].1[..4], [0x4D, 0x3C, 0x2B, 0x1A]);
        assert_eq!((blocks[1].0, blocks[1].1[..2].to_vec()), (1, vec![1, 0]));
    }

    #[test]
    fn pieces_follow_each_other_as_in_one_tcp_connection() {
        let mut flows = Flows::default();
        let link = LinkId(7);
        let mut bytes = flows.packets(link, false, 1_000, "<a/>");
        bytes.extend(flows.packets(link, true, 2_000, &"x".repeat(SEGMENT + 3)));
        bytes.extend(flows.packets(link, false, 3_000, "é"));
        let frames = frames(&bytes);
        let port = 49152 + 7;
        let head: Vec<_> = frames
            .iter()
            .map(|f| (f.0, f.1, f.2, f.3, f.4.len()))
            .collect();
        let large = u32::try_from(SEGMENT).expect("it fits");
        assert_eq!(
            head,
            [
                (port, 0, 0, SYN, 0),
                (XMPP, 0, 1, SYN | ACK, 0),
                (port, 1, 1, ACK, 0),
                (port, 1, 1, PUSH | ACK, 4),
                (XMPP, 1, 5, PUSH | ACK, SEGMENT),
                (XMPP, 1 + large, 5, PUSH | ACK, 3),
                (port, 5, 4 + large, PUSH | ACK, 2),
            ]
        );
        flows.end(link);
        let again = flows.packets(link, true, 0, "");
        assert_eq!(
            super::tests::frames(&again).len(),
            3,
            "a new connection begins anew"
        );
    }
}
