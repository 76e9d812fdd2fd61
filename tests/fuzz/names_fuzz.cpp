// SPDX-License-Identifier: MIT
// Any text as a version, as an id and as a file name: the grammars agree with each other, and the order is one.
#include <cstdlib>
#include <string_view>

#include "migration.hpp"
#include "version.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size);

namespace {

void must(bool holds) {
  if (!holds) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace telec;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view first = text.substr(0, text.find('\n'));
  const std::string_view second = first.size() < text.size() ? text.substr(first.size() + 1) : std::string_view{};
  const auto a = Version::parse(first);
  const auto b = Version::parse(second);
  must(static_cast<bool>(a) == Version::fault_of(first).empty());
  if (a) {
    must(a.value().text() == first);
    must(Version::parse_loosely(" v" + std::string(first) + " ")->text() == first);
    must((a.value() <=> a.value()) == std::strong_ordering::equal);
  }
  const auto loose = Version::parse_loosely(first);
  must(loose ? Version::fault_of(loose->text()).empty() : !a && !loose.reason().empty());
  if (a && b) {
    must((a.value() < b.value()) == (b.value() > a.value()));
    must((a.value() == b.value()) == ((a.value() <=> b.value()) == std::strong_ordering::equal));
  }
  const auto one = Migration::parse(first);
  const auto other = Migration::parse(second);
  must(static_cast<bool>(one) == Migration::fault_of(first).empty());
  if (one) {
    must(one.value().id() == first);
    must(static_cast<bool>(Version::parse(one.value().version())) && is_script_name(one.value().file_name()));
    must(one.value() == Migration(one.value().version(), one.value().file_name()));
    must(one.value().number() >= 0 && one.value().number() <= 999 && !one.value().description().empty());
    must(one.value().path().find("..") == std::string::npos);
  }
  if (one && other) {
    must((one.value() < other.value()) == (other.value() > one.value()));
  }
  return 0;
}
