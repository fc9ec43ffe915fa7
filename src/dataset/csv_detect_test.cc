#include "dataset/csv_detect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dataset/csv_open.h"

namespace lo::dataset {
namespace {

using std::string_literals::operator""s;

TEST(DetectEncoding, ByTheBytes) {
  EXPECT_EQ(detect_encoding(""), "utf-8");
  EXPECT_EQ(detect_encoding("a,b\n1,2\n"), "utf-8");
  EXPECT_EQ(detect_encoding("Name\nJosé\n"), "utf-8");
  EXPECT_EQ(detect_encoding("\xef\xbb\xbf""a,b\n"), "utf-8");
  EXPECT_EQ(detect_encoding("Name\nJos\xe9\n"), "cp1252");
  EXPECT_EQ(detect_encoding("price\n\x80 3\n"), "cp1252");
  EXPECT_EQ(detect_encoding("odd\n\x81\xe9\n"), "latin-1");
  EXPECT_EQ(detect_encoding("\xff\xfe""a\0\n\0"s), "utf-16");
  EXPECT_EQ(detect_encoding("\xfe\xff\0a\0\n"s), "utf-16");
  EXPECT_EQ(detect_encoding("a\0,\0b\0\n\0"s), "utf-16le");
  EXPECT_EQ(detect_encoding("\0a\0,\0b\0\n"s), "utf-16be");
}

TEST(DetectEncoding, ASampleMayEndWithinACharacter) {
  for (std::string text : {"é", "€", "😀"})
    for (std::size_t cut = 1; cut < text.size(); ++cut) EXPECT_EQ(detect_encoding("abc" + text.substr(0, text.size() - cut)), "utf-8") << text;
  EXPECT_EQ(detect_encoding("abc\xe2\x82\xe2\x82\xe2"), "cp1252");  // more than one is cut off
}

TEST(DetectDelimiter, IsWhatAllRowsHaveEquallyOften) {
  EXPECT_EQ(detect_delimiter("a,b\n1,2\n", true), ',');
  EXPECT_EQ(detect_delimiter("a;b\n1,5;2,5\n", true), ';');  // decimal commas
  EXPECT_EQ(detect_delimiter("a\tb\r\n1\t2\r\n\r\n", true), '\t');
  EXPECT_EQ(detect_delimiter("a|b|c\n1|2|3", true), '|');
  EXPECT_EQ(detect_delimiter("a;x,b;y\n1;x,2;y\n", true), ',');  // both would do
  EXPECT_EQ(detect_delimiter("\"a;b\",c\n\"1;;;\",2\n", true), ',');
  EXPECT_EQ(detect_delimiter("size;name\n5\" nail;a\n6\" nail;b\n", true), ';');  // a quote that is a character
  EXPECT_EQ(detect_delimiter("a;b\r1,5;2,5\r", true), ';');
  EXPECT_EQ(detect_delimiter("a;b\n\"1\n;;\"\"\";2\n", true), ';');  // a line end and a quote within quotes
}

TEST(DetectDelimiter, IsTheCommaWhereNoneWouldDo) {
  EXPECT_EQ(detect_delimiter("", true), ',');
  EXPECT_EQ(detect_delimiter("text\nfirst; second\nthird\n", true), ',');
  EXPECT_EQ(detect_delimiter("a;b\n1;2;3\n", true), ',');
}

TEST(DetectDelimiter, ARowThatIsCutOffSaysNothing) {
  EXPECT_EQ(detect_delimiter("a;b;c\n1;2;3\n1;2", false), ';');
  EXPECT_EQ(detect_delimiter("a;b;c\n1;2;3\n1;2", true), ',');
}

TEST(OpenCsv, GuessesWhatIsNotGiven) {
  auto opened = open_csv(open_text("Name;Price\nJos\xe9;3\n"), {}).value();
  EXPECT_EQ(opened.options.encoding, "cp1252");
  EXPECT_EQ(opened.options.delimiter, ';');
  std::string text(100, '\0');
  text.resize(opened.text->read(text).value());
  EXPECT_EQ(text, "Name;Price\nJosé;3\n");
}

TEST(OpenCsv, LeavesWhatIsGiven) {
  auto opened = open_csv(open_text("a;b\n\xe9;2\n"), {.delimiter = ',', .encoding = "latin-1"}).value();
  EXPECT_EQ(opened.options.encoding, "latin-1");
  EXPECT_EQ(opened.options.delimiter, ',');
  EXPECT_FALSE(open_csv(open_text("a\n"), {.encoding = "klingon"}));
}

TEST(OpenCsv, LongFilesComeWhole) {
  std::string text = "a;b\n";
  while (text.size() < 300'000) text += "é" + std::to_string(text.size()) + ";x\n";
  auto opened = open_csv(open_text(text), {}).value();
  EXPECT_EQ(opened.options.encoding, "utf-8");
  EXPECT_EQ(opened.options.delimiter, ';');
  EXPECT_EQ(opened.text->bytes_total(), static_cast<std::int64_t>(text.size()));
  std::string read, some(10'000, '\0');
  for (auto got = opened.text->read(some).value(); got > 0; got = opened.text->read(some).value()) read.append(some, 0, got);
  EXPECT_EQ(read == text, true);
}

}  // namespace
}  // namespace lo::dataset
