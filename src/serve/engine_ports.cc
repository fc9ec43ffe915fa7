#include "serve/engine_ports.h"

#include "api/artifacts.h"
#include "serve/dependencies.h"
#include "store/manifest.h"

namespace lo::serve {

engine::ConductorPorts engine_ports(asio::any_io_executor executor, const api::Context& context, const std::filesystem::path& home) {
  engine::ConductorPorts ports{.executor = std::move(executor),
                               .clock = context.clock,
                               .catalog = context.catalog,
                               .runner = context.runner,
                               .pool = context.pool,
                               .installed = installed_code(home)};
  ports.outside = [&context](std::string_view operation, const json::object& request) -> std::optional<std::string> {
    // An index says what there is to install, not what there was; a database says nothing.
    if (operation == "environment" || operation == "dataset/sql") return std::nullopt;
    return validators_in(request, context.urls);
  };
  ports.claim = [&context](const json::object& result) {
    auto manifest = store::manifest_from_json(result);
    return manifest && context.store->pin(*manifest);
  };
  ports.settle = [&context](json::object result) {
    if (auto manifest = store::manifest_from_json(result); manifest && manifest->is_inline()) return;  // nothing is kept for it
    context.pool->post([&context, result = std::move(result)] { api::settle_result(context, result); });
  };
  return ports;
}

}  // namespace lo::serve
