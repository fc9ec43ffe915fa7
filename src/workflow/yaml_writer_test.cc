#include "workflow/yaml_writer.h"

#include <gmock/gmock.h>

#include <random>

#include "workflow/document.h"

namespace lo::workflow {
namespace {

json::value value(std::string_view text) { return json::parse(json::string_view(text.data(), text.size())); }

json::value read_back(const json::value& written) {
  auto document = read_yaml(write_yaml(written));
  EXPECT_TRUE(document) << document.error().message << "\n" << write_yaml(written);
  return document ? document->value : json::value();
}

TEST(WriteYaml, IsBlocksInTheOrderOfTheMembers) {
  EXPECT_EQ(write_yaml(value(R"({"name":"w","steps":[{"service":"a/b","names":["x","y z"],"types":{},"list":[]},{"n":3,"r":0.5,"t":true,"z":null}]})")),
            R"(name: w
steps:
  - service: a/b
    names:
      - x
      - y z
    types: {}
    list: []
  - n: 3
    r: 0.5
    t: true
    z: ~
)");
}

TEST(WriteYaml, WritesCodeAsLiteralBlocks) {
  EXPECT_EQ(write_yaml({{"ends", "import math\nif x:\n    y = 1\n\nresponse = y\n"}, {"open", "a = 1\nb | c\nresponse = a"}, {"last", 1}}), R"(ends: |
  import math
  if x:
      y = 1

  response = y
open: |-
  a = 1
  b | c
  response = a
last: 1
)");
}

TEST(WriteYaml, QuotesWhatCouldBeTakenForSomethingElse) {
  for (std::string_view text : {"true", "null", "~", "", "no", "Yes", "3", "-1.5", "1e3", ".5", "0x10", "2020-01-01", "#tag", "a: b", "a #b", "- x",
                                "*x", "&x", "!x", "%x", "@x", "`x", "[x", "{x", " x", "x ", "x:", "?", "|", ">", "'", "\"", "=", "a\tb", "ü€😀", "\x01"}) {
    json::value all{{std::string(text), json::array{std::string(text)}}};
    EXPECT_EQ(read_back(all), all) << text;
  }
  EXPECT_EQ(write_yaml({{"a", "no"}, {"b", "$titanic.Age"}, {"c", "http://x/y?z=1"}}), "a: \"no\"\nb: $titanic.Age\nc: http://x/y?z=1\n");
}

TEST(WriteYaml, LinesThatABlockWouldChangeAreQuoted) {
  for (std::string_view text : {"\n", "\n\n", "a\n\n", " a\nb\n", "\na\n", "a\r\nb", "a\n \n", "\ta\nb", "a\n\tb\n", "a \nb  \n", "a\n\x02", "a\n\n\nb"}) {
    json::value all{{"x", std::string(text)}, {"y", json::array{json::value{{"z", std::string(text)}}}}};
    EXPECT_EQ(read_back(all), all) << json::serialize(all);
  }
}

// Texts put together from all that means something in YAML, at any depth.
TEST(WriteYaml, EveryValueComesBack) {
  constexpr std::string_view kPieces[] = {"a", "b c", "\n", " ", "  ", ":", "#", "-", "|", "\"", "'", "\\", "{", "]", "1", "true", "\t", "%", "é", "---"};
  std::mt19937 random(11);
  auto text = [&] {
    std::string out;
    for (auto pieces = random() % 8; pieces > 0; --pieces) out += kPieces[random() % std::size(kPieces)];
    return out;
  };
  for (int round = 0; round < 3000; ++round) {
    json::value all{{text(), text()}, {"list", json::array{text(), json::value{{"k", text()}, {"n", static_cast<int>(random())}}, json::array{text()}}}};
    ASSERT_EQ(read_back(all), all) << write_yaml(all);
  }
}

}  // namespace
}  // namespace lo::workflow
