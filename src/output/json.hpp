// SPDX-License-Identifier: MIT
// A report as the JSON document of `--json`: the same keys on success and on failure.
#pragma once

#include <string>

#include "../report.hpp"

namespace telec {

/// One document, ended by a newline; always valid JSON in ASCII.
std::string json_document(const Report& report);

}  // namespace telec
