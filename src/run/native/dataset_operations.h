// The dataset library's operations as the runner calls them: dataset/csv, transform/projection, transform/dataType.
#pragma once

#include <map>
#include <string>

#include "base/clock.h"
#include "dataset/download.h"
#include "dataset/ingest.h"
#include "run/runner.h"

namespace lo::run {

struct DatasetOptions {
  store::Store* store = nullptr;           // of uploads and inputs; outlives the operations
  dataset::DownloadOptions download = {};
};

// What observers are shown of an ingest: bytes, rows, and where they are known total (bytes), rate (bytes a second since the begin) and
// remaining (seconds at that rate).
json::object progress_json(const dataset::IngestProgress& progress, Duration since_begin);

// By operation, for RunOptions::native. Requests are those of the API as accepted: dataset/csv {datasetName, datasetURI or url, types?,
// delimiter?, encoding?, headers?} or with `upload: {digest, bytes}`, a part of the store; dataset/json {datasetName, datasetURI or url, types?,
// encoding?} and dataset/parquet {datasetName, datasetURI or url} or the same upload; transform/projection {inputDatasetName,
// outputDatasetName, names}; transform/dataType {inputDatasetName, types}. The outcome's facts are fields (their names), rows,
// of a download url, and of a CSV or JSON file encoding and delimiter where they were guessed and are not utf-8 and the comma.
std::map<std::string, NativeOperation, std::less<>> dataset_operations(const DatasetOptions& options);

}  // namespace lo::run
