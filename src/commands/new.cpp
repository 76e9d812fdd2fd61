// SPDX-License-Identifier: MIT
#include <array>
#include <cstdio>

#include "../command_again.hpp"
#include "../new_script.hpp"
#include "../system/process_start.hpp"
#include "../system/tree.hpp"
#include "../text.hpp"
#include "commands.hpp"

namespace telec {
namespace {

std::string version_for(const Invocation& invocation, const Catalog& catalog) {
  if (invocation.new_version) {
    return invocation.new_version->text();
  }
  std::string version = newest_version(catalog);
  if (version.empty()) {
    throw Error(ErrorCode::usage, "the tree has no version yet to add to",
                "name one with --version, as in --version 1.2.0");
  }
  return version;
}

}  // namespace

int create(const Invocation& invocation, Voice& voice, Report& report) {
  const Tree tree(migrations_directory(invocation));
  const Catalog catalog = tree.read_catalog();
  const std::string& name = invocation.arguments.front();
  const auto description = description_of(name);
  if (!description) {
    throw Error(ErrorCode::usage, "the name " + quoted(name) + " cannot be used: " + description.reason(),
                "say in a few words what it does, as in telec migrate new \"rename config key\"");
  }
  const std::string version = version_for(invocation, catalog);
  const auto number = next_number(catalog, version);
  if (!number) {
    throw Error(ErrorCode::usage, number.reason(), "use the next version: --version VERSION");
  }
  std::array<char, 8> digits{};
  std::snprintf(digits.data(), digits.size(), "%03d", *number);
  const Migration migration(version, digits.data() + ("_" + *description) + ".py");
  report.path = tree.create_script(migration, script_text(name, migration.id()), callers_umask());
  ReportEntry entry;
  entry.id = migration.id();
  report.entries.push_back(std::move(entry));
  report.problems = catalog.problems();
  voice.say(printable(report.path) + "\n");
  if (!catalog.migrations().empty() && migration < catalog.migrations().back()) {
    voice.note("it comes before " + quoted(catalog.migrations().back().id()) +
               ", which is in the tree already: where that ran, this one runs late");
  }
  voice.note("fill in check() and migrate(), and the sentence at its top; then: " +
             command_again(invocation, Verb::lint) + ", " + command_again(invocation) + " --only " + migration.id());
  return voice.finish(report, 0);
}

}  // namespace telec
