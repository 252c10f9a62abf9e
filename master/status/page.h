// The page at `/` of the admin port: one HTML text without any other file to it. Master.
//
// It is put together once from what the build has embedded (cmake/EmbedPage.cmake): master/page, and the chart library.
// Its Content-Security-Policy names its scripts and its style by their hashes: nothing else runs, whatever gets in.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace restgate::master {

struct Page {
  std::shared_ptr<const std::string> html;
  std::string content_policy;
};

/// Its parts, as they were when the program was built.
struct PageParts {
  std::string_view html;     ///< with a line <!--style--> and one <!--scripts-->
  std::string_view style;    ///< CSS
  std::string_view library;  ///< JavaScript
  std::string_view script;   ///< likewise
};
[[nodiscard]] PageParts embedded_page();

/// REQUIRES: no part ends its own element (`</script`, `</style`).
[[nodiscard]] Page assemble(const PageParts& parts);
/// The embedded one; made at its first use, there until the process ends.
[[nodiscard]] const Page& page();

}  // namespace restgate::master
