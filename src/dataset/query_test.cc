#include "dataset/query.h"

#include <gmock/gmock.h>
#include <arrow/builder.h>
#include <arrow/io/file.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>
#include <cmath>
#include <random>

#include "dataset/page.h"
#include "dataset/table_file.h"
#include "dataset/table_writer.h"
#include "dataset/test_util.h"

namespace lo::dataset {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// What MongoDB answers to each filter on these documents, by their _id:
//   https://www.mongodb.com/docs/manual/tutorial/query-for-null-fields/
//   https://www.mongodb.com/docs/manual/reference/method/db.collection.find/#type-bracketing
constexpr std::string_view kDocuments = R"([
  {"_id": 1, "a": 1, "s": "x", "o": {"k": 1, "l": "m"}},
  {"_id": 2, "a": 2.5, "s": "y", "o": {"k": 2}},
  {"_id": 3, "a": "1", "s": "X"},
  {"_id": 4, "a": null, "s": ""},
  {"_id": 5, "s": null},
  {"_id": 6, "a": true, "s": "xyz"},
  {"_id": 7, "a": [1, 2, null], "s": ["x", "q"], "o": [{"k": 5}, {"k": 6}]},
  {"_id": 8, "a": [], "s": "2026-01-31T00:00:00Z"},
  {"_id": 9, "a": -3, "s": "é", "d.e": 1},
  {"_id": 10, "a": 9007199254740993, "d": {"e": 2}}
])";

struct Case {
  std::string_view query;
  std::vector<int> ids;
};

