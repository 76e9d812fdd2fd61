// SPDX-License-Identifier: MIT
// A migration to begin with: its file name and its text, from a name that a person typed. Pure.
#pragma once

#include <string>
#include <string_view>

#include "catalog.hpp"
#include "parsed.hpp"

namespace telec {

/// "Rename config key" -> "rename_config_key"; refused where nothing is left of it.
Parsed<std::string> description_of(std::string_view name);

/// The number after the highest one of `version`; refused after 999.
Parsed<int> next_number(const Catalog& catalog, std::string_view version);

/// The newest version that has a script; empty where there is none.
std::string newest_version(const Catalog& catalog);

/// The script: it follows the contract and passes `lint`, and fails when it is run, until it is filled in.
std::string script_text(std::string_view name, std::string_view id);

}  // namespace telec
