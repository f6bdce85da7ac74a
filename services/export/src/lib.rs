//! The export service: an image to a bucket, proven and downloadable.
