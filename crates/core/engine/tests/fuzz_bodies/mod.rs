//! What the fuzz targets of `testing/fuzz` do; ordinary tests run the same over their seeds.

use sotto_engine::fuzz;

/// Texts of others on their way to a screen.
pub fn text(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let cleaned = fuzz::clean(text);
    assert_eq!(fuzz::clean(&cleaned), cleaned);
    let line = fuzz::clean_line(text);
    assert!(!line.contains('\n') && line.chars().count() <= 256);
    let mut after = 0;
    for link in fuzz::links(&cleaned) {
        assert!(link.start >= after && link.end > link.start);
        after = link.end;
        let shown = cleaned
            .get(link.start..link.end)
            .expect("on borders of characters");
        assert!(link.target.bytes().all(|b| b.is_ascii_graphic()));
        assert!(fuzz::link(shown).is_some());
    }
    fuzz::preview(text, 80);
    fuzz::initials(text);
    fuzz::isolate(text);
    fuzz::fold(text);
    fuzz::action(text);
    fuzz::address_ascii(text);
    assert!(fuzz::colour(text) < 6);
}

/// Pictures of others.
pub fn picture(data: &[u8]) {
    if let Ok(png) = fuzz::reencode(data) {
        fuzz::reencode(&png).expect("what we wrote reads");
    }
    let _ = fuzz::own_picture(data);
}
