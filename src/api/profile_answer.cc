#include "api/profile_answer.h"

#include <fmt/format.h>

#include "api/profiles.h"
#include "api/result_files.h"
#include "api/versions.h"

namespace lo::api {

Answer profile(const Context& context, const Service& service, std::string name, const http::Request& request) {
  auto record = co_await load_step(context, name);
  if (!record) co_return std::unexpected(record.error());
  if (record->step.service != service.path && service.path != "dataset/csv")  // which shows any table, as in 2021
    co_return fail(Code::not_found, fmt::format("there is no {} \"{}\"", service.path, name));
  auto found = wanted_result(*record, request);
  if (!found) co_return not_yet(found.error(), *record, request);
  const auto* rows = found->manifest.rows_part();
  if (rows == nullptr) co_return fail(Code::unacceptable, fmt::format("the result of \"{}\" is not a table", name));
  auto path = co_await context.pool->run([&] { return context.store->path_of(*rows); });
  if (!path) co_return std::unexpected(path.error());
  auto profile = co_await context.profiles->of(*std::move(path), named_fields(request));
  if (!profile) co_return std::unexpected(profile.error());
  co_return with_step_etag(request, *record, result_response(200, **profile));
}

}  // namespace lo::api
