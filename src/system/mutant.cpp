// SPDX-License-Identifier: MIT
// Part of the test-only program alone. Here is also its operator new, which can be told to fail once.
#include "mutant.hpp"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string_view>

namespace telec {

bool mutant(Mutant fault) {
  static constexpr std::array names = {"no_fsync",
                                       "no_directory_fsync",
                                       "rename_first",
                                       "no_exclusive",
                                       "lock_is_nothing",
                                       "no_second_check",
                                       "wait_for_end_of_file",
                                       "verdict_from_stdout",
                                       "no_session",
                                       "environment_unfiltered",
                                       "ownership_unchecked",
                                       "close_unchecked",
                                       "signals_kept",
                                       "umask_kept",
                                       "current_directory_searched",
                                       "home_unchecked"};
  const char* wanted = std::getenv("TELEC_MUTANT");  // NOLINT(concurrency-mt-unsafe): one thread
  return wanted != nullptr && names.at(static_cast<std::size_t>(fault)) == std::string_view(wanted);
}

std::string mutated_shim(std::string_view shim) {
  std::string text(shim);
  if (!mutant(Mutant::no_second_check)) {
    return text;
  }
  constexpr std::string_view second = "if not ask(\"check\"):";
  const std::size_t place = text.find(second);
  if (place == std::string::npos) {
    std::fputs("the mutant no_second_check does not fit the shim any more\n", stderr);
    std::abort();
  }
  return text.replace(place, second.size(), "if False:");
}

void believe_output(ChildResult& result) {
  if (result.output_tail.find("\"verdict\": \"applied\"") == std::string::npos) {
    return;
  }
  const std::string head = "{\"nonce\": \"" + result.nonce + "\", \"event\": ";
  result.said = head + "\"hello\", \"python\": \"3.8.0\", \"supported\": true}\n" + head +
                "\"verdict\", \"verdict\": \"applied\"}\n";
  result.said_too_much = false;
  result.ending = Exited{0};
}

namespace {

long asked_for() {
  static const long number = [] {
    const char* text = std::getenv("TELEC_FAIL_NEW");  // NOLINT(concurrency-mt-unsafe): one thread
    return text != nullptr ? std::strtol(text, nullptr, 10) : 0L;
  }();
  return number;
}

long allocations = 0;
const pid_t first_process = ::getpid();

void tell_count() {
  if (::getpid() == first_process) {
    std::fprintf(stderr, "allocations: %ld\n", allocations);
  }
}

const bool counts = [] {
  return std::getenv("TELEC_COUNT_NEW") != nullptr &&
         std::atexit(tell_count) == 0;  // NOLINT(concurrency-mt-unsafe): one thread
}();

}  // namespace
}  // namespace telec

void* operator new(std::size_t size) {
  if (++telec::allocations == telec::asked_for()) {
    throw std::bad_alloc();
  }
  void* place = std::malloc(size == 0 ? 1 : size);
  if (place == nullptr) {
    throw std::bad_alloc();
  }
  return place;
}

void operator delete(void* place) noexcept { std::free(place); }
void operator delete(void* place, std::size_t) noexcept { std::free(place); }
