// SPDX-License-Identifier: MIT
#include "verify.hpp"

#include "sha256.hpp"

namespace telec {
namespace {

constexpr std::string_view bom = "\xef\xbb\xbf";

std::string with_line_feeds(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] == '\r') {
      out.push_back('\n');
      i += i + 1 < bytes.size() && bytes[i + 1] == '\n' ? 1 : 0;
    } else {
      out.push_back(bytes[i]);
    }
  }
  return out;
}

std::string with_carriage_returns(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (const char c : bytes) {
    if (c == '\n') {
      out.push_back('\r');
    }
    out.push_back(c);
  }
  return out;
}

}  // namespace

bool is_same_script(std::string_view bytes, const std::string& sha256_recorded) {
  if (sha256(bytes) == sha256_recorded) {
    return true;
  }
  const std::string plain = with_line_feeds(bytes.starts_with(bom) ? bytes.substr(bom.size()) : bytes);
  const std::string windows = with_carriage_returns(plain);
  return (plain != bytes && sha256(plain) == sha256_recorded) || sha256(windows) == sha256_recorded ||
         sha256(std::string(bom) + plain) == sha256_recorded || sha256(std::string(bom) + windows) == sha256_recorded;
}

State state_of_recheck(bool recorded, Outcome checked) {
  switch (checked) {
    case Outcome::already_present: return recorded ? State::ok : State::unrecorded;
    case Outcome::not_present: return recorded ? State::regressed : State::pending;
    case Outcome::interrupted: return State::interrupted;
    case Outcome::applied:
    case Outcome::no_python:
    case Outcome::failed: break;
  }
  return State::failed;
}

std::vector<std::string> recorded_out_of_order(const std::vector<std::string_view>& order) {
  std::vector<std::string> late;
  std::string_view last;
  for (const std::string_view id : order) {
    if (!last.empty() && compare_ids(id, last) < 0) {
      late.emplace_back(id);
    } else {
      last = id;
    }
  }
  return late;
}

}  // namespace telec
