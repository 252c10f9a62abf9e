#include "config/peek.h"

#include <gtest/gtest.h>

#include <string_view>

namespace restgate::config {
namespace {

struct Row {
  std::string_view text;
  std::string_view expected;
};

TEST(Peek, FindsAKeyInGoodFilesAndInBad) {
  const Row rows[] = {
      {"", ""},
      {"port: 1\n", ""},
      {"admin_socket: /run/a\nport: 1\n", "/run/a"},
      {"admin_socket: '/run/a b' # c\n", "/run/a b"},
      {"{port: 1, admin_socket: /run/a}", "/run/a"},
      {"admin_socket:\n", ""},
      {"admin_socket: [a]\n", ""},
      {"prot: 1\nadmin_socket: /run/a\nworkers: many\n", "/run/a"},
      {"a:\n  admin_socket: /run/a\n", ""},
      {"# admin_socket: /run/a\n", ""},
      // No YAML any more.
      {"admin_socket: /run/a\nport: [1\n", "/run/a"},
      {"port: [1\nadmin_socket: \"/run/a\" # why\n", "/run/a"},
      {"port: [1\nadmin_socket: /run/a#b # why\r\n", "/run/a#b"},
      {"\tport: 1\nadmin_socket: /run/a", "/run/a"},
      {"port: [1\nadmin_socket: '/run/a\n", ""},
      {"port: [1\nadmin_socket: # none\n", ""},
      {"port: [1\nadmin_sockets: /run/a\n admin_socket: /run/b\n", ""},
  };
  for (const Row& row : rows) EXPECT_EQ(peek(row.text, "admin_socket"), row.expected) << row.text;
}

}  // namespace
}  // namespace restgate::config
