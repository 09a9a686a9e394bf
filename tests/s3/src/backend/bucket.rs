use s3s::dto::*;
use s3s::{S3Result, s3_error};

use crate::backend::{Backend, owner};
use crate::object::timestamp;
use crate::store::bucket;

/// The region whose buckets have no location constraint.
const CLASSIC_REGION: &str = "us-east-1";

impl Backend {
    pub(super) fn buckets(&self) -> ListBucketsOutput {
        let buckets = self.store.buckets();
        ListBucketsOutput {
            buckets: Some(
                buckets
                    .iter()
                    .map(|(name, bucket)| Bucket {
                        name: Some(name.clone()),
                        creation_date: Some(timestamp(bucket.created)),
                        ..Bucket::default()
                    })
                    .collect(),
            ),
            owner: Some(owner()),
            ..ListBucketsOutput::default()
        }
    }

    pub(super) fn create(&self, input: CreateBucketInput) -> S3Result<CreateBucketOutput> {
        let mut buckets = self.store.buckets();
        if buckets.contains_key(&input.bucket) {
            return Err(s3_error!(
                BucketAlreadyOwnedByYou,
                "Your previous request to create the named bucket succeeded and you already own it."
            ));
        }
        let location = format!("/{}", input.bucket);
        buckets.insert(input.bucket, bucket::Bucket::default());
        Ok(CreateBucketOutput {
            location: Some(location),
        })
    }

    pub(super) fn remove_bucket(&self, name: &str) -> S3Result<DeleteBucketOutput> {
        self.store
            .with_bucket(name, |bucket| match bucket.objects.is_empty() {
                true => Ok(()),
                false => Err(s3_error!(
                    BucketNotEmpty,
                    "The bucket you tried to delete is not empty"
                )),
            })?;
        self.store.buckets().remove(name);
        Ok(DeleteBucketOutput::default())
    }

    pub(super) fn describe_bucket(&self, name: &str) -> S3Result<HeadBucketOutput> {
        self.store.with_bucket(name, |_| {
            Ok(HeadBucketOutput {
                bucket_region: Some(self.region.clone()),
                ..HeadBucketOutput::default()
            })
        })
    }

    pub(super) fn locate(&self, name: &str) -> S3Result<GetBucketLocationOutput> {
        self.store.with_bucket(name, |_| {
            let constrained = self.region != CLASSIC_REGION;
            Ok(GetBucketLocationOutput {
                location_constraint: constrained
                    .then(|| BucketLocationConstraint::from(self.region.clone())),
            })
        })
    }
}
