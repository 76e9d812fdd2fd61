// SPDX-License-Identifier: MIT
// Loaded before libc (LD_PRELOAD) by surroundings_test.py: a wall clock that starts at ODD_CLOCK seconds and moves by
// ODD_CLOCK_STEP with every question. The kernel gives no process a wall clock of its own (time_namespaces(7)).
#include <cstdlib>
#include <ctime>

namespace {

long long number(const char* name) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoll(text, nullptr, 10) : 0;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) std::time_t time(std::time_t* place) noexcept {
  static long long now = number("ODD_CLOCK");
  static const long long step = number("ODD_CLOCK_STEP");
  const auto told = static_cast<std::time_t>(now);
  now += step;
  if (place != nullptr) {
    *place = told;
  }
  return told;
}
