// The services of the two tools. A body has one of two forms:
//   class form      {name, modulePath, class, classParameters?, method?, methodParameters?}: something new
//   instance form   {name, parentName, modelName?, method, methodParameters?}: a method of what a step of the line has made
// and for model a file instead: an upload, or {modelName, modelURI}.
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "api/mentions.h"
#include "api/service.h"
#include "api/tool_checks.h"

namespace lo::api {
namespace {

struct Kind {
  std::string_view service;
  bool takes_class;     // the class form is allowed
  bool takes_instance;  // the instance form is
  bool is_model;        // its name is `modelName`, it has no method, and it may be a file
  Shown shown;
  std::string_view summary;
};

constexpr std::array<Kind, 7> kKinds{{
    {"model", true, false, true, Shown::attempts, "An instance of a class, what a callable gives, or a trained model from a file"},
    {"train", false, true, false, Shown::attempts, "A model after one of its methods, such as fit, has run"},
    {"tune", true, true, false, Shown::attempts, "What a search over parameters found"},
    {"predict", false, true, false, Shown::attempts, "What a method of a model gives, such as predict"},
    {"evaluate", true, true, false, Shown::attempts, "What a method of a model or a metric gives"},
    {"transform", true, true, false, Shown::attempts, "What a method of a transformer or a function gives"},
    {"explore", true, true, false, Shown::picture, "A picture of what a method or a function gives"},
}};

// The parameters of a call, with the references in them.
class CallReader {
 public:
  CallReader(Fields& fields, json::object& request) : fields_(fields), request_(request) {}

  void class_form(bool with_method) {
    request_["modulePath"] = fields_.text("modulePath");
    request_["class"] = fields_.text("class");
    parameters("classParameters");
    if (!with_method) return;
    if (auto method = fields_.optional_text("method")) request_["method"] = *method;
    parameters("methodParameters");
  }

  void instance_form(bool needs_method) {
    reference("modelName");
    request_["parentName"] = fields_.text("parentName");
    mention("parentName");
    if (needs_method || fields_.has("method")) request_["method"] = fields_.text("method");
    fields_.accept("method");
    parameters("methodParameters");
  }

  std::vector<engine::Mention> mentions() { return std::move(mentions_); }

 private:
  void parameters(std::string_view key) {
    auto values = fields_.optional_object(key);
    auto found = find_mentions(values, fmt::format("/{}", key));
    if (!found) return fields_.refuse(found.error());
    for (auto& one : *found) add(std::move(one));
    if (fields_.has(key)) request_[key] = std::move(values);
  }

  void reference(std::string_view key) {
    fields_.accept(key);
    if (!fields_.has(key)) return;
    request_[key] = fields_.text(key);
    mention(key);
  }

  void mention(std::string_view key) {
    auto text = string_or(request_, key);
    if (!text.empty()) add({.text = std::move(text), .pointer = fmt::format("/{}", key)});
  }

  void add(engine::Mention mention) {
    if (std::ranges::find(mentions_, mention.text, &engine::Mention::text) == mentions_.end())
      mentions_.push_back(std::move(mention));
  }

