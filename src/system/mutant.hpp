// SPDX-License-Identifier: MIT
// Faults that a test-only program (tests/trust/meson.build) can be told to have, to see that a suite notices each of
// them. Everywhere else mutant() is a constant, and neither the faults nor their names are in the program.
#pragma once

#include <string>
#include <string_view>

#include "../judgement.hpp"

namespace telec {

enum class Mutant {
  no_fsync,
  no_directory_fsync,
  rename_first,
  no_exclusive,
  lock_is_nothing,
  no_second_check,
  wait_for_end_of_file,
  verdict_from_stdout,
  no_session,
  environment_unfiltered,
  ownership_unchecked,
  close_unchecked,
  signals_kept,
  umask_kept,
  current_directory_searched,
  home_unchecked,
};

#ifdef TELEC_MUTANTS
/// Is this the fault that TELEC_MUTANT names?
bool mutant(Mutant fault);
/// The shim without its second check().
std::string mutated_shim(std::string_view shim);
/// Takes the last line of the output for the verdict.
void believe_output(ChildResult& result);
#else
constexpr bool mutant(Mutant) { return false; }
inline std::string mutated_shim(std::string_view shim) { return std::string(shim); }
inline void believe_output(ChildResult&) {}
#endif

}  // namespace telec
