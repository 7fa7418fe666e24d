use slint::ComponentHandle;

use crate::model::Wording;
use crate::ui::{AppWindow, Words};

/// The window's own words, for the model.
pub struct WindowWords<'a>(pub Words<'a>);

impl<'a> WindowWords<'a> {
    /// Reads them from `window`.
    pub fn of(window: &'a AppWindow) -> Self {
        Self(window.global::<Words>())
    }
}

impl WindowWords<'_> {
    /// *Sunday 22 November 2026*.
    pub fn full_day(&self, day: jiff::civil::Date) -> String {
        let weekday = self
            .0
            .invoke_weekday(day.weekday().to_monday_one_offset().into());
        let month = self.0.invoke_month(day.month().into());
        self.0
            .invoke_full_day(
                weekday,
                day.day().into(),
                month,
                day.year().to_string().into(),
            )
            .into()
    }
}

impl Wording for WindowWords<'_> {
    fn today(&self) -> String {
        self.0.get_today().into()
    }
    fn yesterday(&self) -> String {
        self.0.get_yesterday().into()
    }
    fn weekday(&self, day: i8) -> String {
        self.0.invoke_weekday(day.into()).into()
    }
    fn date(&self, day: i8, month: i8) -> String {
        self.0.invoke_date(day.into(), month.into()).into()
    }
    fn date_year(&self, day: i8, month: i8, year: i16) -> String {
        self.0
            .invoke_date_year(day.into(), month.into(), year.to_string().into())
            .into()
    }
    fn count(&self, online: u32, total: u32) -> String {
        let figure = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
        self.0.invoke_count(figure(online), figure(total)).into()
    }
    fn recent(&self) -> String {
        self.0.get_recent().into()
    }
    fn others(&self) -> String {
        self.0.get_others().into()
    }
    fn messages(&self) -> String {
        self.0.get_messages().into()
    }
    fn fresh(&self) -> String {
        self.0.get_fresh().into()
    }
    fn privacy_note(&self, mine: bool, none: bool) -> String {
        match (mine, none) {
            (true, true) => self.0.get_sent_open(),
            (false, true) => self.0.get_came_open(),
            (true, false) => self.0.get_sent_server(),
            (false, false) => self.0.get_came_server(),
        }
        .into()
    }
}
