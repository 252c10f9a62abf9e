// For the tests of name resolution: a DNS server on a loopback port, in the test's own event loop.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/event_loop.h"
#include "common/platform/sockets.h"
#include "common/unique_fd.h"

namespace restgate::test {

class DnsServer {
 public:
  /// What is answered to questions for one name.
  struct Zone {
    std::vector<std::string> addresses{};  ///< of both families; empty: the name exists without any
    uint32_t ttl_s = 60;
    std::string alias_of{};  ///< answered with a CNAME before the addresses
    bool silent = false;     ///< no answer at all
    bool truncated = false;  ///< by UDP only the news that there is more
    uint8_t code = 0;        ///< a DNS error code
  };

  explicit DnsServer(EventLoop& loop) : loop_(loop), udp_handler_(*this), tcp_handler_(*this) {
    udp_.reset(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    auto tcp = platform::listen_tcp("127.0.0.1", 0);
    if (!tcp.ok()) std::abort();
    tcp_ = std::move(tcp).value();
    const auto address = *platform::Address::parse("127.0.0.1", platform::local_port(tcp_.get()));
    if (bind(udp_.get(), address.get(), address.length()) != 0) std::abort();
    port_ = address.port();
    if (!udp_event_.start_reading(loop, udp_.get(), udp_handler_)) std::abort();
    if (!tcp_event_.start_reading(loop, tcp_.get(), tcp_handler_)) std::abort();
  }

  [[nodiscard]] uint16_t port() const { return port_; }
  /// By lower-case name without the final dot; other names do not exist.
  std::map<std::string, Zone> zones;
  /// The names asked for, with "/4" or "/6", and "/tcp".
  std::vector<std::string> questions;

  [[nodiscard]] size_t asked(const std::string& question) const {
    size_t count = 0;
    for (const std::string& seen : questions) count += seen == question ? 1 : 0;
    return count;
  }

 private:
  struct UdpHandler final : IoHandler {
    explicit UdpHandler(DnsServer& owner) : server(owner) {}
    void on_io(IoReady /*ready*/) override { server.on_udp(); }
    DnsServer& server;
  };
  struct TcpHandler final : IoHandler {
    explicit TcpHandler(DnsServer& owner) : server(owner) {}
    void on_io(IoReady /*ready*/) override { server.on_connection(); }
    DnsServer& server;
  };
  struct TcpConnection final : IoHandler {
    TcpConnection(DnsServer& owner, UniqueFd socket) : server(owner), fd(std::move(socket)) {}
    void on_io(IoReady /*ready*/) override {
      char buffer[2048];
      const ssize_t n = recv(fd.get(), buffer, sizeof buffer, 0);
      if (n > 0) input.append(buffer, static_cast<size_t>(n));
      if (n == 0) event.stop();
      while (input.size() > 2) {
        const size_t length =
            static_cast<size_t>(static_cast<unsigned char>(input[0]) << 8 | static_cast<unsigned char>(input[1]));
        if (input.size() < 2 + length) return;
        const std::string reply = server.reply_to(input.substr(2, length), true);
        input.erase(0, 2 + length);
        if (reply.empty()) continue;
        std::string framed;
        put16(framed, static_cast<uint16_t>(reply.size()));
        framed += reply;
        (void)send(fd.get(), framed.data(), framed.size(), MSG_NOSIGNAL);
      }
    }
    DnsServer& server;
    UniqueFd fd;
    std::string input;
    IoEvent event;
  };

  static void put16(std::string& to, uint16_t value) {
    to += static_cast<char>(value >> 8);
    to += static_cast<char>(value & 0xFF);
  }
  static void put_record(std::string& to, const std::string& name, uint16_t type, uint32_t ttl_s,
                         const std::string& data) {
    to += name;
    put16(to, type);
    put16(to, 1);
    put16(to, static_cast<uint16_t>(ttl_s >> 16));
    put16(to, static_cast<uint16_t>(ttl_s & 0xFFFF));
    put16(to, static_cast<uint16_t>(data.size()));
    to += data;
  }
  static std::string wire_name(const std::string& name) {
    std::string wire;
    for (size_t at = 0; at < name.size();) {
      const size_t dot = std::min(name.find('.', at), name.size());
      wire += static_cast<char>(dot - at);
      wire += name.substr(at, dot - at);
      at = dot + 1;
    }
    return wire + '\0';
  }

  void on_udp() {
    char buffer[2048];
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    const ssize_t n = recvfrom(udp_.get(), buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&peer), &length);
    if (n < 12) return;
    const std::string reply = reply_to(std::string(buffer, static_cast<size_t>(n)), false);
    if (!reply.empty())
      (void)sendto(udp_.get(), reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&peer), length);
  }

  void on_connection() {
    auto accepted = platform::accept_tcp(tcp_.get());
    if (!accepted.fd) return;
    connections_.push_back(std::make_unique<TcpConnection>(*this, std::move(accepted.fd)));
    TcpConnection& connection = *connections_.back();
    if (!connection.event.start_reading(loop_, connection.fd.get(), connection)) std::abort();
  }

  std::string reply_to(const std::string& query, bool tcp) {
    std::string name;
    size_t at = 12;
    while (at < query.size() && query[at] != 0) {
      const auto length = static_cast<size_t>(static_cast<unsigned char>(query[at]));
      if (!name.empty()) name += '.';
      name += query.substr(at + 1, length);
      at += length + 1;
    }
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const bool ipv6 = static_cast<unsigned char>(query.at(at + 2)) == 28;
    const std::string question = query.substr(12, at + 5 - 12);
    questions.push_back(name + (ipv6 ? "/6" : "/4") + (tcp ? "/tcp" : ""));

    const auto found = zones.find(name);
    const Zone zone = found == zones.end() ? Zone{.code = 3} : found->second;
    if (zone.silent) return "";
    const bool cut = zone.truncated && !tcp;
    std::string answers;
    uint16_t count = 0;
    std::string owner("\xC0\x0C", 2);  // the question's name
    if (!zone.alias_of.empty() && !cut) {
      put_record(answers, owner, 5, zone.ttl_s, wire_name(zone.alias_of));
      owner = wire_name(zone.alias_of);
      ++count;
    }
    for (const std::string& text : cut ? std::vector<std::string>() : zone.addresses) {
      unsigned char bytes[16];
      if (inet_pton(ipv6 ? AF_INET6 : AF_INET, text.c_str(), bytes) != 1) continue;
      put_record(answers, owner, ipv6 ? 28 : 1, zone.ttl_s, std::string(reinterpret_cast<char*>(bytes), ipv6 ? 16 : 4));
      ++count;
    }
    std::string reply = query.substr(0, 2);
    put16(reply, static_cast<uint16_t>(0x8180 | (cut ? 0x0200 : 0) | zone.code));
    put16(reply, 1);
    put16(reply, count);
    put16(reply, 0);
    put16(reply, 0);
    return reply + question + answers;
  }

  EventLoop& loop_;
  UniqueFd udp_;
  UniqueFd tcp_;
  uint16_t port_ = 0;
  UdpHandler udp_handler_;
  TcpHandler tcp_handler_;
  std::vector<std::unique_ptr<TcpConnection>> connections_;
  IoEvent udp_event_;
  IoEvent tcp_event_;
};

}  // namespace restgate::test
