#include "integration/support/origin.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace restgate::itest {

namespace {

// Listens on a free port of 127.0.0.1, which it returns.
uint16_t listen_somewhere(int fd, int backlog) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), size) != 0 || ::listen(fd, backlog) != 0 ||
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw Failure(std::string("origin: ") + std::strerror(errno));
  return ntohs(address.sin_port);
}

}  // namespace

Origin::Origin() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
  port_ = listen_somewhere(listener_.get(), 1024);
}

FullListener::FullListener() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  port_ = listen_somewhere(listener_.get(), 0);
  fills_the_queue_ = Stream::connect(port_);
}

std::string Origin::url() const {
  return "http://127.0.0.1:" + std::to_string(port_);
}

bool Origin::contacted() const {
  pollfd entry{listener_.get(), POLLIN, 0};
  return ::poll(&entry, 1, 0) > 0;
}

Stream Origin::accept() {
  const Deadline deadline;
  while (true) {
    UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (fd) return Stream(std::move(fd));
    pollfd entry{listener_.get(), POLLIN, 0};
    if (errno == EAGAIN && ::poll(&entry, 1, deadline.left_ms()) == 0)
      throw Failure("the gateway did not connect to the origin");
  }
}

HandlerOrigin::HandlerOrigin(Handler handler)
    : handler_(std::move(handler)), wake_(::eventfd(0, EFD_CLOEXEC)), acceptor_([this] { accept_all(); }) {}

HandlerOrigin::~HandlerOrigin() {
  stopping_ = true;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof(one));
  acceptor_.join();
  for (Connection& connection : served_) ::shutdown(connection.stream.fd(), SHUT_RDWR);
  for (Connection& connection : served_) connection.thread.join();
}

void HandlerOrigin::accept_all() {
  std::array<pollfd, 2> entries{pollfd{origin_.fd(), POLLIN, 0}, pollfd{wake_.get(), POLLIN, 0}};
  while (!stopping_) {
    if (::poll(entries.data(), entries.size(), -1) < 0 || !origin_.contacted()) continue;
    Connection& connection = served_.emplace_back(Connection{origin_.accept(), {}});
    ++connections_;
    connection.thread = std::thread([this, &connection] { serve(connection.stream); });
  }
}

void HandlerOrigin::serve(Stream& stream) {
  try {
    while (stream.wait_readable()) {
      const Message request = stream.read_request();
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      const std::string answer = handler_(request);
      if (!answer.empty()) stream.send(answer);
      if (answer.empty() || parse_head(answer.substr(0, answer.find("\r\n\r\n") + 4)).lists("Connection", "close"))
        break;
    }
  } catch (const Failure&) {
    // The gateway's end of the connection went away: the test sees it on its own side.
  }
  ::shutdown(stream.fd(), SHUT_RDWR);
}

std::vector<Message> HandlerOrigin::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

HandlerOrigin::Handler always(std::string body) {
  return [body = std::move(body)](const Message&) { return response(200, body); };
}

}  // namespace restgate::itest
