#include "api/tool_index.h"

#include <gmock/gmock.h>

#include <fstream>

#include "api/tool_checks.h"
#include "base/id.h"
#include "base/testing/temporary_folder.h"
#include "catalog/fake_catalog.h"

namespace lo::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsNull;

constexpr std::string_view kIndex = R"({
  "v": 1, "python": "3.11", "packages": {},
  "tools": {"scikitlearn": {"allowed": ["sklearn", "xgboost"], "covered": ["sklearn"]},
            "tensorflow": {"allowed": ["keras"], "covered": []}},
  "general": {"explore": ["numpy"]},
  "aliases": {"old.sklearn": "sklearn"},
  "modules": {"sklearn.svm": {"SVC": 0, "l1_min_c": 1}, "sklearn.metrics": {}},
  "callables": [
    {"kind": "class", "name": "sklearn.svm._classes.SVC", "signature": 0, "methods": 0},
    {"kind": "function", "name": "sklearn.svm._bounds.l1_min_c", "signature": 1}],
  "methods": [{"fit": 1, "predict": 2, "score": null}],
  "signatures": [{"optional": ["C", "kernel"]}, {"required": ["X", "y"], "optional": ["loss"]}, {"required": ["X"]}]
})";

class ToolIndexTest : public testing::Test {
 protected:
  Result<std::unique_ptr<ToolIndex>> read(std::string_view text) {
    std::ofstream(folder_ / "tool-index.json") << text;
    return ToolIndex::read(folder_ / "tool-index.json");
  }

  // "<pointer> <detail>" of what is wrong with a request, "" when nothing is.
  std::string problem(std::string service, json::object request) {
    std::ofstream(folder_ / "tool-index.json") << kIndex;
    tools_.add("scikitlearn", folder_ / "tool-index.json");
    Context context;
    context.catalog = &catalog_;
    context.tools = &tools_;
    auto checked = check_call({.name = "x", .service = std::move(service), .request = std::move(request), .labels = {}}, context);
    if (checked) return "";
    EXPECT_EQ(checked.error().code, Code::unacceptable);
    return checked.error().fields.at(0).pointer + " " + checked.error().fields.at(0).detail;
  }
  std::string model(json::object request) { return problem("model/scikitlearn", std::move(request)); }

  // A stored revision, as the engine would have made it.
  void add(catalog::StepId id, std::string name, std::string service, json::object request) {
    catalog::Batch batch;
    batch.emplace_back(catalog::AddStep{{.id = id, .name = name, .service = service}});
    batch.emplace_back(catalog::AddRevision{{.key = {.step = id, .revision = 1}, .name = name, .operation = service, .job = make_token(), .request = std::move(request)}});
    catalog_.commit(std::move(batch), [](const Status& status) { EXPECT_TRUE(status); });
  }

  TemporaryFolder temporary_;
  std::filesystem::path folder_ = temporary_.path();
  catalog::FakeCatalog catalog_{catalog::FakeCatalog::Mode::immediate};
  ToolIndexes tools_;
};

TEST_F(ToolIndexTest, IsReadWithItsReferences) {
  auto index = read(kIndex);
  ASSERT_TRUE(index) << index.error().message;
  const auto* svc = (*index)->find_module("sklearn.svm")->at("SVC");
  EXPECT_TRUE(svc->is_class);
  EXPECT_THAT(svc->signature->optional, ElementsAre("C", "kernel"));
  EXPECT_THAT(svc->methods->at("predict")->required, ElementsAre("X"));
  EXPECT_THAT(svc->methods->at("score"), IsNull());
  EXPECT_EQ((*index)->find_module("old.sklearn.svm"), (*index)->find_module("sklearn.svm"));
  EXPECT_THAT((*index)->allowed("scikitlearn", "explore"), ElementsAre("sklearn", "xgboost", "numpy"));
}

TEST_F(ToolIndexTest, WhatIsNoIndexIsSaidToBeNone) {
  for (auto text : {"", "[]", "{}", R"({"v": 2})", R"({"v": 1, "signatures": 3})"}) EXPECT_EQ(read(text).error().code, Code::corrupt) << text;
  EXPECT_EQ(read(R"({"v":1,"signatures":[],"methods":[{"f":7}],"callables":[],"modules":{},"aliases":{},"general":{},"tools":{}})").error().code, Code::corrupt);
  EXPECT_EQ(ToolIndex::read(folder_ / "absent").error().code, Code::not_found);
}

TEST_F(ToolIndexTest, ASoundModelPasses) {
  EXPECT_EQ(model({{"modulePath", "sklearn.svm"}, {"class", "SVC"}, {"classParameters", {{"C", 1}}}}), "");
}

