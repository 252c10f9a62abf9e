#include "common/result.h"

#include <system_error>

namespace restgate {

Error system_error(std::string what, int errno_value) {
  what += ": ";
  what += std::generic_category().message(errno_value);
  return Error{std::move(what), errno_value};
}

}  // namespace restgate
