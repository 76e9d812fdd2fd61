// SPDX-License-Identifier: MIT
// What reading a text gives: the value, or the reason why the text is none.
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace telec {

struct Refusal {
  std::string reason;     ///< why the text was refused, as the end of a sentence: "leading zero in '01'"
  bool is_newer = false;  ///< it is of a newer version of its format, and may be well
};

template <class T>
class Parsed {
 public:
  Parsed(T value) : content_(std::move(value)) {}  // NOLINT(google-explicit-constructor): reads as the value
  Parsed(Refusal refusal)
      : content_(std::move(refusal)) {}  // NOLINT(google-explicit-constructor): reads as the refusal

  [[nodiscard]] bool ok() const { return content_.index() == 0; }
  explicit operator bool() const { return ok(); }

  /// The value; only where ok().
  [[nodiscard]] T& value() & { return std::get<0>(content_); }
  [[nodiscard]] const T& value() const& { return std::get<0>(content_); }
  [[nodiscard]] T&& value() && { return std::get<0>(std::move(content_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  /// Why there is no value; only where !ok().
  [[nodiscard]] const std::string& reason() const { return refusal().reason; }
  [[nodiscard]] const Refusal& refusal() const { return std::get<1>(content_); }

 private:
  std::variant<T, Refusal> content_;
};

}  // namespace telec
