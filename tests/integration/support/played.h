// Played: a gateway whose backend is played by the test, byte by byte. Test process.
#pragma once

#include <string>
#include <string_view>

#include "integration/support/gateway.h"
#include "integration/support/origin.h"

namespace restgate::itest {

struct PlayedOptions {
  ConfigText::Settings settings = {};
  std::string base = "";  ///< of the service's URL: "/path?query"
  ConfigText::Settings service = {};
  ConfigText::Settings route = {};
};

struct Played {
  Origin origin;
  Gateway gateway;
  Stream client;   ///< of the last forward()
  Stream backend;  ///< the connection on which the last request came to the origin

  /// The route "all" takes GET, POST and PUT of every path.
  explicit Played(const PlayedOptions& options = {});

  /// Sends a request on a new client connection and waits until the origin has it; returns what came there.
  Message forward(std::string_view request);
  /// Waits until a request begins, on the backend connection there is or on a new one, which becomes `backend`.
  void await_backend();

  struct Passed {
    Message request;   ///< as the origin got it
    Message response;  ///< as the client got it
  };
  /// The whole way: forward(), the origin's answer, the client's reading of it.
  Passed pass(std::string_view request, std::string_view answer);
  /// The same through the client connection that is already there.
  Passed pass_on_same(std::string_view request, std::string_view answer);
};

/// A head "METHOD target HTTP/1.1" with Host and these field lines.
std::string request_head(std::string_view method, std::string_view target, std::string_view field_lines = "");

}  // namespace restgate::itest
