//! HEAD of a bucket: whether it exists, and where.

use http::Method;
use http::header::DATE;
use sampan_cloud::bucket::{Bucket, BucketRef};
use sampan_cloud::{CallClass, CallError};

use crate::cos::Cos;
use crate::time::http_date;

pub(crate) const NAME: &str = "HeadBucket";
/// Header that names the bucket's region.
pub(crate) const REGION: &str = "x-cos-bucket-region";

/// Looks `bucket` up at the endpoint of its region; `None` when there is none.
pub(crate) async fn head(cos: &Cos, bucket: &BucketRef) -> Result<Option<Bucket>, CallError> {
    match cos.stack.send(cos.request(NAME, Method::HEAD, bucket, "")).await {
        Ok(reply) => Ok(Some(Bucket {
            region: reply.header(REGION).map(str::to_owned),
            // Neither is told by this call.
            storage_class: None,
            encrypted: None,
            server_time: reply.header(DATE.as_str()).and_then(http_date),
        })),
        Err(error) if error.class == CallClass::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
