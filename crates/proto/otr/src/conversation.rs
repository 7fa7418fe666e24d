//! All programs of one peer, as seen from one account.

use std::collections::VecDeque;
use std::time::Instant;

use zeroize::Zeroizing;

use crate::config::Env;
use crate::event::{Event, InstanceView, SendError, SmpRefused, StateError};
use crate::instance::{InstanceId, InstanceTag};

/// Everything between one account of ours and one bare address.
pub struct Conversation {
    own_tag: InstanceTag,
    events: VecDeque<Event>,
}

#[allow(missing_docs, unused_variables)]
impl Conversation {
    pub fn new(own_tag: InstanceTag) -> Self {
        Self { own_tag, events: VecDeque::new() }
    }
    pub fn own_tag(&self) -> InstanceTag {
        self.own_tag
    }
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::default()
    }
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StateError> {
        Err(StateError::Damaged)
    }
    pub fn is_otr(text: &str) -> bool {
        text.starts_with("?OTR")
    }
    pub fn receive(&mut self, env: &mut Env<'_>, from: &str, text: &str) {}
    pub fn start(&mut self, env: &mut Env<'_>, to: Option<&str>) {}
    pub fn refresh(&mut self, env: &mut Env<'_>, instance: &InstanceId) -> Result<(), SendError> {
        Err(SendError::UnknownInstance)
    }
    pub fn tagged(&self, env: &Env<'_>, text: &str) -> String {
        text.to_owned()
    }
    pub fn send(&mut self, env: &mut Env<'_>, instance: &InstanceId, text: &str) -> Result<(), SendError> {
        Err(SendError::UnknownInstance)
    }
    pub fn end(&mut self, env: &mut Env<'_>, instance: &InstanceId) {}
    pub fn forget_finished(&mut self, instance: &InstanceId) {}
    pub fn smp_start(&mut self, env: &mut Env<'_>, instance: &InstanceId, question: Option<&str>, secret: &[u8]) -> Result<(), SmpRefused> {
        Err(SmpRefused::UnknownInstance)
    }
    pub fn smp_answer(&mut self, env: &mut Env<'_>, instance: &InstanceId, secret: &[u8]) -> Result<(), SmpRefused> {
        Err(SmpRefused::UnknownInstance)
    }
    pub fn smp_abort(&mut self, env: &mut Env<'_>, instance: &InstanceId) -> Result<(), SmpRefused> {
        Err(SmpRefused::UnknownInstance)
    }
    pub fn extra_key(&mut self, env: &mut Env<'_>, instance: &InstanceId, use_: u32, data: &[u8]) -> Result<Zeroizing<[u8; 32]>, SendError> {
        Err(SendError::UnknownInstance)
    }
    pub fn instances(&self) -> Vec<InstanceView> {
        Vec::new()
    }
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }
    pub fn handle_timeout(&mut self, env: &mut Env<'_>) {}
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }
}