const std::vector<Case> kTable{
    {"{}", {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
    // equality; a string never equals a number, true is not 1; arrays by element or as a whole
    {R"({"a": 1})", {1, 7}},
    {R"({"a": 1.0})", {1, 7}},
    {R"({"a": "1"})", {3}},
    {R"({"a": true})", {6}},
    {R"({"a": [1, 2, null]})", {7}},
    {R"({"a": []})", {8}},
    {R"({"a": {"$eq": 2.5}})", {2}},
    {R"({"a": 9007199254740993})", {10}},
    {R"({"a": 9007199254740992})", {}},
    {R"({"s": "x"})", {1, 7}},
    {R"({"_id": 4})", {4}},
    // null: null, missing, or an array that holds null
    {R"({"a": null})", {4, 5, 7}},
    {R"({"a": {"$ne": null}})", {1, 2, 3, 6, 8, 9, 10}},
    {R"({"a": {"$in": [null]}})", {4, 5, 7}},
    {R"({"a": {"$nin": [null]}})", {1, 2, 3, 6, 8, 9, 10}},
    {R"({"a": {"$gte": null}})", {4, 5, 7}},
    {R"({"a": {"$lte": null}})", {4, 5, 7}},
    {R"({"a": {"$gt": null}})", {}},
    {R"({"nothing": null})", {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
    // $exists: a null is there
    {R"({"a": {"$exists": true}})", {1, 2, 3, 4, 6, 7, 8, 9, 10}},
    {R"({"a": {"$exists": false}})", {5}},
    {R"({"a": {"$exists": 0}})", {5}},
    // $ne and $nin match null and missing; an array matches when no element is equal
    {R"({"a": {"$ne": 1}})", {2, 3, 4, 5, 6, 8, 9, 10}},
    {R"({"a": {"$nin": [1, 2.5]}})", {3, 4, 5, 6, 8, 9, 10}},
    {R"({"a": {"$in": [1, "1", true]}})", {1, 3, 6, 7}},
    {R"({"a": {"$in": []}})", {}},
    {R"({"a": {"$nin": []}})", {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
    // order stays within a type
    {R"({"a": {"$gt": 1}})", {2, 7, 10}},
    {R"({"a": {"$gte": 1}})", {1, 2, 7, 10}},
    {R"({"a": {"$lt": 1}})", {9}},
    {R"({"a": {"$lte": 1}})", {1, 7, 9}},
    {R"({"a": {"$gt": ""}})", {3}},
    {R"({"a": {"$gte": false}})", {6}},
    {R"({"a": {"$lt": false}})", {}},
    {R"({"a": {"$gt": 1, "$lt": 2}})", {7}},  // an array: each condition by some element
    {R"({"s": {"$gte": "2026-01-01", "$lt": "2026-02-01"}})", {8}},
    {R"({"a": {"$gt": 9007199254740992}})", {10}},
    // $not is the negation, and so matches other types, null and missing
    {R"({"a": {"$not": {"$gt": 1}}})", {1, 3, 4, 5, 6, 8, 9}},
    {R"({"a": {"$not": {"$exists": true}}})", {5}},
    {R"({"a": {"$not": {"$ne": 1}}})", {1, 7}},
    {R"({"s": {"$not": {"$regex": "x"}}})", {2, 3, 4, 5, 8, 9, 10}},
    // logic
    {R"({"$or": [{"a": 1}, {"s": "y"}]})", {1, 2, 7}},
    {R"({"$and": [{"a": {"$gt": 0}}, {"s": "y"}]})", {2}},
    {R"({"$nor": [{"a": 1}, {"s": "y"}]})", {3, 4, 5, 6, 8, 9, 10}},
    {R"({"a": 1, "s": "x"})", {1, 7}},
    {R"({"$or": [{"$and": [{"a": 1}, {"s": "x"}]}, {"$nor": [{"s": {"$exists": true}}]}]})", {1, 7, 10}},
    {R"({"a": {"$gt": 0}, "$or": [{"s": "x"}, {"s": "y"}]})", {1, 2, 7}},
    // $regex: texts alone, anywhere in them
    {R"({"s": {"$regex": "x"}})", {1, 6, 7}},
    {R"({"s": {"$regex": "^x$"}})", {1, 7}},
    {R"({"s": {"$regex": "x", "$options": "i"}})", {1, 3, 6, 7}},
    {R"({"s": {"$options": "i", "$regex": "^X$"}})", {1, 3, 7}},
    {R"({"a": {"$regex": "1"}})", {3}},
    {R"({"s": {"$regex": "^.$"}})", {1, 2, 3, 7, 9}},
    {R"({"s": {"$regex": ""}})", {1, 2, 3, 4, 6, 7, 8, 9}},
    // names with dots
    {R"({"o.k": 1})", {1}},
    {R"({"o.k": 6})", {7}},
    {R"({"o.0.k": 5})", {7}},
    {R"({"a.1": 2})", {7}},
    {R"({"d.e": {"$gt": 0}})", {9, 10}},
    {R"({"o": {"k": 1, "l": "m"}})", {1}},
    {R"({"o": {"l": "m", "k": 1}})", {}},  // the order counts
    {R"({"o.k": null})", {3, 4, 5, 6, 8, 9, 10}},
    // as Python prints a dict
    {R"({'s': 'x', 'a': {'$ne': None}})", {1}},
    {R"({'a': True})", {6}},
    {R"({"s": 'x', 'a': {'$exists': False}})", {}},
    {R"({'s': '\xe9'})", {9}},
    {R"({'s': "\u00e9"})", {9}},
    {"", {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
};

TEST(Query, MeansWhatMongoDBMeans) {
  auto documents = parse_json(kDocuments).value();
  for (const auto& [text, expected] : kTable) {
    auto query = parse_query(text);
    ASSERT_TRUE(query) << text << ": " << query.error().message;
    std::vector<int> ids;
    for (const auto& document : documents.as_array())
      if (query->matches(document.as_object())) ids.push_back(static_cast<int>(document.at("_id").as_int64()));
    EXPECT_EQ(ids, expected) << text;
  }
}

TEST(Query, RefusesWhatItDoesNotKnow) {
  const std::vector<std::pair<std::string_view, std::string_view>> refused{
      {R"({"a": {"$gtt": 1}})", "'$gtt'"},
      {R"({"$where": "1"})", "'$where'"},
      {R"({"a": {"$elemMatch": {}}})", "'$elemMatch'"},
      {R"({"$not": {"a": 1}})", "'$not'"},
      {R"({"$and": []})", "$and"},
      {R"({"$or": {"a": 1}})", "$or"},
      {R"({"$or": [1]})", "$or takes conditions, not 1"},
      {R"({"a": {"$in": 1}})", "$in of 'a'"},
      {R"({"a": {"$in": [{"$gt": 1}]}})", "$in of 'a'"},
      {R"({"a": {"$not": 1}})", "$not of 'a'"},
      {R"({"a": {"$not": {}}})", "$not of 'a'"},
      {R"({"a": {"$gt": [1]}})", "$gt of 'a'"},
      {R"({"a": {"$gt": 1, "b": 2}})", "'b'"},
      {R"({"a": {"$regex": 1}})", "$regex of 'a'"},
      {R"({"a": {"$regex": "("}})", "$regex of 'a', '('"},
      {R"_({"a": {"$regex": "(?=x)"}})_", "$regex of 'a'"},
      {R"({"a": {"$regex": "x", "$options": "m"}})", "\"m\""},
      {R"({"a": {"$options": "i"}})", "'$options'"},
      {R"([1])", "'[1]'"},
      {R"(1)", "'1'"},
  };
  for (const auto& [text, named] : refused) {
    auto query = parse_query(text);
    ASSERT_FALSE(query) << text;
    EXPECT_EQ(query.error().code, Code::unacceptable) << text;
    EXPECT_THAT(query.error().message + query.error().fields.at(0).detail, HasSubstr(std::string(named))) << text;
  }
}

TEST(Query, RefusesWhatIsNoJson) {
  for (std::string_view text :
       {"{", "{'a': 'x}", "{'a': '\\q'}", "{'a': '\\ud800'}", "{'a': '\\u12'}", "{'a': nan}", "a", "{'a': 1}}"})
    EXPECT_EQ(parse_query(text).error().code, Code::malformed) << text;
}

TEST(Query, DepthIsBounded) {
  auto nested = [](std::size_t depth) {
    std::string text = "1";
    for (std::size_t i = 0; i < depth; ++i) text = R"({"a": )" + text + "}";
    return text;
  };
  EXPECT_TRUE(parse_query(nested(kMaxQueryDepth)));
  auto deep = parse_query(nested(kMaxQueryDepth + 1));
  ASSERT_FALSE(deep);
  EXPECT_EQ(deep.error().code, Code::unacceptable);
}

class Find : public FolderTest {
 protected:
  std::vector<int> ids(const std::string& query, std::int64_t skip = 0, std::int64_t limit = 1000) {
    json::object metadata{{"_id", 0}, {"name", "n"}, {"finished", true}};
    std::vector<int> ids;
    auto found = find(parquet_, parse_query(query).value(), metadata, skip, limit).value();
    for (const auto& document : found) ids.push_back(static_cast<int>(document.at("_id").as_int64()));
    return ids;
  }

  std::filesystem::path parquet_;
};

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(Find, TheMetadataIsADocumentLikeAnyOther) {
  parquet_ = table("name,x\nn,1\nm,2\nn,3\n");
  EXPECT_THAT(ids("{}"), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(ids(R"({"name": "n"})"), ElementsAre(0, 1, 3));
  EXPECT_THAT(ids(R"({"name": {"$ne": "n"}})"), ElementsAre(2));
  EXPECT_THAT(ids(R"({"finished": true})"), ElementsAre(0));
  EXPECT_THAT(ids(R"({"finished": null})"), ElementsAre(1, 2, 3));
  EXPECT_THAT(ids(R"({"_id": 0})"), ElementsAre(0));
}

TEST_F(Find, SkipAndLimitCountMatches) {
  parquet_ = table("name,x\nn,1\nm,2\nn,3\nn,4\n");
  EXPECT_THAT(ids(R"({"name": "n"})", 1, 2), ElementsAre(1, 3));
  EXPECT_THAT(ids(R"({"name": "n"})", 2, 10), ElementsAre(3, 4));
  EXPECT_THAT(ids(R"({"name": "n"})", 4, 10), IsEmpty());
  EXPECT_THAT(ids("{}", 0, 0), IsEmpty());
  EXPECT_THAT(ids("{}", 1, 1), ElementsAre(1));
  EXPECT_THAT(ids("{}", 0, 1), ElementsAre(0));
}

TEST_F(Find, AcrossRowGroupsByNumber) {
  std::string csv = "n\n";
  for (int i = 1; i <= 200'000; ++i) csv += std::to_string(i) + "\n";
  parquet_ = table(csv, {.types = {{"n", Type::integer}}});
  EXPECT_THAT(ids(R"({"n": {"$gt": 199998}})"), ElementsAre(199'999, 200'000));
  EXPECT_THAT(ids(R"({"_id": 150000})"), ElementsAre(150'000));
  EXPECT_THAT(ids(R"({"_id": {"$gte": 131072, "$lt": 131074}})"), ElementsAre(131'072, 131'073));
  EXPECT_THAT(ids(R"({"_id": {"$gt": 199999}, "n": {"$exists": true}})"), ElementsAre(200'000));
  EXPECT_THAT(ids(R"({"_id": {"$gt": 9223372036854775807}})"), IsEmpty());
  EXPECT_THAT(ids(R"({"_id": -1})"), IsEmpty());
  EXPECT_THAT(ids(R"({"$or": [{"_id": 3}, {"n": 100000}]})"), ElementsAre(3, 100'000));
}

TEST_F(Find, GroupsThatCannotMatchAreNotRead) {
  std::string csv = "n,t\n";
  for (int i = 1; i <= 200'000; ++i) csv += std::to_string(i) + (i <= 100'000 ? ",a" : ",b") + "\n";
  parquet_ = table(csv, {.types = {{"n", Type::integer}}});
  {
    std::fstream file(parquet_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4);
    file << std::string(1000, '\xff');  // the first values of the first group
  }
  json::object metadata{{"_id", 0}};
  auto found = [&](const std::string& query) { return find(parquet_, parse_query(query).value(), metadata, 0, 10); };
  EXPECT_FALSE(found(R"({"n": 3})"));
  for (const auto* query : {R"({"n": 150000})", R"({"n": {"$gt": 199999.5}})", R"({"n": {"$in": [150000, "x"]}})", R"({"$or": [{"n": 150000}, {"n": "3"}]})",
                            R"({"t": "b", "n": {"$gte": 150000, "$lt": 150001}})"})
    EXPECT_EQ(found(query).value().size(), 1U) << query;
  EXPECT_EQ(found(R"({"n": {"$gt": 200000}})").value().size(), 0U);
}

// Each query over a table in groups, of which bounds are known, against the same over each row by itself.
TEST_F(Find, FindsWhatLookingAtEachRowFinds) {
  std::mt19937 random(7);
  std::string csv = "n,x,t\n";
  for (int i = 0; i < 3000; ++i)
    csv += fmt::format("{},{},{}\n", random() % 5 == 0 ? "" : std::to_string(i / 100), random() % 4 == 0 ? "" : std::to_string(0.5 * (i % 7)),
                       std::string(random() % 3, static_cast<char>('a' + i / 1000)));
  auto whole = table(csv, {.types = {{"n", Type::integer}, {"x", Type::number}}});
  auto rows = read_page(whole, 0, 3000).value();
  auto reader = TableReader::open(whole).value();
  auto batch = reader.read(0).value();
  parquet_ = path("small-groups.parquet");
  auto sink = arrow::io::FileOutputStream::Open(parquet_.string()).ValueOrDie();
  ASSERT_TRUE(parquet::arrow::WriteTable(*arrow::Table::FromRecordBatches({batch}).ValueOrDie(), arrow::default_memory_pool(), sink, 200).ok());
  ASSERT_EQ(TableReader::open(parquet_).value().groups(), 15);
  std::vector<std::string> operands{"0", "7", "7.5", "-1", "29", "30", "\"\"", "\"a\"", "\"bb\"", "\"zz\"", "null", "true", "1e300"};
  for (const auto* field : {"n", "x", "t"})
    for (const auto* operation : {"$eq", "$ne", "$gt", "$gte", "$lt", "$lte"})
      for (const auto& operand : operands) {
        auto text = fmt::format(R"({{"$or": [{{"{}": {{"{}": {}}}}}, {{"$and": [{{"n": 12}}, {{"t": {{"$in": ["b", {}]}}}}]}}]}})", field, operation, operand, operand);
        auto query = parse_query(text).value();
        std::vector<int> expected;
        for (const auto& row : rows)
          if (query.matches(row.as_object())) expected.push_back(static_cast<int>(row.at("_id").as_int64()));
        auto got = ids(text, 0, 10'000);
        if (!got.empty() && got.front() == 0) got.erase(got.begin());  // the metadata
        EXPECT_EQ(got, expected) << text;
      }
}

// A step may have written anything as its table.
TEST_F(Find, DamageIsAnErrorOrHarmless) {
  auto whole = table("n,t\n1,x\n2,y\n", {.types = {{"n", Type::integer}}});
  std::string bytes(std::filesystem::file_size(whole), '\0');
  std::ifstream(whole, std::ios::binary).read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  for (std::size_t at = 0; at < bytes.size(); ++at)
    for (char flip : {'\x01', '\x08', '\xff'}) {
      auto damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      auto file = write("damaged", damaged);
      EXPECT_NO_THROW((void)find(file, parse_query(R"({"n": 2, "t": "y"})").value(), {{"_id", 0}}, 0, 10)) << at;
      EXPECT_NO_THROW((void)read_page(file, 0, 10)) << at;
    }
}

TEST_F(Find, NoNumberIsOutsideOfTheBounds) {
  arrow::DoubleBuilder numbers;
  for (double number : {std::nan(""), 1.0, std::nan("")}) EXPECT_TRUE(numbers.Append(number).ok());
  auto schema = arrow::schema({arrow::field("x", arrow::float64())});
  parquet_ = fresh();
  auto writer = TableWriter::open(parquet_, schema).value();
  ASSERT_TRUE(writer.write(*arrow::RecordBatch::Make(schema, 3, {numbers.Finish().ValueOrDie()})));
  ASSERT_TRUE(writer.finish());
  EXPECT_THAT(ids(R"({"x": 1})"), ElementsAre(2));
  EXPECT_THAT(ids(R"({"x": {"$gt": 1}})"), IsEmpty());
  EXPECT_THAT(ids(R"({"_id": {"$gt": 0}, "x": null})"), ElementsAre(1, 3));  // shown as null
}

TEST_F(Find, WholeDocumentsComeBack) {
  parquet_ = table("a,b\n1,x\n2,y\n");
  auto found = find(parquet_, parse_query(R"({"b": "y"})").value(), {{"_id", 0}}, 0, 10).value();
  EXPECT_EQ(json::serialize(found), R"([{"_id":2,"a":"2","b":"y"}])");
}

TEST_F(Find, ShowsTheFieldsThatAreAskedFor) {
  parquet_ = table("a,b,c\n1,x,u\n2,y,v\n");
  auto shown = [&](const std::string& query, const ShownFields& fields) -> Result<std::string> {
    LO_ASSIGN(auto found, find(parquet_, parse_query(query).value(), {{"_id", 0}, {"name", "n"}}, 0, 10, {}, fields));
    return json::serialize(found);
  };
  EXPECT_EQ(shown("", {"c", "a", "c"}), R"([{"_id":0,"name":"n"},{"_id":1,"c":"u","a":"1"},{"_id":2,"c":"v","a":"2"}])");
  EXPECT_EQ(shown(R"({"b": "y"})", {"a"}), R"([{"_id":2,"a":"2"}])");  // a condition on what is not shown
  EXPECT_EQ(shown(R"({"b": "y"})", {"_id"}), R"([{"_id":2}])");
  for (const auto* query : {"", R"({"b": "y"})", R"({"b": "none"})"}) {
    auto refused = shown(query, {"a", "bb"}).error();
    EXPECT_EQ(refused.code, Code::unacceptable);
    EXPECT_EQ(refused.fields.at(0).pointer, "fields");
    EXPECT_THAT(refused.fields.at(0).detail, HasSubstr("there is no field 'bb'"));
  }
}

TEST_F(Find, Stops) {
  parquet_ = table("a\n1\n");
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(find(parquet_, Query(), {{"_id", 0}}, 0, 10, stop.get_token()).error().code, Code::cancelled);
}

}  // namespace
}  // namespace lo::dataset
