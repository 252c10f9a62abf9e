# Compiler standard, warnings, hardening, optimisation, sanitizers: the target restgate_options, linked privately by
# every target of the tree.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

option(RESTGATE_WERROR "Warnings are errors" OFF)
option(RESTGATE_LTO "Link-time optimisation of the executable" OFF)
option(RESTGATE_COVERAGE "Instrument for gcov" OFF)
option(RESTGATE_FUZZ "Build only the libFuzzer targets and what they need (clang)" OFF)
option(RESTGATE_TESTS "Build the tests and benchmarks" ON)
set(RESTGATE_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize takes them")
set(RESTGATE_PROFILE "" CACHE STRING "Profile feedback, by gcc: generate, then use (packaging/build-profiled does both)")
set_property(CACHE RESTGATE_PROFILE PROPERTY STRINGS "" generate use)

# A release keeps line tables, so that a core or a profile of it can be read.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-Og -g")
if(RESTGATE_SANITIZE)
  set(CMAKE_CXX_FLAGS_DEBUG "-Og -g1")  # enough for a report
endif()

find_program(RESTGATE_CCACHE ccache)
mark_as_advanced(RESTGATE_CCACHE)
if(RESTGATE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${RESTGATE_CCACHE})
endif()

add_library(restgate_options INTERFACE)

# Warnings. Headers of the dependencies lie in system directories and are exempt.
target_compile_options(restgate_options INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
if(RESTGATE_WERROR)
  target_compile_options(restgate_options INTERFACE -Werror)
endif()

# Hardening. PIE rather than PIC for the libraries too: they are only ever linked into executables of this tree.
target_compile_options(restgate_options INTERFACE -fPIE -fstack-protector-strong -fstack-clash-protection)
target_link_options(restgate_options INTERFACE -pie LINKER:-z,relro,-z,now,-z,noexecstack,--as-needed)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  target_compile_options(restgate_options INTERFACE -fcf-protection)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  target_compile_options(restgate_options INTERFACE -mbranch-protection=standard)
endif()

if(RESTGATE_SANITIZE)
  # _FORTIFY_SOURCE is left out: its wrappers hide calls from the sanitizers.
  set(sanitize -fsanitize=${RESTGATE_SANITIZE})
  target_compile_options(restgate_options INTERFACE ${sanitize} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_compile_definitions(restgate_options INTERFACE _GLIBCXX_ASSERTIONS RESTGATE_SANITIZED)
  target_link_options(restgate_options INTERFACE ${sanitize})
elseif(CMAKE_BUILD_TYPE STREQUAL "Debug")
  target_compile_definitions(restgate_options INTERFACE _GLIBCXX_ASSERTIONS)
else()
  target_compile_options(restgate_options INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
endif()

if(RESTGATE_COVERAGE)
  target_compile_options(restgate_options INTERFACE --coverage -fprofile-update=atomic)
  target_compile_definitions(restgate_options INTERFACE RESTGATE_COUNTS)
  target_link_options(restgate_options INTERFACE --coverage)
endif()

# Profile feedback. A build that generates writes what it has counted beside its objects when its processes end; one that
# uses, of the same sources in the same directory, has gcc read that: the common way through the code becomes straight,
# and what rarely happens is out of its way. Code that was not reached is compiled as without a profile.
if(RESTGATE_PROFILE AND NOT RESTGATE_PROFILE MATCHES "^(generate|use)$")
  message(FATAL_ERROR "RESTGATE_PROFILE is generate, use or empty, not ${RESTGATE_PROFILE}")
elseif(RESTGATE_PROFILE AND NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  message(FATAL_ERROR "RESTGATE_PROFILE is for gcc")
elseif(RESTGATE_PROFILE STREQUAL "generate")
  target_link_options(restgate_options INTERFACE -fprofile-generate)  # whatever has counting code in it
endif()
function(restgate_profiled target)
  if(RESTGATE_PROFILE STREQUAL "generate")
    target_compile_options(${target} PRIVATE -fprofile-generate -fprofile-update=atomic)
    target_compile_definitions(${target} PRIVATE RESTGATE_COUNTS)
  elseif(RESTGATE_PROFILE STREQUAL "use")
    target_compile_options(${target} PRIVATE -fprofile-use -fprofile-correction -fprofile-partial-training
      -Wno-missing-profile -Wno-error=coverage-mismatch)
    # What g++ 12 believes of branches that a size rules out, once a profile has it inline more.
    target_compile_options(${target} PRIVATE -Wno-array-bounds -Wno-stringop-overread)
    target_link_options(${target} PRIVATE -Wno-array-bounds -Wno-stringop-overread)
  endif()
endfunction()

# Link-time optimisation is for what runs in earnest: the executable and the benchmarks. The libraries' objects carry
# machine code as well, so that the test programs link in a moment; those are optimised little, to compile soon. What
# only counts for a profile need not be quick.
function(restgate_product target)
  if(RESTGATE_LTO AND NOT RESTGATE_PROFILE STREQUAL "generate")
    target_compile_options(${target} PRIVATE -flto=auto -ffat-lto-objects)
    target_link_options(${target} PRIVATE -flto=auto -O2)
  endif()
endfunction()
function(restgate_test_program target)
  if(RESTGATE_LTO)
    target_link_options(${target} PRIVATE -fno-lto)
  endif()
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_options(${target} PRIVATE -O1)
  endif()
endfunction()

# Half of the time that sources take to compile goes into these headers. The debug build does without: it shows a source
# that does not include what it uses.
function(restgate_precompile_headers target)
  target_precompile_headers(${target} PRIVATE <algorithm> <chrono> <functional> <map> <memory> <optional> <span> <string>
    <string_view> <unordered_map> <utility> <variant> <vector>)
endfunction()

# The same for tests. With a second target: those of that one, which is compiled alike.
function(restgate_precompile_test_headers target)
  if(ARGN)
    target_precompile_headers(${target} REUSE_FROM ${ARGN})
  else()
    target_precompile_headers(${target} PRIVATE <gmock/gmock.h> <gtest/gtest.h> <nlohmann/json.hpp> <algorithm> <chrono>
      <filesystem> <fstream> <functional> <map> <memory> <optional> <set> <sstream> <string> <thread> <variant> <vector>)
  endif()
  # What g++ 12 believes of std::string's insides, and keeps to itself when the headers are not precompiled.
  target_compile_options(${target} PRIVATE -Wno-array-bounds -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread)
endfunction()

if(RESTGATE_FUZZ)
  target_compile_options(restgate_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
