#include "integration/torture/traffic.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "integration/torture/http_client.h"
#include "integration/torture/tunnel_client.h"

namespace restgate::itest::torture {

Traffic::Traffic(const TrafficOptions& options) : options_(options), course_(options.address, options.port) {
  for (size_t kind = 0; kind < kKinds; ++kind)
    for (unsigned seed = 0; seed < options_.clients.at(kind); ++seed) {
      Client& client = *clients_.emplace_back(std::make_unique<Client>());
      client.kind = static_cast<Kind>(kind);
      client.thread = std::thread([this, &client, seed] { run(client, seed); });
    }
}

Traffic::~Traffic() {
  stop();
}

void Traffic::run(Client& client, unsigned seed) {
  options_.settle_in();
  if (client.kind == Kind::Tunnel) {
    TunnelClient tunnel(course_, seed);
    tunnel.run();
    client.score = tunnel.score();
  } else {
    HttpClient http(course_, client.kind, seed, options_.stream_length);
    http.run();
    client.score = http.score();
  }
  client.ended = true;
}

void Traffic::await_more(size_t answers) const {
  for (size_t i = 0; i < kKinds; ++i) {
    const Kind kind = static_cast<Kind>(i);
    if (clients(kind) == 0) continue;
    const size_t target = course_.progress(kind) + answers;
    if (!eventually([&] { return course_.progress(kind) >= target; }))
      throw Failure("traffic of kind " + std::string(name_of(kind)) + " does not get on");
  }
}

void Traffic::ask(Kind kind, size_t requests, const Deadline& deadline) {
  HttpClient http(course_, kind, static_cast<unsigned>(clients_.size()), options_.stream_length);
  http.run(requests, deadline);
  of(asked_, kind) += http.score();
}

void Traffic::await_close() {
  course_.close();
  const bool all = eventually([&] {
    return std::all_of(clients_.begin(), clients_.end(), [](const auto& client) { return client->ended.load(); });
  });
  if (!all) throw Failure("the gateway does not end its kept connections");
}

Scores Traffic::stop() {
  course_.stop();
  Scores scores = asked_;
  for (const auto& client : clients_) {
    if (client->thread.joinable()) client->thread.join();
    of(scores, client->kind) += client->score;
  }
  return scores;
}

size_t Traffic::clients() const {
  return std::accumulate(options_.clients.begin(), options_.clients.end(), size_t{0});
}

}  // namespace restgate::itest::torture
