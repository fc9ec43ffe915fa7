#include "run/worker_kind.h"

#include <gtest/gtest.h>

namespace lo::run {
namespace {

engine::JobRequest job_with(std::string operation, json::object request) {
  engine::JobRequest job;
  job.members.push_back({.key = {1, 1}, .name = "a", .operation = std::move(operation), .request = std::move(request)});
  return job;
}

TEST(ImportsScientific, FindsTheFormsOfImport) {
  EXPECT_TRUE(imports_scientific("import numpy"));
  EXPECT_TRUE(imports_scientific("import os, pandas as pd"));
  EXPECT_TRUE(imports_scientific("def f():\n\tfrom sklearn.svm import SVC\n"));
  EXPECT_TRUE(imports_scientific("x = 1; import scipy.stats\r\n"));
  EXPECT_TRUE(imports_scientific("try: import pyarrow\nexcept ImportError: pass"));
  EXPECT_TRUE(imports_scientific("from  numpy.linalg import norm"));
}

TEST(ImportsScientific, LeavesOtherCodeAlone) {
  EXPECT_FALSE(imports_scientific(""));
  EXPECT_FALSE(imports_scientific("import math\nresponse = math.pi"));
  EXPECT_FALSE(imports_scientific("import numpy_financial_like"));
  EXPECT_FALSE(imports_scientific("# import nothing\nimportant = 'numpy'"));
  EXPECT_FALSE(imports_scientific("from mypackage import numpy"));
  EXPECT_FALSE(imports_scientific("important numpy"));
}

TEST(ChooseKind, FollowsTheCode) {
  EXPECT_EQ(choose_kind(job_with("function/python", {{"function", "response = 1"}})), WorkerKind::bare);
  EXPECT_EQ(choose_kind(job_with("function/python", {{"function", "import numpy"}})), WorkerKind::scientific);
  EXPECT_EQ(choose_kind(job_with("function/python", {{"functionParameters", {{"m", {"#sklearn.svm.SVC()"}}}}})),
            WorkerKind::scientific);
  EXPECT_EQ(choose_kind(job_with("builder/sparkml", {{"modelingCode", "import numpy"}})), WorkerKind::spark);
}

TEST(ChooseKind, AQueryIsAskedWhereTheDriversAre) {
  EXPECT_EQ(choose_kind(job_with("dataset/sql", {{"connection", "shop"}, {"query", "import numpy"}})), WorkerKind::sql);
  EXPECT_EQ(to_string(WorkerKind::sql), "sql");
}

TEST(ChooseKind, FollowsTheTool) {
  EXPECT_EQ(choose_kind(job_with("model/scikitlearn", {{"class", "SVC"}})), WorkerKind::scientific);
  EXPECT_EQ(choose_kind(job_with("train/tensorflow", {{"method", "fit"}})), WorkerKind::tensorflow);
  EXPECT_EQ(choose_kind(job_with("function/python", {{"function", "from keras import layers"}})), WorkerKind::tensorflow);
  EXPECT_EQ(choose_kind(job_with("train/scikitlearn", {{"methodParameters", {{"m", "#tensorflow.keras.Input()"}}}})),
            WorkerKind::tensorflow);
  auto job = job_with("function/python", {{"function", "response = model.count_params()"}});
  job.inputs.push_back({.name = "m", .key = {2, 1}, .operation = "", .manifest = {{"kind", "object"}, {"typeName", "keras.src.models.sequential.Sequential"}}});
  EXPECT_EQ(choose_kind(job), WorkerKind::tensorflow);
}

TEST(ChooseKind, FollowsTheInputs) {
  auto job = job_with("function/python", {{"function", "response = 1"}});
  job.inputs.push_back({.name = "text", .key = {2, 1}, .operation = "", .manifest = {{"kind", "blob"}}});
  EXPECT_EQ(choose_kind(job), WorkerKind::bare);
  job.inputs.push_back({.name = "count", .key = {4, 1}, .operation = "", .manifest = {{"kind", "object"}, {"typeName", "int"}}});
  EXPECT_EQ(choose_kind(job), WorkerKind::bare);
  job.inputs.push_back({.name = "counts", .key = {5, 1}, .operation = "", .manifest = {{"kind", "object"}, {"typeName", "list"}}});
  EXPECT_EQ(choose_kind(job), WorkerKind::scientific);
  job.inputs.pop_back();
  job.inputs.push_back({.name = "titanic", .key = {3, 1}, .operation = "", .manifest = {{"kind", "table"}}});
  EXPECT_EQ(choose_kind(job), WorkerKind::scientific);
}

}  // namespace
}  // namespace lo::run