TEST_F(ToolIndexTest, ModulesOfOthersAreRefused) {
  for (auto path : {"os", "subprocess", "builtins", "importlib", "sklearnx", "numpy"})
    EXPECT_THAT(model({{"modulePath", path}, {"class", "x"}}), HasSubstr("/modulePath '" + std::string(path) + "' does not belong to scikitlearn"));
  EXPECT_EQ(problem("explore/scikitlearn", {{"modulePath", "numpy"}, {"class", "histogram"}}), "");
}

TEST_F(ToolIndexTest, ModulesThatTheServerAddsAreEveryToolsOwn) {
  tools_.widen({"mylab.models"});
  for (std::string service : {"model/scikitlearn", "model/tensorflow", "explore/scikitlearn"}) {
    EXPECT_EQ(problem(service, {{"modulePath", "mylab.models.linear"}, {"class", "Line"}}), "");
    EXPECT_THAT(problem(service, {{"modulePath", "mylab"}, {"class", "Line"}}), HasSubstr("'mylab' does not belong to"));
  }
  EXPECT_THAT(model({{"modulePath", "os"}, {"class", "x"}}), HasSubstr("its modules are sklearn, xgboost, mylab.models"));
}

TEST_F(ToolIndexTest, WhatDoesNotExistIsNamedWithWhatIsNear) {
  EXPECT_THAT(model({{"modulePath", "sklearn.swm"}, {"class", "SVC"}}), HasSubstr("/modulePath there is no module 'sklearn.swm': did you mean 'sklearn.svm'?"));
  EXPECT_THAT(model({{"modulePath", "sklearn.svm"}, {"class", "SVD"}}), HasSubstr("/class module 'sklearn.svm' has no 'SVD': did you mean 'SVC'?"));
  EXPECT_THAT(model({{"modulePath", "sklearn.svm"}, {"class", "SVC"}, {"classParameters", {{"c", 1}}}}), HasSubstr("/classParameters/c SVC has no parameter 'c'"));
  EXPECT_THAT(problem("transform/scikitlearn", {{"modulePath", "sklearn.svm"}, {"class", "SVC"}, {"method", "fitt"}}), HasSubstr("/method SVC has no method 'fitt': did you mean 'fit'?"));
  EXPECT_THAT(problem("evaluate/scikitlearn", {{"modulePath", "sklearn.svm"}, {"class", "l1_min_c"}, {"methodParameters", {{"X", 1}}}}), HasSubstr("/methodParameters l1_min_c needs 'y'"));
}

TEST_F(ToolIndexTest, WhatTheIndexDoesNotKnowIsLeftToTheStep) {
  EXPECT_EQ(model({{"modulePath", "sklearn.svm._classes"}, {"class", "SVC"}}), "");
  EXPECT_EQ(model({{"modulePath", "xgboost"}, {"class", "XGBClassifier"}}), "");
  EXPECT_EQ(problem("transform/scikitlearn", {{"modulePath", "sklearn.svm"}, {"class", "SVC"}, {"method", "score"}, {"methodParameters", {{"any", 1}}}}), "");
  EXPECT_EQ(problem("model/tensorflow", {{"modulePath", "keras.layers"}, {"class", "x"}}), "");
}

TEST_F(ToolIndexTest, AToolWithoutAnIndexOfItsOwnHasItsModules) {
  EXPECT_THAT(problem("model/tensorflow", {{"modulePath", "os"}, {"class", "x"}}), HasSubstr("'os' does not belong to tensorflow: its modules are keras"));
}

TEST_F(ToolIndexTest, AMethodOfTheLineIsChecked) {
  add(1, "svc", "model/scikitlearn", {{"modulePath", "sklearn.svm"}, {"class", "SVC"}});
  add(2, "fitted", "train/scikitlearn", {{"line", {"svc"}}, {"method", "fit"}});
  json::object request{{"line", {"fitted", "svc"}}, {"method", "predict"}, {"methodParameters", {{"X", "$x"}}}};
  EXPECT_EQ(problem("predict/scikitlearn", request), "");
  request["methodParameters"] = json::object{{"Y", 1}};
  EXPECT_THAT(problem("predict/scikitlearn", request), HasSubstr("/methodParameters/Y SVC.predict has no parameter 'Y': did you mean 'X'?"));
  request["method"] = "predikt";
  EXPECT_THAT(problem("predict/scikitlearn", request), HasSubstr("/method SVC has no method 'predikt': did you mean 'predict'?"));
}

TEST_F(ToolIndexTest, ALineThatIsNotAllKnownIsLeftToTheStep) {
  add(1, "svc", "model/scikitlearn", {{"modulePath", "sklearn.svm"}, {"class", "SVC"}});
  add(2, "made", "function/python", {{"function", "response = 1"}});
  EXPECT_EQ(problem("predict/scikitlearn", {{"line", {"made", "svc"}}, {"method", "anything"}}), "");
}

}  // namespace
}  // namespace lo::api
