#include "run/spark_sessions.h"

#include <fmt/format.h>

#include <fstream>

#include "base/data_folder.h"
#include "base/log.h"

namespace lo::run {
namespace {

namespace fs = std::filesystem;

fs::path notes(const fs::path& data) { return data / "spark-sessions"; }

std::string place_in(const fs::path& note) {
  std::ifstream in(note);
  std::string line;
  std::getline(in, line);
  return line;
}

// What was being written when its server was killed is of no use to a session, which had not begun.
bool is_half_written(const fs::path& note) { return note.has_extension(); }

}  // namespace

Status note_session(const fs::path& data, const SparkPlace& place, const std::string& session) {
  std::error_code error;
  fs::create_directories(notes(data), error);
  if (error) return fail_errno(fmt::format("cannot make {}", notes(data).string()), error.value());
  return write_whole_file(notes(data) / session, place.shown() + "\n");
}

void forget_session(const fs::path& data, const std::string& session) {
  std::error_code ignored;
  fs::remove(notes(data) / session, ignored);
}

std::vector<std::string> noted_sessions(const fs::path& data, const SparkPlace& place) {
  std::vector<std::string> found, elsewhere;
  std::error_code error;
  for (fs::directory_iterator it(notes(data), error), end; !error && it != end; it.increment(error)) {
    bool is_here = place.kind == SparkPlace::Kind::connect && !is_half_written(it->path()) && place_in(it->path()) == place.shown();
    (is_here ? found : elsewhere).push_back(it->path().filename().string());
  }
  for (const auto& session : elsewhere) {
    log::warn("run: session {} of an earlier server was at {}: that Spark ends it when its time is over", session, place_in(notes(data) / session));
    forget_session(data, session);
  }
  return found;
}

}  // namespace lo::run
