//! Lists every reason that Sampan gives for a refusal or a failure.
//!
//! A reason is part of the interface: its word never changes and never gets another meaning. The page of reasons
//! in the documentation is generated from this table, and how a reason travels in a gRPC status is decided in the
//! chassis.

use std::fmt;

/// The canonical code that a reason travels under; the words are those of gRPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// The caller gave up.
    Cancelled,
    /// The request is wrong whatever the state of the system.
    InvalidArgument,
    /// The time that the caller allowed ran out.
    DeadlineExceeded,
    /// A named thing does not exist.
    NotFound,
    /// A named thing exists already, with other content.
    AlreadyExists,
    /// The identity is known and not permitted.
    PermissionDenied,
    /// Quota is used up; trying again at once cannot help.
    ResourceExhausted,
    /// The state of the cloud or of the system forbids the request.
    FailedPrecondition,
    /// Other work holds the resource.
    Aborted,
    /// The value is beyond the permitted range.
    OutOfRange,
    /// The function does not exist.
    Unimplemented,
    /// A fault of Sampan.
    Internal,
    /// A part that Sampan needs cannot be reached now; trying again can help.
    Unavailable,
    /// The identity is not known.
    Unauthenticated,
    /// The outcome is not known.
    Unknown,
}

macro_rules! reasons {
    ($($name:ident, $word:literal, $code:ident, $cause:literal, $remedy:literal;)*) => {
        /// Why a request was refused or an operation failed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Reason {
            $(#[doc = $cause] $name,)*
        }

        impl Reason {
            /// Every reason, in the order of the documentation page.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Returns the stable word of the reason.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// Returns the canonical code that the reason travels under.
            pub fn code(self) -> Code {
                match self { $(Self::$name => Code::$code,)* }
            }

            /// Returns what happened, as one sentence.
            pub fn cause(self) -> &'static str {
                match self { $(Self::$name => $cause,)* }
            }

            /// Returns what the caller can do, as one sentence.
            pub fn remedy(self) -> &'static str {
                match self { $(Self::$name => $remedy,)* }
            }

            /// Finds the reason of a stable word; `None` for a word of another version.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|reason| reason.as_str() == word)
            }
        }
    };
}

