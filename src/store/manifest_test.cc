#include "store/manifest.h"

#include <gtest/gtest.h>

#include "store/digest.h"

namespace lo::store {
namespace {

Manifest example() {
  return {.kind = Kind::table,
          .type_name = "pandas.core.frame.DataFrame",
          .parts = {{.name = "rows.parquet", .digest = digest_of("a"), .bytes = 1, .inline_data = std::string("\0\xff", 2)},
                    {.name = "b", .digest = digest_of("b"), .bytes = 70'000, .inline_data = {}}},
          .fields = {{"Age", "number"}, {"Name", "string"}},
          .rows = 0};
}

TEST(Manifest, SurvivesJson) {
  auto again = manifest_from_json(parse_json_object(json::serialize(to_json(example()))).value()).value();
  EXPECT_EQ(again.kind, Kind::table);
  EXPECT_EQ(again.type_name, "pandas.core.frame.DataFrame");
  ASSERT_EQ(again.parts.size(), 2u);
  EXPECT_EQ(again.parts[0].inline_data, std::string("\0\xff", 2));
  EXPECT_FALSE(again.parts[1].inline_data);
  EXPECT_EQ(again.parts[1].bytes, 70'000);
  EXPECT_EQ(again.fields, example().fields);
  EXPECT_EQ(again.rows, 0);
  EXPECT_EQ(again.digest(), example().digest());
  EXPECT_EQ(again.bytes(), 70'001);
  EXPECT_EQ(again.part("b")->digest, digest_of("b"));
  EXPECT_EQ(again.part("c"), nullptr);
}

TEST(Manifest, EmptyAndDraft) {
  EXPECT_EQ(manifest_from_json(to_json({})).value().kind, Kind::none);
  auto draft =
      manifest_from_json(parse_json_object(R"({"kind":"object","parts":[{"name":"object.pickle"}],"rows":null})").value());
  ASSERT_TRUE(draft);
  EXPECT_EQ(draft->parts[0].name, "object.pickle");
  EXPECT_FALSE(draft->rows);
}

TEST(Manifest, DigestTellsApart) {
  auto base = example();
  auto other = base;
  other.parts[1].digest = digest_of("c");
  EXPECT_NE(base.digest(), other.digest());
  other = base;
  other.kind = Kind::model;
  EXPECT_NE(base.digest(), other.digest());
  other = base;
  other.rows = 5;  // known of the content, not part of it
  EXPECT_EQ(base.digest(), other.digest());
}

TEST(Manifest, DamageIsCorrupt) {
  for (std::string_view text :
       {R"({})", R"({"kind":"tables"})", R"({"kind":"table","parts":{}})", R"({"kind":"table","parts":[1]})",
        R"({"kind":"table","parts":[{"name":"x","bytes":-1}]})", R"({"kind":"table","parts":[{"name":"x","bytes":"1"}]})",
        R"({"kind":"table","parts":[{"name":"x","inline":"*"}]})", R"({"kind":"table","rows":1.5})"}) {
    auto manifest = manifest_from_json(parse_json_object(text).value());
    ASSERT_FALSE(manifest) << text;
    EXPECT_EQ(manifest.error().code, Code::corrupt);
  }
}

// The reference values of XXH3-128: https://github.com/Cyan4973/xxHash (empty input, seed 0).
TEST(Digest, IsXxh3) {
  EXPECT_EQ(digest_of(""), "99aa06d3014798d86001c324468d497f");
  EXPECT_TRUE(is_digest(digest_of("abc")));
  EXPECT_FALSE(is_digest("99AA06D3014798D86001C324468D497F"));
  Digester pieces;
  pieces.add("ab");
  pieces.add("c");
  EXPECT_EQ(pieces.digest(), digest_of("abc"));
}

}  // namespace
}  // namespace lo::store
