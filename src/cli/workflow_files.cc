#include "cli/workflow_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <memory>
#include <span>
#include <vector>

#include "base/fd.h"
#include "workflow/services.h"

namespace lo::cli {
namespace {

constexpr std::size_t kMaxText = 16u << 20;
constexpr std::size_t kPiece = 1u << 18;

Result<UniqueFd> open_file(const std::filesystem::path& path) {
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && (errno == ENOENT || errno == ENOTDIR))
    return fail(Code::not_found, fmt::format("there is no file '{}'", path.string()));
  if (!file) return fail_errno(fmt::format("cannot read '{}'", path.string()), errno);
  return file;
}

// Calls use(piece) for the whole file; stops at the first error.
template <class Use>
Status read_pieces(const std::filesystem::path& path, Use use) {
  LO_ASSIGN(auto file, open_file(path));
  std::vector<char> buffer(kPiece);
  for (;;) {
    auto got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(fmt::format("cannot read '{}'", path.string()), errno);
    if (got == 0) return {};
    LO_TRY(use(std::span(buffer).first(static_cast<std::size_t>(got))));
  }
}

bool has_scheme(std::string_view uri) { return uri.find("://") != uri.npos || uri.starts_with("data:"); }

bool names_code_file(std::string_view text) { return text.ends_with(".py") && text.find_first_of("\n :()=") == text.npos; }

Error at(const workflow::FileStep& step, std::string_view member, Error error) {
  error.message = fmt::format("{}: {}: {}", step.where, member, error.message);
  return error;
}

Status attach_upload(LocalWorkflow& local, std::size_t index, const std::filesystem::path& folder) {
  auto& step = local.flow.steps[index];
  const auto& service = *workflow::find_service(step.service);
  auto uri = string_or(step.body, service.file);
  if (service.file.empty() || uri.empty() || has_scheme(uri)) return {};
  auto content = digest_file(folder / uri);
  if (!content) return fail(at(step, service.file, std::move(content).error()));
  step.upload = *content;
  step.body.erase(service.file);
  local.files[index] = {.path = folder / uri, .content = *std::move(content), .type = std::string(service.file_type)};
  return {};
}

Status attach_code(workflow::FileStep& step, const std::filesystem::path& folder) {
  auto member = workflow::find_service(step.service)->code;
  auto name = string_or(step.body, member);
  if (member.empty() || !names_code_file(name)) return {};
  auto text = read_text(folder / name);
  if (!text) return fail(at(step, member, std::move(text).error()));
  step.body[member] = *std::move(text);
  return {};
}

Result<workflow::Document> read_document(const std::filesystem::path& path) {
  LO_ASSIGN(auto text, read_text(path));
  return path.extension() == ".json" ? workflow::read_json(text) : workflow::read_yaml(text);
}

// "my.flow.yaml" is the workflow "my-flow".
std::string name_of(const std::filesystem::path& path) {
  auto name = path.stem().string();
  std::ranges::replace_if(name, [](unsigned char c) { return !std::isalnum(c) && c != '_'; }, '-');
  return name;
}

}  // namespace

Result<std::string> read_text(const std::filesystem::path& path) {
  std::string text;
  LO_TRY(read_pieces(path, [&](std::span<const char> piece) -> Status {
    if (text.size() + piece.size() > kMaxText)
      return fail(Code::too_large, fmt::format("'{}' is larger than {} MB", path.string(), kMaxText >> 20));
    text.append(piece.begin(), piece.end());
    return {};
  }));
  return text;
}

Result<workflow::Upload> digest_file(const std::filesystem::path& path) {
  std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(), &XXH3_freeState);
  if (!state || XXH3_128bits_reset(state.get()) != XXH_OK) return fail(Code::internal, "no memory for a digest");
  workflow::Upload upload;
  LO_TRY(read_pieces(path, [&](std::span<const char> piece) -> Status {
    XXH3_128bits_update(state.get(), piece.data(), piece.size());
    upload.bytes += static_cast<std::int64_t>(piece.size());
    return {};
  }));
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state.get()));
  for (unsigned char byte : canonical.digest) upload.digest += fmt::format("{:02x}", byte);
  return upload;
}

Result<LocalWorkflow> read_workflow(const std::filesystem::path& path) {
  LocalWorkflow local;
  LO_ASSIGN(local.document, read_document(path));
  LO_ASSIGN(local.flow, workflow::parse_workflow(local.document, name_of(path)));
  for (std::size_t i = 0; i < local.flow.steps.size(); ++i) {
    LO_TRY(attach_upload(local, i, path.parent_path()));
    LO_TRY(attach_code(local.flow.steps[i], path.parent_path()));
  }
  return local;
}

}  // namespace lo::cli
