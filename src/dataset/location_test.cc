#include "dataset/location.h"

#include <gmock/gmock.h>

namespace lo::dataset {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr UrlPolicy kUrls{.allow_private = true};

Status check(std::string_view url, const RemotePolicy& remote = {.s3 = true, .hdfs = {"Names:8020", "other:9000"}}) {
  return check_location(url, "/datasetURI", kUrls, remote);
}

std::string refusal(std::string_view url, const RemotePolicy& remote = {.s3 = true, .hdfs = {"Names:8020", "other:9000"}}) {
  auto status = check(url, remote);
  if (status) return "";
  EXPECT_EQ(status.error().code, Code::unacceptable);
  EXPECT_EQ(status.error().fields.at(0).pointer, "/datasetURI");
  return status.error().fields.at(0).detail;
}

TEST(Location, TakesWhatIsSetUp) {
  for (auto url : {"http://127.0.0.1/x", "https://example.org/x.csv", "s3://bucket/a.csv", "s3://my.bucket-1/a folder/b%20?#.csv", "hdfs://names/a.csv",
                   "hdfs://NAMES:8020/a/b.csv", "hdfs://other:9000/c"})
    EXPECT_TRUE(check(url)) << url;
}

TEST(Location, S3WithoutCredentialsSaysWhatToSetUp) {
  EXPECT_THAT(refusal("s3://bucket/a.csv", {}), AllOf(HasSubstr("'s3://bucket/a.csv'"), HasSubstr("AWS_ACCESS_KEY_ID"), HasSubstr("AWS_ENDPOINT_URL")));
}

TEST(Location, ANameNodeMustBeOneOfTheServers) {
  EXPECT_THAT(refusal("hdfs://evil:8020/a"), HasSubstr("Names:8020, other:9000"));
  EXPECT_THAT(refusal("hdfs://names:9000/a"), HasSubstr("Names:8020, other:9000"));
  EXPECT_THAT(refusal("hdfs://names/a", {}), HasSubstr("--hdfs names:8020"));
}

TEST(Location, WhatIsNoFileIsRefused) {
  for (auto url : {"s3://", "s3:///key", "s3://bucket", "s3://bucket/", "s3://bucket/folder/", "s3://bu cket/a", "s3://bucket:9000/a", "hdfs://",
                   "hdfs:///a", "hdfs://names/", "hdfs://names/a/../b", "hdfs://names/.", "s3://bucket/a\nb", "ftp://x/y", "S3://bucket/a", "file:///etc/passwd"})
    EXPECT_NE(refusal(url), "") << url;
  EXPECT_THAT(refusal("s3://bucket/" + std::string(1025, 'k')), HasSubstr("1024"));
}

TEST(Location, CredentialsInItAreNotShown) {
  for (auto url : {"s3://key:sesame@bucket/a", "hdfs://me:sesame@names/a"})
    EXPECT_THAT(refusal(url), AllOf(HasSubstr("user name or password"), Not(HasSubstr("sesame"))));
}

}  // namespace
}  // namespace lo::dataset
