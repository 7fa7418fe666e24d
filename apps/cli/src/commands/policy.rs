//! `sotto-cli policy …`

use std::io::Write;

use sotto_api::view::PolicyScope;
use sotto_api::{Reply, Request};

use crate::args::{PolicyArg, PolicyCommand};
use crate::failure::{Done, Failure};
use crate::output::text;
use crate::session::{Session, unexpected};

pub(super) fn run<W: Write>(command: PolicyCommand, session: &mut Session<'_, W>) -> Done {
    match command {
        PolicyCommand::Show => show(session),
        PolicyCommand::Set {
            policy,
            account,
            contact,
            follow,
        } => {
            let scope = scope(session, account.as_deref(), contact.as_deref())?;
            if policy == PolicyArg::Inherit && scope == (PolicyScope::Global {}) {
                return Err(Failure::Usage(
                    "Everyone's setting inherits from nothing. Say for whom with --account or --contact."
                        .to_owned(),
                ));
            }
            session.call(Request::PolicySet {
                scope,
                policy: policy.policy(),
                follow,
            })?;
            show(session)
        }
    }
}

fn scope<W: Write>(
    session: &Session<'_, W>,
    account: Option<&str>,
    contact: Option<&str>,
) -> Done<PolicyScope> {
    Ok(match (account, contact) {
        (_, Some(address)) => PolicyScope::Conversation {
            conversation: session.conversation(address, account)?.id,
        },
        (Some(address), None) => PolicyScope::Account {
            account: session.account_at(address)?.id,
        },
        (None, None) => PolicyScope::Global {},
    })
}

fn show<W: Write>(session: &mut Session<'_, W>) -> Done {
    let Reply::Policies(view) = session.call(Request::PolicyList {})? else {
        return Err(unexpected());
    };
    session.out.result(&view, || text::private::policies(&view))
}
