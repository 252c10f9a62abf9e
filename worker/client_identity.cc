#include "worker/client_identity.h"

#include <algorithm>
#include <optional>

#include "common/cidr.h"

namespace restgate::worker {
namespace {

using http1::FieldId;

bool is_trusted(const IpBytes& address, const config::Config& config) {
  const auto& blocks = *config.trusted_proxies;
  return std::any_of(blocks.begin(), blocks.end(), [&](const Cidr& block) { return block.contains(address); });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// ":" and a number, or nothing at all.
bool is_port_suffix(std::string_view text) {
  if (text.empty()) return true;
  return text.front() == ':' && text.size() >= 2 && text.size() <= 6 &&
         text.find_first_not_of("0123456789", 1) == std::string_view::npos;
}

/// The address of an element, also as some proxies write it: "192.0.2.1:80", "[2001:db8::1]", "[2001:db8::1]:80".
std::optional<IpBytes> parse_element(std::string_view element) {
  std::string_view address = element;
  std::string_view port;
  if (element.starts_with('[')) {
    const size_t end = element.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    address = element.substr(1, end - 1);
    port = element.substr(end + 1);
    if (address.find(':') == std::string_view::npos) return std::nullopt;
  } else if (const size_t colon = element.find(':'); colon != std::string_view::npos && colon == element.rfind(':')) {
    address = element.substr(0, colon);
    port = element.substr(colon);
  }
  return is_port_suffix(port) ? parse_ip(address) : std::nullopt;
}

/// Takes the last element off a comma-separated list.
std::string_view pop_last(std::string_view& list) {
  const size_t comma = list.rfind(',');
  const std::string_view element = comma == std::string_view::npos ? list : list.substr(comma + 1);
  list = comma == std::string_view::npos ? std::string_view() : list.substr(0, comma);
  return trimmed(element);
}

/// Walks a line of the field from the right, as long as only trusted ones come. False: the walk ends here.
bool walk(std::string_view list, const config::Config& config, std::optional<IpBytes>& client) {
  while (!list.empty()) {
    const std::string_view element = pop_last(list);
    if (element.empty()) continue;  // RFC 9110 §5.6.1.2: empty elements of a list do not count
    const std::optional<IpBytes> address = parse_element(element);
    if (!address) return false;
    client = address;
    if (!is_trusted(*address, config)) return false;
  }
  return true;
}

}  // namespace

PeerTrust trust_of(std::string_view address, const config::Config& config) {
  if (!config.trusted_proxies) return PeerTrust::Unset;
  const std::optional<IpBytes> parsed = parse_ip(address);
  return parsed && is_trusted(*parsed, config) ? PeerTrust::Trusted : PeerTrust::Untrusted;
}

std::string_view original_client(const http1::RequestHead& head, std::string_view peer, const config::Config& config,
                                 platform::AddressText& space) {
  std::optional<IpBytes> client;
  // NOLINTNEXTLINE(modernize-loop-convert): clang 14 cannot compile the ranges that it wants
  for (auto field = head.fields.rbegin(); field != head.fields.rend(); ++field)
    if (field->id == FieldId::XForwardedFor && !walk(field->value, config, client)) break;
  if (!client) return peer;
  return {space.data(), format_ip(*client, space)};
}

}  // namespace restgate::worker
