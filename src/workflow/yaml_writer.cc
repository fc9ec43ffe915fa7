#include "workflow/yaml_writer.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <vector>

#include "workflow/document.h"

namespace lo::workflow {
namespace {

// Words, dates and numbers of YAML 1.1, which other readers may take for something else than text. (No reader takes y and n.)
bool is_ambiguous(std::string_view text) {
  constexpr std::string_view kWords[] = {"yes", "no", "on", "off"};
  std::string lower;
  for (char c : text.substr(0, 4)) lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  bool starts_like_a_number = text.find_first_of("0123456789+-.=") == 0;
  return starts_like_a_number || (text.size() <= 3 && std::ranges::find(kWords, lower) != std::end(kWords));
}

std::string one_scalar(const std::string& text, YAML::EMITTER_MANIP style) {
  YAML::Emitter out;
  out << YAML::BeginSeq << style << text << YAML::EndSeq;
  return out.c_str();
}

bool comes_back(const std::string& yaml, const std::string& text) {
  auto document = read_yaml(yaml);
  return document && document->value == json::value(json::array{json::value(text)});
}

class Writer {
 public:
  std::string write(const json::value& value) {
    put(value);
    std::string text = out_.c_str();
    for (auto at = to_strip_.rbegin(); at != to_strip_.rend(); ++at) text.insert(*at, "-");
    return text + "\n";
  }

 private:
  void put(const json::value& value) {
    if (const auto* object = value.if_object()) return put_object(*object);
    if (const auto* array = value.if_array()) return put_array(*array);
    if (const auto* text = value.if_string()) return put_text(std::string(*text));
    if (value.is_null())
      out_ << YAML::Null;
    else
      out_ << write_json(value);  // true, 3, 0.5
  }

  void put_object(const json::object& object) {
    out_ << (object.empty() ? YAML::Flow : YAML::Block) << YAML::BeginMap;
    for (const auto& member : object) {
      out_ << YAML::Key;
      put_text(std::string(member.key()));
      out_ << YAML::Value;
      put(member.value());
    }
    out_ << YAML::EndMap;
  }

  void put_array(const json::array& array) {
    out_ << (array.empty() ? YAML::Flow : YAML::Block) << YAML::BeginSeq;
    for (const auto& element : array) put(element);
    out_ << YAML::EndSeq;
  }

  void put_text(const std::string& text) {
    if (text.find('\n') != text.npos) return put_lines(text);
    bool plain = !is_ambiguous(text) && comes_back(one_scalar(text, YAML::Auto), text);
    out_ << (plain ? YAML::Auto : YAML::DoubleQuoted) << text;
  }

  // A literal block ends in one line feed; where the text has none, the block's header says so ("|-"), for which yaml-cpp has no word.
  void put_lines(const std::string& text) {
    bool ends_in_line_feed = text.ends_with('\n');
    auto lines = ends_in_line_feed ? text.substr(0, text.size() - 1) : text;
    if (!comes_back(one_scalar(lines, YAML::Literal) + "\n", lines + "\n")) {
      out_ << YAML::DoubleQuoted << text;
      return;
    }
    auto before = out_.size();
    out_ << YAML::Literal << lines;
    if (!ends_in_line_feed) to_strip_.push_back(std::string_view(out_.c_str()).find('|', before) + 1);
  }

  YAML::Emitter out_;
  std::vector<std::size_t> to_strip_;  // where the headers of such blocks end
};

}  // namespace

std::string write_yaml(const json::value& value) { return Writer().write(value); }

}  // namespace lo::workflow
