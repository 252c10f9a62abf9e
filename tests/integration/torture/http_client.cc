#include "integration/torture/http_client.h"

#include <utility>

namespace restgate::itest::torture {

namespace {

using std::chrono::milliseconds;

constexpr int kLongestThought_ms = 300;

// The reason code in the gateway's own answers, else nothing.
std::string code_in(const std::string& body) {
  const size_t at = body.find("\"code\":\"");
  if (at == std::string::npos) return "";
  const size_t from = at + 8;
  return " " + body.substr(from, body.find('"', from) - from);
}

}  // namespace

Outcome outcome_of(StreamFailure::Cause cause, bool within_body) {
  switch (cause) {
    case StreamFailure::Cause::Refused:
      return Outcome::Refused;
    case StreamFailure::Cause::Reset:
      return Outcome::Reset;
    case StreamFailure::Cause::Ended:
      return within_body ? Outcome::ShortBody : Outcome::NoAnswer;
    case StreamFailure::Cause::Timeout:
      return Outcome::Timeout;
    case StreamFailure::Cause::Other:
      break;
  }
  return Outcome::Other;
}

HttpClient::HttpClient(Course& course, Kind kind, unsigned seed, milliseconds stream_length)
    : course_(course),
      kind_(kind),
      stream_length_(stream_length),
      random_(seed * 64 + static_cast<unsigned>(kind) + 1) {}

milliseconds HttpClient::think_time() {
  switch (kind_) {
    case Kind::Thinking:
      return milliseconds(1 + random_() % kLongestThought_ms);
    case Kind::Short:
    case Kind::Post:
      return milliseconds(random_() % 3);
    case Kind::Busy:
    case Kind::Slow:
    case Kind::Tunnel:
      break;
  }
  return milliseconds(0);
}

HttpClient::Request HttpClient::next_request() {
  Request request;
  request.cue.number = course_.next_number();
  std::string fields;
  switch (kind_) {
    case Kind::Short:
      request.closes = true;
      if (request.cue.number % 2 == 0) fields = "Connection: close\r\n";  // else we close after the answer
      break;
    case Kind::Post:
      request.cue.scene = Scene::Post;
      break;
    case Kind::Slow:
      request.cue.scene = Scene::Slow;
      request.cue.length = stream_length_;
      break;
    case Kind::Busy:
    case Kind::Thinking:
    case Kind::Tunnel:
      break;
  }
  const bool post = request.cue.scene == Scene::Post;
  request.head = (post ? "POST " : "GET ") + request.cue.target() + " HTTP/1.1\r\nHost: client.test\r\n" + fields;
  if (post) {
    compose_post(request);
  } else {
    request.head += "\r\n";
    request.answer = request.cue.scene == Scene::Slow ? stream_of(request.cue.number) : body_of(request.cue.number);
  }
  return request;
}

void HttpClient::compose_post(Request& request) {
  const std::string body = body_of(request.cue.number);
  const size_t middle = body.size() / 2;
  request.first_half = body.substr(0, middle);
  request.second_half = body.substr(middle);
  if (request.cue.number % 2 == 0) {
    request.head += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  } else {
    request.head += "Transfer-Encoding: chunked\r\n\r\n";
    if (!request.first_half.empty()) request.first_half = chunk(request.first_half);
    if (!request.second_half.empty()) request.second_half = chunk(request.second_half);
    request.second_half += chunk("");
  }
  request.answer = receipt_of(request.cue.number);
}

void HttpClient::run(size_t requests, const Deadline& deadline) {
  for (size_t i = 0; i < requests && !deadline.passed(); ++i) ask(next_request());
}

void HttpClient::run() {
  while (course_.pause(think_time())) {
    if (course_.closing() && !stream_.open()) return;
    ask(next_request());
  }
}

void HttpClient::ask(const Request& request) {
  began_ = Clock::now();
  seen_closed_ = false;
  Stage stage = Stage::Connecting;
  try {
    exchange(request, stage);
  } catch (const StreamFailure& failure) {
    failed(outcome_of(failure.cause(), stage == Stage::Reading), failure.what());
  } catch (const Failure& failure) {
    failed(Outcome::Other, failure.what());
  }
}

void HttpClient::exchange(const Request& request, Stage& stage) {
  if (stream_.open()) {
    seen_closed_ = !stream_.quiet();
  } else {
    stream_ = course_.connect();
    ++score_.connects;
  }
  stage = Stage::Waiting;
  if (kind_ == Kind::Post && request.cue.number % 3 == 0) {
    // The head, the body and its end on their way at different times.
    stream_.send(request.head);
    course_.pause(milliseconds(random_() % 5));
    stream_.send(request.first_half);
    course_.pause(milliseconds(random_() % 5));
    stream_.send(request.second_half);
  } else {
    stream_.send(request.head + request.first_half + request.second_half);
  }
  Message answer = stream_.read_head();
  stage = Stage::Reading;
  stream_.read_body(answer);
  judge(request, answer);
}

void HttpClient::judge(const Request& request, const Message& answer) {
  if (answer.status() != 200) return failed(Outcome::BadStatus, answer.start_line + code_in(answer.body));
  if (answer.body != request.answer)
    return failed(Outcome::WrongBody, "request " + std::to_string(request.cue.number) + ": " +
                                          std::to_string(answer.body.size()) + " bytes for " +
                                          std::to_string(request.answer.size()) + ": " + printable(answer.body, 100));
  part(request, answer);
  const Clock::time_point now = Clock::now();
  const auto took = std::chrono::duration_cast<milliseconds>(now - began_);
  if (kind_ != Kind::Slow) {
    score_.slowest = std::max(score_.slowest, took);
    if (took > Score::kLate) score_.stalls.push_back({kind_, began_, now});
  }
  ++score_.good;
  course_.note_progress(kind_);
}

void HttpClient::part(const Request& request, const Message& answer) {
  const bool closed_by_gateway = answer.lists("Connection", "close");
  if (closed_by_gateway) stream_.expect_end();
  if (closed_by_gateway && !request.closes) ++score_.announced;
  if (closed_by_gateway || request.closes) stream_.close();
}

void HttpClient::failed(Outcome outcome, const std::string& detail) {
  stream_.close();
  score_.mishaps.push_back({kind_, outcome, began_, Clock::now(), seen_closed_, detail});
}

}  // namespace restgate::itest::torture