reasons! {
    // The request itself
    FieldRequired, "FIELD_REQUIRED", InvalidArgument, "A required field is missing or empty.", "Set the field that is named in the details.";
    FieldMalformed, "FIELD_MALFORMED", InvalidArgument, "A field does not have the form that it must have.", "Correct the field as the message says.";
    EnumValueUnknown, "ENUM_VALUE_UNKNOWN", InvalidArgument, "An enum field has a number that this version does not know.", "Use a value that the API defines, or call a newer server.";
    NumberOutOfRange, "NUMBER_OUT_OF_RANGE", InvalidArgument, "A number or duration is negative, zero where it must not be, or too large.", "Choose a value within the permitted range.";
    RequestUnreadable, "REQUEST_UNREADABLE", InvalidArgument, "The bytes of the request are no message of that type.", "Generate the client again from the current API files.";
    MethodUnknown, "METHOD_UNKNOWN", Unimplemented, "This server has no such method.", "Check the address, the roles that the server runs and its version.";
    MessageTooLarge, "MESSAGE_TOO_LARGE", ResourceExhausted, "The request is larger than the server accepts.", "Send a request below the limit in the message.";
    HeadersTooLarge, "HEADERS_TOO_LARGE", ResourceExhausted, "The headers of the request are larger than the server accepts.", "Send fewer or shorter headers, or raise the limit in the details on the server.";
    AccountUnknown, "ACCOUNT_UNKNOWN", InvalidArgument, "No account of that name is configured on this server.", "Use a configured account, or add it to the configuration.";
    AccountOfOtherCloud, "ACCOUNT_OF_OTHER_CLOUD", InvalidArgument, "The account belongs to the other cloud.", "Name the cloud that the account belongs to, or another account.";
    RegionOfOtherCloud, "REGION_OF_OTHER_CLOUD", InvalidArgument, "The region belongs to the other cloud.", "Use a region of the cloud in the request.";
    ImageIdMalformed, "IMAGE_ID_MALFORMED", InvalidArgument, "The image id does not have the form of that cloud.", "Copy the id from the cloud's console; Tencent ids begin with img-, Alibaba ids with m-.";
    PrefixMalformed, "PREFIX_MALFORMED", InvalidArgument, "The prefix of the exported files breaks the cloud's rule.", "Choose a prefix of the permitted characters and length, or leave it out.";
    BucketNameMalformed, "BUCKET_NAME_MALFORMED", InvalidArgument, "The bucket name does not have the form of that cloud.", "COS wants name-APPID, OSS wants 3 to 63 lower-case letters, digits or hyphens.";
    FormatUnsupported, "FORMAT_UNSUPPORTED", InvalidArgument, "The cloud does not export in that format.", "Choose one of the permitted formats.";
    RootDiskOnlyUnsupported, "ROOT_DISK_ONLY_UNSUPPORTED", InvalidArgument, "The cloud always exports every disk of an image.", "Leave only_root_disk unset.";
    DeadlineOutOfRange, "DEADLINE_OUT_OF_RANGE", InvalidArgument, "The deadline or the stall alarm lies outside of the permitted range.", "Choose a duration within the permitted range, or leave it to the image's size.";
    RequestIdReused, "REQUEST_ID_REUSED", AlreadyExists, "The request id was used before with another request.", "Send a new request id, or repeat the first request without a change.";

    // The image
    ImageNotFound, "IMAGE_NOT_FOUND", NotFound, "The image does not exist in that account and region.", "Check the id, the account and the region.";
    ImageNotCustom, "IMAGE_NOT_CUSTOM", FailedPrecondition, "The image is a public or community image; only custom images can be exported.", "Create a custom image from an instance, then export that.";
    ImageFromMarketplace, "IMAGE_FROM_MARKETPLACE", FailedPrecondition, "The image comes from the marketplace, or was made from such an image.", "Build the image from a public or imported image.";
    ImageSharedToYou, "IMAGE_SHARED_TO_YOU", FailedPrecondition, "The image belongs to another account.", "Copy it within the region to own it, then use the copy.";
    ImageWindows, "IMAGE_WINDOWS", FailedPrecondition, "Windows images cannot be exported.", "Only Linux images leave the cloud; there is no way around the licence.";
    ImageRedHat, "IMAGE_RED_HAT", FailedPrecondition, "Red Hat images cannot be exported from this cloud.", "Use an image without a commercial licence.";
    ImageEncrypted, "IMAGE_ENCRYPTED", FailedPrecondition, "The image has encrypted snapshots.", "Build the image from unencrypted disks.";
    ImageNotReady, "IMAGE_NOT_READY", FailedPrecondition, "The image is not in a state that permits the call.", "Wait until it is ready, then try again.";
    ImageTooManyDataDisks, "IMAGE_TOO_MANY_DATA_DISKS", FailedPrecondition, "The image has more data disks than the cloud exports.", "Make an image with fewer data disks, or export the system disk alone where the cloud can.";
    ImageDiskTooLarge, "IMAGE_DISK_TOO_LARGE", FailedPrecondition, "A disk of the image is larger than the cloud exports.", "Spread the data over smaller disks, or override the limit when your account has a larger one.";
    ImageEncryptionUnknown, "IMAGE_ENCRYPTION_UNKNOWN", FailedPrecondition, "Whether the image is encrypted could not be found out.", "Permit the service to describe snapshots, or go on at the risk of a refusal by the cloud.";
    ImageDisksRefused, "IMAGE_DISKS_REFUSED", FailedPrecondition, "The cloud finds too many disks in the image, or too large ones.", "Make an image with fewer or smaller data disks.";
    ImageNotExportable, "IMAGE_NOT_EXPORTABLE", FailedPrecondition, "The cloud does not export the image; encrypted snapshots and a marketplace origin are its usual causes.", "Look at the cloud's message in the details, and build the image from other disks.";
    ImageLicenceForbids, "IMAGE_LICENCE_FORBIDS", FailedPrecondition, "The licence of what is on the image forbids its export; Windows is the usual case.", "Use an image without such a licence.";

    // The bucket
    BucketNotFound, "BUCKET_NOT_FOUND", FailedPrecondition, "The bucket does not exist.", "Create it in the region of the image, or correct its name.";
    BucketElsewhere, "BUCKET_ELSEWHERE", FailedPrecondition, "The bucket is in another region than the image.", "Use a bucket in the region of the image.";
    BucketNotAccessible, "BUCKET_NOT_ACCESSIBLE", FailedPrecondition, "The account may not read the bucket, so an export could not be proven.", "Grant the account HEAD and GET on the bucket.";
    BucketNotWritable, "BUCKET_NOT_WRITABLE", FailedPrecondition, "The cloud's export role may not write to the bucket.", "Authorise the export role for the bucket.";
    BucketEncrypted, "BUCKET_ENCRYPTED", FailedPrecondition, "The bucket encrypts on the server side, which the export does not support.", "Use a bucket without server-side encryption.";
    ExportRoleMissing, "EXPORT_ROLE_MISSING", FailedPrecondition, "The role by which the cloud writes exports does not exist or cannot be assumed.", "Create and authorise the role in the cloud's console; the README names it for each cloud.";
    FormatUnsupportedInRegion, "FORMAT_UNSUPPORTED_IN_REGION", FailedPrecondition, "The cloud does not export in that format in that region.", "Choose RAW, or a region that has the format.";
    RegionUnsupported, "REGION_UNSUPPORTED", FailedPrecondition, "The cloud does not know the region, or does not offer the call there.", "Use another region.";

    // Copies
    ImageNameTaken, "IMAGE_NAME_TAKEN", AlreadyExists, "The destination has an image of that name.", "Choose another name, or remove the other image.";
    ImageNameMalformed, "IMAGE_NAME_MALFORMED", InvalidArgument, "The name breaks the cloud's rule for names of images.", "Choose a name of the permitted characters and length.";
    DescriptionMalformed, "DESCRIPTION_MALFORMED", InvalidArgument, "The description breaks the cloud's rule.", "Shorten it, and let it not begin with http:// or https://.";
    TagMalformed, "TAG_MALFORMED", InvalidArgument, "A tag breaks the cloud's rule, or its key is there twice.", "Correct the keys and values; keys that begin with aliyun or acs: are the vendor's.";
    DestinationIsSource, "DESTINATION_IS_SOURCE", InvalidArgument, "The destination is the region of the image, where the cloud makes no second one of it.", "Leave that destination out; share the image, or ask for another encryption.";
    DestinationFull, "DESTINATION_FULL", ResourceExhausted, "The destination has as many images as the account may have there.", "Remove images there, or ask the vendor for more.";
    SnapshotsFull, "SNAPSHOTS_FULL", ResourceExhausted, "The destination has as many snapshots as the account may have there.", "Remove snapshots there, or ask the vendor for more.";
    TagsFull, "TAGS_FULL", ResourceExhausted, "The image would have more tags than the cloud permits.", "Leave tags out.";
    RegionPairUnsupported, "REGION_PAIR_UNSUPPORTED", FailedPrecondition, "The cloud does not copy from that region to that destination.", "Choose another destination, or go over a region that both can be copied with.";
    ImageNotCopyable, "IMAGE_NOT_COPYABLE", FailedPrecondition, "The cloud does not copy images of that kind.", "Look at the cloud's message in the details; an image made anew from an instance can usually be copied.";
    ImageTooLargeToCopy, "IMAGE_TOO_LARGE_TO_COPY", FailedPrecondition, "The image is larger than the cloud copies in one piece.", "Copy its snapshots and make the image from them, where the cloud can; else spread the data over smaller images.";
    CopyAlreadyRunning, "COPY_ALREADY_RUNNING", FailedPrecondition, "Another copy of that image or snapshot is running.", "Wait for it to end, then try again.";
    EncryptionRefused, "ENCRYPTION_REFUSED", FailedPrecondition, "The cloud does not make that change of encryption by a copy.", "Encrypt within the region of the source first and copy the result; nothing makes an encrypted image plain.";
    EncryptionMalformed, "ENCRYPTION_MALFORMED", InvalidArgument, "The parts of the encryption do not go together.", "Give a key only with encryption, and leave the algorithm to the cloud.";
    KmsKeyRefused, "KMS_KEY_REFUSED", FailedPrecondition, "The key does not exist in that region, is disabled, or may not be used for disks.", "Enable the key and authorise the cloud's compute service for it, or choose another one.";
    KmsNotEnabled, "KMS_NOT_ENABLED", FailedPrecondition, "The account has not enabled the cloud's key service in that region.", "Enable the key service in the cloud's console.";
    ResourceGroupNotFound, "RESOURCE_GROUP_NOT_FOUND", FailedPrecondition, "The account has no such resource group.", "Correct its id, or leave it out.";
    SnapshotNotFound, "SNAPSHOT_NOT_FOUND", NotFound, "The snapshot does not exist in that account and region.", "Look whether somebody removed it.";
    SnapshotNotReady, "SNAPSHOT_NOT_READY", FailedPrecondition, "The snapshot is not finished.", "Wait until it is, then try again.";
    SnapshotNotCopyable, "SNAPSHOT_NOT_COPYABLE", FailedPrecondition, "The cloud does not copy snapshots of that kind.", "Take a standard snapshot of the disk, and make the image from that.";
    SnapshotNotUsable, "SNAPSHOT_NOT_USABLE", FailedPrecondition, "The cloud makes no image from such a snapshot.", "Look at the cloud's message in the details.";
    SnapshotInUse, "SNAPSHOT_IN_USE", FailedPrecondition, "An image or a disk needs the snapshot.", "Remove that image or disk first.";
    SnapshotCopyUnsupported, "SNAPSHOT_COPY_UNSUPPORTED", Unimplemented, "Snapshots are not copied on this cloud.", "Copy the image.";
    ImageInUse, "IMAGE_IN_USE", FailedPrecondition, "Instances use the image, so it cannot be removed.", "Release the instances, or remove the image in the cloud's console.";
    ImageStillShared, "IMAGE_STILL_SHARED", FailedPrecondition, "The image is shared with other accounts or published, so it cannot be removed.", "End its shares first.";
    DestinationRepeated, "DESTINATION_REPEATED", InvalidArgument, "A destination is named more than once.", "Name each region once.";
    CopyOptionUnsupported, "COPY_OPTION_UNSUPPORTED", InvalidArgument, "The cloud's copy does not have that option.", "Leave the option out.";
    CopyFailedAtCloud, "COPY_FAILED_AT_CLOUD", Unknown, "The cloud reports that the copy failed.", "Try the failed destinations again: RetryOperation, or sampan operations retry.";
    CopyVanished, "COPY_VANISHED", Unknown, "The copy is not in its destination any more: it failed, or somebody cancelled or removed it.", "Try the failed destinations again, when it was no intention.";
    CopyDeadlinePassed, "COPY_DEADLINE_PASSED", DeadlineExceeded, "Sampan stopped waiting for the copy; it may still be running at the cloud.", "Try the failed destinations again: a copy that has become usable meanwhile is taken over, not repeated.";
    CopyOutcomeUnknown, "COPY_OUTCOME_UNKNOWN", Unknown, "The answer to the copy call was lost and its effect could not be found.", "Look into the destinations before you try again.";
    CopyRemoved, "COPY_REMOVED", Aborted, "The copy was good and was removed, because another one failed and all or nothing was asked for.", "Try again when the cause of the other failure is gone, or accept a part: BEST_EFFORT.";

    // Shares
    AlreadyShared, "ALREADY_SHARED", AlreadyExists, "The image is shared with that account already.", "Nothing is left to do for that account.";
    ShareWithOwnAccount, "SHARE_WITH_OWN_ACCOUNT", InvalidArgument, "The image belongs to that account.", "Leave the account out; an account needs no share of its own image.";
    ShareAccountNotFound, "SHARE_ACCOUNT_NOT_FOUND", FailedPrecondition, "The cloud knows no account of that number.", "Check the number; Tencent wants the root account's id, Alibaba the account id.";
    ShareAccountNotRoot, "SHARE_ACCOUNT_NOT_ROOT", InvalidArgument, "The number is that of a sub-account or collaborator.", "Give the id of its root account; shares reach every user of it.";
    ShareAccountOfOtherSite, "SHARE_ACCOUNT_OF_OTHER_SITE", FailedPrecondition, "The account belongs to another site of the vendor.", "Share within one site only; the other account can take the image as an export.";
    ShareAccountMalformed, "SHARE_ACCOUNT_MALFORMED", InvalidArgument, "The number of the account does not have the form of that cloud.", "Give the number of the root account, digits only, as the cloud's console shows it under the account's name.";
    ShareAccountRepeated, "SHARE_ACCOUNT_REPEATED", InvalidArgument, "An account is named more than once.", "Name each account once.";
    ShareNotEffective, "SHARE_NOT_EFFECTIVE", Unknown, "The change was sent, and the cloud's list of shares does not show it.", "List the shares of the image, then try the failed accounts again.";
    ShareDeadlinePassed, "SHARE_DEADLINE_PASSED", DeadlineExceeded, "Sampan stopped working on the change of shares before it was done.", "List the shares of the image, then try the failed accounts again.";
    ShareQuotaSpent, "SHARE_QUOTA_SPENT", ResourceExhausted, "The image, or the account, has as many shares as the cloud permits.", "End shares that nobody needs, or ask the vendor for more.";
    ImageNotShareable, "IMAGE_NOT_SHAREABLE", FailedPrecondition, "The cloud does not share images of that kind.", "Look at the cloud's message in the details; licences, encryption and several encrypted disks are usual causes.";
    ShareRoleMissing, "SHARE_ROLE_MISSING", FailedPrecondition, "The role by which the cloud shares encrypted images does not exist.", "Create and authorise the role AliyunECSShareEncryptImageDefaultRole in the cloud's console.";

    // Estimates
    SiteUnknown, "SITE_UNKNOWN", InvalidArgument, "The vendor has no such price list.", "Use the site of the account: cn or intl.";
    RegionUnknown, "REGION_UNKNOWN", InvalidArgument, "The price book knows no such region.", "Correct the region, or extend the price book with a file of your own.";
    StorageClassUnknown, "STORAGE_CLASS_UNKNOWN", InvalidArgument, "The cloud has no such storage class.", "Use one of the classes in the details.";
    CurrencyOfOtherSite, "CURRENCY_OF_OTHER_SITE", InvalidArgument, "The price list is in another currency, and prices are never converted.", "Ask for the currency of the site, CNY for cn and USD for intl, or leave it out.";
    SizeNegative, "SIZE_NEGATIVE", InvalidArgument, "A size is negative.", "Give the size in bytes.";
    SizeZero, "SIZE_ZERO", InvalidArgument, "A disk has no size.", "Give the capacity of the disk in bytes.";
    SizeTooLarge, "SIZE_TOO_LARGE", InvalidArgument, "A size is larger than any disk.", "Give the size in bytes, not in a smaller unit.";
    UsedAboveCapacity, "USED_ABOVE_CAPACITY", InvalidArgument, "More of a disk is in use than it has.", "Correct one of the two sizes.";
    PeriodNegative, "PERIOD_NEGATIVE", InvalidArgument, "A period is negative.", "Give a period above zero.";
    PeriodZero, "PERIOD_ZERO", InvalidArgument, "A period is zero.", "Give a period above zero, or leave it out for the default.";
    PeriodTooLong, "PERIOD_TOO_LONG", InvalidArgument, "A period is absurdly long.", "Give a period within the range in the details.";
    EstimateOverflow, "ESTIMATE_OVERFLOW", OutOfRange, "The cost is too large to be counted.", "Check the sizes and counts of the request and the prices of the price book.";

    // Quota and concurrency
    QuotaSpent, "QUOTA_SPENT", ResourceExhausted, "The image operations of the day are used up in that account and region.", "Wait for the next day, or let it queue: when_quota_spent = QUEUE, --queue on the command line.";
    CloudQuotaSpent, "CLOUD_QUOTA_SPENT", ResourceExhausted, "The cloud says that its own quota is used up.", "Wait for the reset, or ask the vendor for more.";
    ExportAlreadyRunning, "EXPORT_ALREADY_RUNNING", FailedPrecondition, "Another export of that image is running.", "Wait for it to end, then try again.";
    ExportTasksFull, "EXPORT_TASKS_FULL", ResourceExhausted, "The cloud runs as many exports as it permits.", "Wait for one of them to end.";

    // Operations
    OperationNotFound, "OPERATION_NOT_FOUND", NotFound, "No operation of that name exists.", "Check the name; list operations to find it.";
    OperationFinished, "OPERATION_FINISHED", FailedPrecondition, "The operation has ended and cannot be cancelled.", "Read its result.";
    OperationNotRetryable, "OPERATION_NOT_RETRYABLE", FailedPrecondition, "The operation has no failed target that could be tried again.", "Start a new operation.";
    OperationChanged, "OPERATION_CHANGED", Aborted, "The operation changed while the request was carried out.", "Read it again, and repeat the request if it is still wanted.";
    OperationNotSucceeded, "OPERATION_NOT_SUCCEEDED", FailedPrecondition, "The operation has not succeeded, so it has no artifacts.", "Wait for it to end, or look at its error.";
    ExportFailedAtCloud, "EXPORT_FAILED_AT_CLOUD", Unknown, "The cloud reports that the export failed.", "Look at the cloud's message; start again when its cause is gone.";
    ExportDeadlinePassed, "EXPORT_DEADLINE_PASSED", DeadlineExceeded, "Sampan stopped waiting for the export; it may still be running at the cloud.", "Look into the bucket, or start again with a longer deadline.";
    ExportOutcomeUnknown, "EXPORT_OUTCOME_UNKNOWN", Unknown, "The answer to the export call was lost and its effect could not be found.", "Look into the bucket and the cloud's task list before you start again.";
    ExportCancelledAtCloud, "EXPORT_CANCELLED_AT_CLOUD", Cancelled, "The export was cancelled at the cloud by somebody else.", "Start again if it was a mistake.";
    ArtifactChanged, "ARTIFACT_CHANGED", FailedPrecondition, "An exported object changed or vanished after it was proven.", "Export again; use a prefix that nothing else writes to.";
    OperationCancelled, "OPERATION_CANCELLED", Cancelled, "The operation was cancelled.", "Start a new one if it is still wanted.";

    // Callers
    CallerUnknown, "CALLER_UNKNOWN", Unauthenticated, "The caller has not said who it is.", "Send a bearer token, or connect with a client certificate that has a SPIFFE id.";
    TokenRefused, "TOKEN_REFUSED", Unauthenticated, "The bearer token is not accepted.", "Get a new token for the audience of this server, and compare the clocks.";
    PolicyDenied, "POLICY_DENIED", PermissionDenied, "The policy of this server does not permit it.", "Ask whoever keeps the policy to add a rule for what is missing; it is named in the details.";
    AuditUnavailable, "AUDIT_UNAVAILABLE", Unavailable, "The audit record cannot be written, so nothing is changed at the clouds.", "Make room on the disk of the audit file, or mend its permissions.";

    // The clouds
    CloudUnavailable, "CLOUD_UNAVAILABLE", Unavailable, "The cloud did not answer or answered with a fault of its own.", "Try again later; Sampan has retried already.";
    CloudThrottled, "CLOUD_THROTTLED", Unavailable, "The cloud asks for fewer requests.", "Try again later; Sampan has retried already.";
    CloudCredentialsRejected, "CLOUD_CREDENTIALS_REJECTED", FailedPrecondition, "The cloud does not accept the credentials of the account.", "Check the credentials of the account and the clock of the server.";
    CloudPermissionDenied, "CLOUD_PERMISSION_DENIED", FailedPrecondition, "The account may not make that call.", "Grant the action that is named in the message; the README has the least policy.";
    CloudAccountBlocked, "CLOUD_ACCOUNT_BLOCKED", FailedPrecondition, "The cloud holds the account back: unpaid bills, a missing verification or a risk check.", "Settle it in the cloud's console.";
    CloudBusy, "CLOUD_BUSY", Aborted, "Other work at the cloud holds what the call needs.", "Wait for that work to end, then try again.";
    CloudRefused, "CLOUD_REFUSED", FailedPrecondition, "The cloud refused the call for a reason of its own.", "Look at the cloud's code and message in the details.";
    CloudAnswerUnreadable, "CLOUD_ANSWER_UNREADABLE", Unavailable, "The answer of the cloud could not be understood.", "Check the configured endpoint, or report the vendor's request id.";

    // Costs of a start
    CostAboveLimit, "COST_ABOVE_LIMIT", FailedPrecondition, "The job may cost more than the limit that its request sets.", "Raise the limit, or make the job smaller: fewer disks, regions, days or downloads.";
    PriceUnavailable, "PRICE_UNAVAILABLE", FailedPrecondition, "The request sets a limit of cost, and the price of the job is not known.", "Try again when the estimator answers and knows every price, or leave the limit out.";

    // Sampan itself
    StoreUnavailable, "STORE_UNAVAILABLE", Unavailable, "The store cannot be reached, so nothing was started.", "Try again; look at the health of the store.";
    StoreCorrupt, "STORE_CORRUPT", Internal, "A record of the store cannot be read.", "Restore the store from a copy, or open it with the version that wrote it.";
    RecordTooNew, "RECORD_TOO_NEW", FailedPrecondition, "The record was written by a newer version of Sampan.", "Use that version, or a newer one.";
    PeerUnavailable, "PEER_UNAVAILABLE", Unavailable, "Another service of Sampan that is needed for the answer cannot be reached.", "Try again; check that the service runs and that its address in the configuration is right.";
    Overloaded, "OVERLOADED", Unavailable, "The server has as many requests in flight as it takes, of all callers or of this one.", "Try again after the delay in the details, which also name the limit.";
    RequestDeadlinePassed, "REQUEST_DEADLINE_PASSED", DeadlineExceeded, "The time allowed for the request ran out.", "Allow more time; a started operation goes on by itself.";
    LaneBusy, "LANE_BUSY", Unavailable, "Other work holds that account and region for a moment.", "Try again after the delay in the details.";
    ShuttingDown, "SHUTTING_DOWN", Unavailable, "The server is stopping.", "Try again; another replica or the restarted server will answer.";
    InternalFault, "INTERNAL_FAULT", Internal, "A fault of Sampan.", "Report it with the request id.";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_reason_has_a_word_of_its_own_and_reads_back() {
        let words: HashSet<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
        assert_eq!(words.len(), Reason::ALL.len());
        for reason in Reason::ALL {
            assert_eq!(Reason::from_word(reason.as_str()), Some(*reason));
            assert!(reason.cause().ends_with('.') && reason.remedy().ends_with('.'), "{reason}");
        }
    }
}
