//! S-expressions as libgcrypt writes them: lists of tokens, "quoted" and #hexadecimal# strings.

use zeroize::Zeroizing;

/// Lists within lists; libotr nests five deep.
const MAX_DEPTH: usize = 16;

/// A list or an atom; atoms may be secret and are wiped when dropped.
pub(super) enum Node {
    Atom(Zeroizing<Vec<u8>>),
    List(Vec<Node>),
}

impl Node {
    /// What follows the name in a list of that name.
    pub(super) fn list(&self, name: &str) -> Option<&[Node]> {
        let Self::List(nodes) = self else {
            return None;
        };
        match nodes.split_first()? {
            (Self::Atom(atom), rest) if atom.as_slice() == name.as_bytes() => Some(rest),
            _ => None,
        }
    }
}

/// The first list of that name.
pub(super) fn find<'a>(nodes: &'a [Node], name: &str) -> Option<&'a [Node]> {
    nodes.iter().find_map(|node| node.list(name))
}

/// The one atom in the first list of that name.
pub(super) fn value<'a>(nodes: &'a [Node], name: &str) -> Option<&'a [u8]> {
    match find(nodes, name)? {
        [Node::Atom(atom)] => Some(atom),
        _ => None,
    }
}

/// Reads one list with nothing but white space around it.
pub(super) fn parse(text: &str) -> Option<Node> {
    let mut input = Input(text.as_bytes());
    // Lists that are still open, the innermost last.
    let mut open: Vec<Vec<Node>> = Vec::new();
    loop {
        input.skip_space();
        let node = match input.next()? {
            b'(' => {
                if open.len() >= MAX_DEPTH {
                    return None;
                }
                open.push(Vec::new());
                continue;
            }
            b')' => Node::List(open.pop()?),
            b'"' => Node::Atom(input.quoted()?),
            b'#' => Node::Atom(input.hexadecimal()?),
            first => Node::Atom(input.token(first)?),
        };
        match open.last_mut() {
            Some(list) => list.push(node),
            None => {
                input.skip_space();
                let list = matches!(node, Node::List(_));
                return (list && input.0.is_empty()).then_some(node);
            }
        }
    }
}

struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn skip_space(&mut self) {
        self.0 = self.0.trim_ascii_start();
    }

    fn digit(&mut self, radix: u32) -> Option<u8> {
        let digit = char::from(self.next()?).to_digit(radix)?;
        u8::try_from(digit).ok()
    }

    fn quoted(&mut self) -> Option<Zeroizing<Vec<u8>>> {
        let mut out = Zeroizing::new(Vec::new());
        loop {
            match self.next()? {
                b'"' => return Some(out),
                b'\\' => out.extend(self.escape()?),
                byte => out.push(byte),
            }
        }
    }

    /// What a backslash and the letters after it stand for; a line end stands for nothing.
    fn escape(&mut self) -> Option<Option<u8>> {
        Some(Some(match self.next()? {
            b'b' => 0x08,
            b't' => b'\t',
            b'v' => 0x0b,
            b'n' => b'\n',
            b'f' => 0x0c,
            b'r' => b'\r',
            same @ (b'"' | b'\'' | b'\\') => same,
            b'x' => self.digit(16)? << 4 | self.digit(16)?,
            high @ b'0'..=b'3' => (high - b'0') << 6 | self.digit(8)? << 3 | self.digit(8)?,
            b'\n' => return Some(None),
            b'\r' => {
                self.0 = self.0.strip_prefix(b"\n").unwrap_or(self.0);
                return Some(None);
            }
            _ => return None,
        }))
    }

    fn hexadecimal(&mut self) -> Option<Zeroizing<Vec<u8>>> {
        let end = self.0.iter().position(|byte| *byte == b'#')?;
        // The full room at once: a vector that grows leaves its old bytes behind.
        let mut out = Zeroizing::new(Vec::with_capacity(end / 2));
        let mut high = None;
        loop {
            let byte = self.next()?;
            if byte == b'#' {
                return high.is_none().then_some(out);
            }
            if byte.is_ascii_whitespace() {
                continue;
            }
            let digit = u8::try_from(char::from(byte).to_digit(16)?).ok()?;
            match high.take() {
                Some(first) => out.push(first << 4 | digit),
                None => high = Some(digit),
            }
        }
    }

    fn token(&mut self, first: u8) -> Option<Zeroizing<Vec<u8>>> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-./_:*+=@".contains(&byte);
        if !allowed(first) {
            return None;
        }
        let mut out = Zeroizing::new(vec![first]);
        while let Some(byte) = self.0.first().copied().filter(|byte| allowed(*byte)) {
            out.push(byte);
            self.next()?;
        }
        Some(out)
    }
}
