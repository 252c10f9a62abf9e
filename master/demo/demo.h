// `restgate demo`: the gateway in the foreground, in front of the built-in demo origin. Becomes the master process.
#pragma once

namespace restgate::demo {

/// `argv` are the `argc` words after "demo". Returns the process's exit code: 0 after a drain, 1 failure, 2 usage.
int run_demo(int argc, char** argv);

}  // namespace restgate::demo
