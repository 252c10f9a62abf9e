#include "config/parser.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "common/unique_fd.h"
#include "config/config_reader.h"
#include "config/source_text.h"
#include "config/yaml_tree.h"

namespace restgate::config {
namespace {

constexpr int kPipeSilenceMs = 5000;

std::vector<Diagnostic> about_file(const std::string& file, std::string message) {
  Diagnostic diagnostic;
  diagnostic.file = file;
  diagnostic.message = std::move(message);
  return {std::move(diagnostic)};
}

std::string too_large() {
  return "the file is larger than 16 MiB";
}

std::string open_problem(int error) {
  if (error == ENOENT) return "there is no such file";
  if (error == EACCES) return "permission denied: this user may not read the file";
  return "cannot open the file: " + std::string(std::strerror(error));  // NOLINT(concurrency-mt-unsafe)
}

/// Waits for more from a pipe whose writer is slow.
bool wait_readable(int fd) {
  pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&waiting, 1, kPipeSilenceMs) > 0;
}

/// Reads all; what went wrong is returned as a sentence.
std::optional<std::string> read_all(int fd, std::string& text) {
  constexpr size_t kChunk = 256 * 1024;
  for (;;) {
    const size_t had = text.size();
    text.resize(had + kChunk);
    const ssize_t count = ::read(fd, text.data() + had, kChunk);
    const int error = errno;
    text.resize(had + static_cast<size_t>(count > 0 ? count : 0));
    if (count == 0) return std::nullopt;
    if (count < 0 && error == EINTR) continue;
    if (count < 0 && error == EAGAIN) {
      if (wait_readable(fd)) continue;
      return "nothing came through this pipe for 5 seconds";
    }
    if (count < 0)
      return "cannot read the file: " + std::string(std::strerror(error));  // NOLINT(concurrency-mt-unsafe)
    if (text.size() > kMaxFileBytes) return too_large();
  }
}

/// Non-blocking, so that a pipe without a writer cannot hold up the master.
std::optional<std::string> read_file(const std::string& path, std::string& text) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) return open_problem(errno);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return open_problem(errno);
  if (S_ISDIR(status.st_mode)) return "this is a directory, not a file";
  if (S_ISREG(status.st_mode) && status.st_size > static_cast<off_t>(kMaxFileBytes)) return too_large();
  return read_all(fd.get(), text);
}

LoadResult read_config(std::string_view text, std::string file, const LoadChecks* checks) {
  if (text.size() > kMaxFileBytes) return about_file(file, too_large());
  SourceText source(text);
  DiagnosticList diagnostics(file, source);
  const std::optional<YamlNode> root = parse_yaml(diagnostics);
  if (!root) return diagnostics.take();
  Config config = ConfigReader(diagnostics, checks).read(*root, std::move(file));
  if (!diagnostics.empty()) return diagnostics.take();
  return config;
}

}  // namespace

LoadResult load(const std::string& path, const LoadChecks& checks, std::string* text) {
  std::string read;
  if (auto problem = read_file(path, read)) return about_file(path, *std::move(problem));
  LoadResult loaded = read_config(read, path, &checks);
  if (text != nullptr) *text = std::move(read);
  return loaded;
}

LoadResult parse(std::string_view text, std::string file, const LoadChecks* checks) {
  return read_config(text, std::move(file), checks);
}

}  // namespace restgate::config
