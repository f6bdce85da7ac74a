//! Decides what a share call means that was not accepted: for the call, for each of its accounts, and for the rest.

use std::time::Duration;

use sampan_cloud::share::ShareCall;
use sampan_cloud::{CallClass, CallError};
use sampan_core::Reason;
use sampan_ops::{Outcome, StepContext, StepError, failure};
use sampan_state::OnSpent;
use sampan_state::operation::Failure;

use super::change::has_changed;
use super::notes::Notes;
use super::{Job, targets};
use crate::plan;

const ANSWER_LOST: &str = "ANSWER_LOST";
/// Pause before the first look for the effect of a call whose answer was lost.
const SOON: Duration = Duration::from_secs(1);

impl Job<'_> {
    /// Decides by the class of the refusal. `None` means to go on.
    pub(super) async fn refused(
        self,
        context: &mut StepContext,
        notes: &mut Notes,
        call: &ShareCall,
        error: CallError,
    ) -> Result<Option<Outcome>, StepError> {
        match error.class {
            CallClass::UnknownOutcome => {
                context.warn(ANSWER_LOST, format!("the outcome of the share call is not known: {error}"));
                Ok(Some(Outcome::Poll { hint: Some(SOON) }))
            }
            CallClass::Transient | CallClass::Throttled | CallClass::Busy => {
                self.without_effect(context, notes);
                context.keep(notes)?;
                Err(StepError::Call(error))
            }
            // How many may have an image is another quota than how many calls a day has.
            CallClass::Quota if error.reason != Reason::ShareQuotaSpent => {
                self.without_effect(context, notes);
                if notes.used == 0 || self.spec.on_spent() == OnSpent::Queue {
                    return Ok(Some(Outcome::SpentElsewhere(error)));
                }
                notes.refuse(self.open(context), &failure::of_call(&error));
                Ok(None)
            }
            CallClass::Quota
            | CallClass::Caller
            | CallClass::NotFound
            | CallClass::Permission
            | CallClass::Credentials => self.by_list(context, notes, call, &error).await,
        }
    }

    /// Reads the list back: what is documented nowhere is what becomes of the good accounts beside a bad one.
    async fn by_list(
        self,
        context: &mut StepContext,
        notes: &mut Notes,
        call: &ShareCall,
        error: &CallError,
    ) -> Result<Option<Outcome>, StepError> {
        let live = self.live().await?;
        let now = context.now();
        targets::mark(context.targets(), &live, now);
        let missing = plan::missing(call, &live);
        let has_effect = missing.len() < call.add.len() + call.remove.len();
        if has_effect {
            self.took_effect(context, notes);
        } else {
            self.without_effect(context, notes);
        }
        let told = failure::of_call(error);
        match error.reason {
            Reason::AlreadyShared
            | Reason::ShareWithOwnAccount
            | Reason::ShareAccountNotFound
            | Reason::ShareAccountNotRoot
            | Reason::ShareAccountOfOtherSite => self.blame(notes, missing, has_effect, error, &told),
            // There is no room for anybody; what is to be removed is not concerned.
            Reason::ShareQuotaSpent => {
                let pending = self.pending(context, notes, &live);
                notes.refuse(pending.add, &told);
                notes.refuse(missing, &told);
            }
            // It is about the image, the account that calls, or something unheard of.
            _ if !has_changed(context, notes) => return Ok(Some(Outcome::Fail(told))),
            _ => notes.refuse(self.open(context), &told),
        }
        Ok(None)
    }

    /// Finds out which of the accounts are meant by a refusal that is about accounts.
    fn blame(self, notes: &mut Notes, missing: Vec<String>, has_effect: bool, error: &CallError, told: &Failure) {
        let named: Vec<String> = missing.iter().filter(|account| names(&error.message, account)).cloned().collect();
        let few_per_call = self.account.shares.share_traits().accounts_per_call.is_some();
        if !named.is_empty() {
            // The others go again without them.
            notes.refuse(named, told);
        } else if missing.len() <= 1 {
            notes.refuse(missing, told);
        } else if error.reason == Reason::AlreadyShared && has_effect {
            // Somebody else was faster with some of them; the others go again.
        } else if few_per_call && !notes.one_by_one {
            // Calls are not scarce here: each account by itself shows who is meant.
            notes.one_by_one = true;
        } else {
            let count = missing.len();
            let message = format!("{}; the cloud does not say which of {count} accounts it means", told.message);
            notes.refuse(missing, &Failure { message, ..told.clone() });
        }
    }
}

/// Returns whether a message names an account: its number as a whole word.
fn names(message: &str, account: &str) -> bool {
    message.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == account)
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_number_counts_as_named_as_a_whole_word_alone() {
        assert!(names("AccountId `100012345678` not found", "100012345678"));
        assert!(names("100012345678", "100012345678"));
        assert!(!names("AccountId 1000123456789 not found", "100012345678"));
        assert!(!names("not found", "100012345678"));
    }
}
