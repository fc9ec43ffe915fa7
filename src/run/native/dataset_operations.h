// The dataset library's operations as the runner calls them: dataset/csv, transform/projection, transform/dataType.
#pragma once

#include <map>
#include <string>

#include "dataset/download.h"
#include "run/runner.h"

namespace lo::run {

struct DatasetOptions {
  store::Store* store = nullptr;           // of uploads and inputs; outlives the operations
  dataset::DownloadOptions download = {};
};

// By operation, for RunOptions::native. Requests are those of the API as accepted: dataset/csv {datasetName, datasetURI or url, types?,
// delimiter?, encoding?, headers?} or with `upload: {digest, bytes}`, a part of the store; transform/projection {inputDatasetName,
// outputDatasetName, names}; transform/dataType {inputDatasetName, types}. The outcome's facts are fields (their names), rows and,
// of a download, url.
std::map<std::string, NativeOperation, std::less<>> dataset_operations(const DatasetOptions& options);

}  // namespace lo::run