  Fields& fields_;
  json::object& request_;
  std::vector<engine::Mention> mentions_;
};

std::string read_name(const Kind& kind, Fields& fields, json::object& request) {
  std::string key = kind.is_model && (fields.has("modelName") || !fields.has("name")) ? "modelName" : "name";
  auto name = fields.name(key);
  request[key] = name;
  return name;
}

void read_file(Fields& fields, json::object& request, const Context& context) {
  if (fields.has("upload"))
    request["upload"] = fields.object("upload");
  else
    request["modelURI"] = read_url(fields, "modelURI", context);
  if (auto format = fields.optional_text("format")) request["format"] = *format;
}

// What is not said by the call itself, passed on to the step as it is.
void read_options(const Kind& kind, const json::object& body, Fields& fields, json::object& request) {
  if (fields.optional_flag("nullable")) request["nullable"] = true;
  if ((kind.service == "train" || kind.service == "tune") && fields.optional_flag("checkpoint")) request["checkpoint"] = true;
  if (kind.service != "explore") return;
  for (auto key : {"figure", "hue"}) {
    fields.accept(key);
    if (fields.has(key)) request[key] = body.at(key);
  }
}

Result<Draft> read(const Kind& kind, const std::string& path, const json::object& body, const Context& context) {
  Fields fields(body);
  json::object request;
  auto name = read_name(kind, fields, request);
  CallReader call(fields, request);
  for (auto key : {"upload", "modelURI", "format"})
    if (kind.is_model) fields.accept(key);
  auto is_file = kind.is_model && (fields.has("upload") || fields.has("modelURI"));
  auto is_class = kind.takes_class && (!kind.takes_instance || fields.has("modulePath") || fields.has("class"));
  if (is_file) read_file(fields, request, context);
  if (!is_file && is_class) call.class_form(!kind.is_model);
  if (!is_file && !is_class) call.instance_form(kind.shown != Shown::picture);  // a stored value can be drawn as it is
  read_options(kind, body, fields, request);
  if (auto description = fields.optional_text("description")) request["description"] = *description;
  auto labels = fields.optional_object("labels");
  for (auto key : {"modulePath", "class", "classParameters"})
    if (is_file) fields.accept(key);
  LO_TRY(fields.finish());
  copy_policy(body, request);
  Draft draft{.steps = {}, .mentions = call.mentions()};
  draft.steps.push_back({.name = name, .service = path, .request = std::move(request), .labels = std::move(labels)});
  return draft;
}

void append(json::array& line, const json::value& name) {
  if (std::ranges::find(line, name) == line.end()) line.push_back(name);
}

// The line of an instance form: the model that it names, its parent, and the parent's own line. The steps of it become parents, too:
// which of them has the method is known when the step runs.
Status add_line(Draft& draft, const Context& context) {
  auto& request = draft.steps.front().request;
  if (!request.contains("parentName")) return {};
  json::array line;
  if (const auto* model = request.if_contains("modelName")) append(line, *model);
  auto parent = string_or(request, "parentName");
  append(line, json::value(parent));
  LO_ASSIGN(auto revision, bound_revision(context, parent));
  const auto* further = revision ? revision->request.if_contains("line") : nullptr;
  if (further != nullptr && further->is_array())
    for (const auto& name : further->get_array()) append(line, name);
  for (const auto& name : line) {
    std::string text(name.as_string());
    if (std::ranges::find(draft.mentions, text, &engine::Mention::text) == draft.mentions.end())
      draft.mentions.push_back({.text = std::move(text), .pointer = "/parentName"});
  }
  request["line"] = std::move(line);
  return {};
}

json::object without(json::object request, std::string_view key) {
  request.erase(key);
  return request;
}

json::object schema(const Kind& kind) {
  json::object properties{{"description", {{"type", "string"}}},
                          {"nullable", nullable_schema()},
                          {"methodParameters", {{"type", "object"}, {"description", "\"$name\" is a stored result, \"#…\" an expression"}}}};
  auto text = json::object{{"type", "string"}, {"minLength", 1}};
  properties[kind.is_model ? "modelName" : "name"] = json::object{{"$ref", "#/components/schemas/Name"}};
  if (kind.takes_class) {
    properties["modulePath"] = text;
    properties["class"] = text;
    properties["classParameters"] = json::object{{"type", "object"}};
  }
  if (kind.takes_instance) {
    properties["parentName"] = json::object{{"$ref", "#/components/schemas/Reference"}};
    properties["modelName"] = json::object{{"$ref", "#/components/schemas/Reference"}};
  }
  if (kind.is_model) properties["modelURI"] = text;
  if (kind.is_model) properties.erase("methodParameters"); else properties["method"] = text;
  return {{"type", "object"}, {"required", json::array{kind.is_model ? "modelName" : "name"}}, {"properties", std::move(properties)}};
}

std::optional<UploadForm> upload_form(const Kind& kind) {
  if (!kind.is_model) return std::nullopt;
  return UploadForm{.content_types = {"application/octet-stream", "application/zip"},
                    .texts = {"modelName", "format", "description"},
                    .values = {},
                    .sources = {{"modelURI"}, {"modulePath", "class", "classParameters"}}};
}

Service tool_service(const Kind& kind, std::string_view tool) {
  auto path = fmt::format("{}/{}", kind.service, tool);
  return {.path = path,
          .name_key = kind.is_model ? "modelName" : "name",
          .has_patch = true,
          .shown = kind.shown,
          .read = [&kind, path](const json::object& body, const Context& context) { return read(kind, path, body, context); },
          .check = [](Draft& draft, const Context& context) -> Status {
            LO_TRY(add_line(draft, context));
            return check_call(draft.steps.front(), context);
          },
          .body_of = [](const std::string&, const json::object& request) { return without(request, "line"); },
          .schema = schema(kind),
          .summary = std::string(kind.summary),
          .upload = upload_form(kind)};
}

}  // namespace

std::vector<Service> tool_services() {
  std::vector<Service> services;
  for (const auto& kind : kKinds)
    for (std::string_view tool : {"scikitlearn", "tensorflow"}) services.push_back(tool_service(kind, tool));
  return services;
}

}  // namespace lo::api
