#include "integration/support/process.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

namespace restgate::itest {

namespace {

constexpr char kListenPid[] = "LISTEN_PID=";
constexpr size_t kPidDigits = 10;
constexpr size_t kMostGiven = 32;

std::pair<UniqueFd, UniqueFd> make_pipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) throw Failure(std::string("pipe: ") + std::strerror(errno));
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

std::vector<std::string> environment_of(const ProcessOptions& options) {
  std::vector<std::string> lines;
  for (const char* inherited : {"PATH", "HOME", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS",
                                "LLVM_PROFILE_FILE", "GCOV_PREFIX", "GCOV_PREFIX_STRIP"})
    if (const char* value = std::getenv(inherited); value != nullptr && !options.environment.contains(inherited))
      lines.push_back(std::string(inherited) + "=" + value);
  for (const auto& [name, value] : options.environment) lines.push_back(name + "=" + value);
  if (options.given.empty()) return lines;
  std::string names;
  for (const auto& [name, fd] : options.given) names += (names.empty() ? "" : ":") + name;
  lines.push_back("LISTEN_FDS=" + std::to_string(options.given.size()));
  lines.push_back("LISTEN_FDNAMES=" + names);
  lines.push_back(kListenPid + std::string(kPidDigits, '0'));  // the child fills it in
  return lines;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (std::string& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

/// Leading zeros do not matter.
void write_pid(char* const* envp) {
  for (; *envp != nullptr; ++envp) {
    if (std::strncmp(*envp, kListenPid, sizeof(kListenPid) - 1) != 0) continue;
    pid_t rest = ::getpid();
    char* digit = *envp + sizeof(kListenPid) - 1 + kPidDigits;
    for (size_t i = 0; i < kPidDigits; ++i, rest /= 10) *--digit = static_cast<char>('0' + rest % 10);
  }
}

/// Puts the descriptors to 3, 4, …; by way of numbers beyond those, since they may be among them.
bool hand_over(const std::vector<int>& given) {
  const int count = static_cast<int>(given.size());
  std::array<int, kMostGiven> moved{};
  for (int i = 0; i < count; ++i)
    if ((moved[static_cast<size_t>(i)] = ::fcntl(given[static_cast<size_t>(i)], F_DUPFD_CLOEXEC, 3 + count)) < 0)
      return false;
  for (int i = 0; i < count; ++i)
    if (::dup2(moved[static_cast<size_t>(i)], 3 + i) < 0) return false;
  return true;
}

// Between fork and exec: async-signal-safe calls only.
[[noreturn]] void become(const char* program, int by_descriptor, char* const* argv, char* const* envp, int out, int err,
                         pid_t parent, const std::vector<int>& given, const std::optional<uid_t>& user) {
  ::setpgid(0, 0);
  if (user &&
      (::setgroups(1, &*user) != 0 || ::setresgid(*user, *user, *user) != 0 || ::setresuid(*user, *user, *user) != 0))
    ::_exit(125);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(126);
  const int null = ::open("/dev/null", O_RDONLY);
  if (null < 0 || ::dup2(null, 0) < 0 || ::dup2(out, 1) < 0 || ::dup2(err, 2) < 0) ::_exit(126);
  if (!hand_over(given)) ::_exit(126);
  write_pid(envp);
  if (user) ::fexecve(by_descriptor, argv, envp);  // it need not be able to reach the program by its path
  ::execve(program, argv, envp);
  ::_exit(127);
}

}  // namespace

TempDir::TempDir() {
  std::string pattern = (std::filesystem::temp_directory_path() / "restgate-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw Failure(std::string("mkdtemp: ") + std::strerror(errno));
  path_ = pattern;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TempDir::write(const std::string& name, const std::string& content) const {
  const std::string path = path_ + "/" + name;
  std::ofstream(path + ".new", std::ios::binary) << content;
  std::filesystem::rename(path + ".new", path);
  return path;
}

Process::Process(const std::string& program, const ProcessOptions& options)
    : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  auto [out_read, out_write] = make_pipe();
  auto [err_read, err_write] = make_pipe();
  if (options.pipe_size > 0) ::fcntl(err_write.get(), F_SETPIPE_SZ, options.pipe_size);
  std::vector<std::string> arguments = options.arguments;
  arguments.insert(arguments.begin(), program);
  std::vector<std::string> environment = environment_of(options);
  const auto argv = pointers(arguments);
  const auto envp = pointers(environment);
  std::vector<int> given;
  for (const auto& [name, fd] : options.given) given.push_back(fd);
  if (given.size() > kMostGiven) throw Failure("too many descriptors to hand over");
  const pid_t self = ::getpid();
  const UniqueFd executable(::open(program.c_str(), O_PATH | O_CLOEXEC));
  if (!executable) throw Failure(program + ": " + std::strerror(errno));
  pid_ = ::fork();
  if (pid_ < 0) throw Failure(std::string("fork: ") + std::strerror(errno));
  if (pid_ == 0)
    become(program.c_str(), executable.get(), argv.data(), envp.data(), out_write.get(), err_write.get(), self, given,
           options.user);
  pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  out_.fd = std::move(out_read);
  err_.fd = std::move(err_read);
  for (const int fd : {out_.fd.get(), err_.fd.get()}) ::fcntl(fd, F_SETFL, O_NONBLOCK);
  out_write.reset();
  err_write.reset();
  collector_ = std::thread([this] { collect(); });
}

Process::~Process() {
  // Not reaped until here, so that its number cannot be another's yet. The group has the workers that outlived it.
  ::kill(pid_, SIGKILL);
  ::kill(-pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake();
  collector_.join();
}

void Process::wake() const {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof(one));
}

void Process::signal(int signo) const {
  if (::kill(pid_, signo) != 0) throw Failure(std::string("kill: ") + std::strerror(errno));
}

bool Process::ended() const {
  pollfd entry{pidfd_.get(), POLLIN, 0};
  return ::poll(&entry, 1, 0) > 0;
}

int Process::wait_exit(Deadline deadline) {
  pollfd entry{pidfd_.get(), POLLIN, 0};
  while (::poll(&entry, 1, deadline.left_ms()) <= 0)
    if (deadline.passed()) throw Failure("the process does not end; it said:\n" + err_text());
  siginfo_t state{};
  ::waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &state, WEXITED | WNOWAIT);
  // What it has written is in the pipes by now.
  std::unique_lock lock(mutex_);
  const size_t flushes = flushes_;
  wake();
  while (!collected_ && flushes_ == flushes) more_.wait(lock);
  return state.si_code == CLD_EXITED ? state.si_status : -state.si_status;
}

std::vector<pid_t> Process::children() const {
  std::vector<pid_t> pids;
  const std::string self = std::to_string(pid_);
  std::ifstream list("/proc/" + self + "/task/" + self + "/children");
  for (pid_t pid = 0; list >> pid;) {
    const char state = process_state(pid);
    if (state != 0 && state != 'Z' && state != 'X') pids.push_back(pid);
  }
  return pids;
}

// Takes what there is; false when the pipe has ended. Called with mutex_ held.
bool Process::drain(Output& output) {
  std::array<char, 16384> chunk;
  while (true) {
    const ssize_t got = ::read(output.fd.get(), chunk.data(), chunk.size());
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (got == 0) return false;
    output.partial.append(chunk.data(), static_cast<size_t>(got));
    size_t end = 0;
    while ((end = output.partial.find('\n')) != std::string::npos) {
      output.lines.push_back(output.partial.substr(0, end));
      output.partial.erase(0, end + 1);
    }
  }
}

void Process::collect() {
  std::array<pollfd, 3> entries{pollfd{out_.fd.get(), POLLIN, 0}, pollfd{err_.fd.get(), POLLIN, 0},
                                pollfd{wake_.get(), POLLIN, 0}};
  std::unique_lock lock(mutex_);
  while (!stopping_ && (entries[0].fd >= 0 || entries[1].fd >= 0)) {
    lock.unlock();
    ::poll(entries.data(), entries.size(), -1);
    lock.lock();
    if (entries[0].fd >= 0 && !drain(out_)) entries[0].fd = -1;
    if (entries[1].fd >= 0 && !drain(err_)) entries[1].fd = -1;
    uint64_t count = 0;
    if (::read(wake_.get(), &count, sizeof(count)) > 0) ++flushes_;
    more_.notify_all();
  }
  for (Output* output : {&out_, &err_})
    if (!output->partial.empty()) output->lines.push_back(std::exchange(output->partial, {}));
  collected_ = true;
  more_.notify_all();
}

bool Process::wait_for_more(std::unique_lock<std::mutex>& lock, size_t seen, const Deadline& deadline) const {
  while (err_.lines.size() == seen) {
    if (collected_) return false;
    if (more_.wait_until(lock, deadline.at()) == std::cv_status::timeout) return err_.lines.size() > seen;
  }
  return true;
}

void Process::give_up(std::unique_lock<std::mutex>& lock, const std::string& what) const {
  lock.unlock();
  throw Failure("no " + what + " on standard error; it says:\n" + err_text());
}

std::vector<std::string> Process::out_lines() const {
  const std::lock_guard lock(mutex_);
  return out_.lines;
}

std::vector<std::string> Process::err_lines() const {
  const std::lock_guard lock(mutex_);
  return err_.lines;
}

std::string Process::err_text() const {
  std::string text;
  for (const std::string& line : err_lines()) text += line + "\n";
  return text;
}

size_t anonymous_memory(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  std::string word;
  while (status >> word)
    if (word == "RssAnon:") {
      size_t kib = 0;
      status >> kib;
      return kib * 1024;
    }
  throw Failure("no memory numbers of process " + std::to_string(pid));
}

size_t memory_bound() {
  return patience_factor() > 1 ? size_t{32} << 20 : size_t{1} << 20;  // sanitizers keep what was freed
}

char process_state(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(stat, line);
  const size_t name_end = line.rfind(')');
  return name_end == std::string::npos || name_end + 2 >= line.size() ? '\0' : line[name_end + 2];
}

Paused::Paused(pid_t pid) : pid_(pid) {
  if (::kill(pid, SIGSTOP) != 0) throw Failure("SIGSTOP: " + std::string(std::strerror(errno)));
  if (!eventually([pid] { return process_state(pid) == 'T'; }))
    throw Failure("process " + std::to_string(pid) + " does not stop");
}

Paused::~Paused() {
  ::kill(pid_, SIGCONT);
}

size_t descriptors(pid_t pid) {
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd"))
    ++count;
  return count;
}

std::multiset<std::string> descriptor_targets(pid_t pid) {
  std::multiset<std::string> targets;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) {
    std::error_code gone;  // closed meanwhile
    const std::string target = std::filesystem::read_symlink(entry.path(), gone).string();
    if (!gone) targets.insert(target);
  }
  return targets;
}

std::string process_status(pid_t pid, const std::string& name) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name + ":\t")) return line.substr(name.size() + 2);
  throw Failure("no " + name + " in the status of process " + std::to_string(pid));
}

}  // namespace restgate::itest
