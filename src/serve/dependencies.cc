#include "serve/dependencies.h"

#include <fcntl.h>

#include "base/fd.h"
#include "dataset/location.h"
#include "dataset/validators.h"
#include "store/digest.h"

namespace lo::serve {

std::string installed_code(const std::filesystem::path& home) {
  std::string text = ORCHESTRA_VERSION;
  for (auto name : {"python", "spark", "tensorflow"}) {
    auto path = home / "environments" / (std::string(name) + ".lock");
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    text += " " + (fd ? store::digest_of_file(fd.get(), path.string()).value_or("") : "");
  }
  return text;
}

std::optional<std::string> validators_in(const json::object& request, const dataset::UrlPolicy& urls) {
  std::string all;
  for (const auto& member : request) {
    const auto* text = member.value().if_string();
    if (text != nullptr && dataset::is_remote(*text)) return std::nullopt;
    if (text == nullptr || !(text->starts_with("http://") || text->starts_with("https://"))) continue;
    auto validators = dataset::validators_of(std::string(*text), {.policy = urls, .timeout = std::chrono::seconds{20}});
    if (!validators) return std::nullopt;
    all += *validators;
  }
  return all;
}

}  // namespace lo::serve
