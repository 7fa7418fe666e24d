//! Cuts the bytes of one of our streams into headers and elements. Only for what we wrote ourselves.

use sotto_xmpp::Element;

/// A piece of a stream.
#[derive(Debug)]
pub enum Piece {
    Open,
    Element(Box<Element>),
    Close,
}

#[derive(Default)]
pub struct Cutter {
    buffer: String,
}

impl Cutter {
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer
            .push_str(std::str::from_utf8(bytes).expect("our streams are UTF-8"));
    }

    pub fn next(&mut self) -> Option<Piece> {
        loop {
            let start = self.buffer.find('<')?;
            self.buffer.drain(..start);
            if self.buffer.starts_with("<?") {
                let end = self.buffer.find("?>")?;
                self.buffer.drain(..end + 2);
                continue;
            }
            if self.buffer.starts_with("</stream:stream") {
                let end = self.buffer.find('>')?;
                self.buffer.drain(..=end);
                return Some(Piece::Close);
            }
            if self.buffer.starts_with("<stream:stream") {
                let end = tag_end(&self.buffer)?;
                self.buffer.drain(..=end);
                return Some(Piece::Open);
            }
            let end = element_end(&self.buffer)?;
            let text: String = self.buffer.drain(..end).collect();
            return Some(Piece::Element(Box::new(parse(&text))));
        }
    }
}

/// Parses an element that stands in a stream of clients.
pub fn parse(text: &str) -> Element {
    let wrapped = format!(
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>{text}</stream:stream>"
    );
    let root: Element = wrapped
        .parse()
        .unwrap_or_else(|error| panic!("{error}: {text}"));
    root.children().next().expect("one element").clone()
}

/// The place of the `>` that ends the first tag.
fn tag_end(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None, '>') => return Some(at),
            _ => {}
        }
    }
    None
}

/// The place after the first whole element.
fn element_end(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    loop {
        let open = at + text.get(at..)?.find('<')?;
        let end = open + tag_end(text.get(open..)?)?;
        let tag = &text[open..=end];
        if tag.starts_with("</") {
            depth -= 1;
        } else if !tag.ends_with("/>") {
            depth += 1;
        }
        at = end + 1;
        if depth == 0 {
            return Some(at);
        }
    }
}
