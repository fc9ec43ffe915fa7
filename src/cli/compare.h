// `orchestra compare A B …`: what was asked for differently, and what came of it.
#pragma once

#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "cli/api_client.h"

namespace lo::cli {

// A step with everything that it was made from, flattened.
struct Compared {
  std::string name;
  std::map<std::string, std::string> parameters;  // "model/scikitlearn classParameters.C" → "0.5"
  std::map<std::string, std::string> metrics;     // "accuracy" → "0.8"
};

// A line per parameter that is not the same in all, then one per metric that any of them has; a column per step. Pure.
std::vector<std::string> comparison(const std::vector<Compared>& steps);

// Prints the comparison of these steps: their parameters are those of their whole lines.
Status compare_steps(ApiClient& api, const std::vector<std::string>& names, std::FILE* out);

}  // namespace lo::cli
