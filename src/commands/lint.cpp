// SPDX-License-Identifier: MIT
#include <algorithm>

#include "../lint_tree.hpp"
#include "../output/text.hpp"
#include "../sha256.hpp"
#include "../system/paths.hpp"
#include "../system/python.hpp"
#include "../system/script_reader.hpp"
#include "../system/surroundings.hpp"
#include "../system/tree.hpp"
#include "../text.hpp"
#include "../verify.hpp"
#include "commands.hpp"

namespace telec {
namespace {

Tree tree_to_look_at(const Invocation& invocation) {
  if (invocation.arguments.empty()) {
    return Tree(migrations_directory(invocation));
  }
  return Tree(absolute_path(invocation.arguments.front()), "'telec migrate lint DIR'");
}

void look_inside(const Invocation& invocation, const Tree& tree, const Catalog& catalog, Report& report) {
  std::vector<ScriptText> scripts;
  for (const Migration& migration : catalog.migrations()) {
    ScriptText script;
    std::string reason;
    script.shown = migration.path();
    script.path = tree.path_of(migration);
    if (tree.read_script(migration, script.source, reason)) {
      scripts.push_back(std::move(script));
    } else {
      report.findings.push_back({"unreadable", migration.path(), 0, reason, mend_unreadable});
    }
  }
  if (!scripts.empty()) {
    Reading reading = read_scripts(find_python(invocation.python), ReadFor::lint, scripts);
    std::ranges::move(reading.findings, std::back_inserter(report.findings));
  }
}

}  // namespace

int lint(const Invocation& invocation, Voice& voice, Report& report) {
  const Tree tree = tree_to_look_at(invocation);
  const Catalog catalog = tree.read_catalog();
  report.findings = name_findings(catalog);
  look_inside(invocation, tree, catalog, report);
  if (invocation.against) {
    const Tree other(absolute_path(*invocation.against), "--against DIR");
    const Catalog base = other.read_catalog();
    const auto is_same = [&](const Migration& migration) {
      std::string here;
      std::string there;
      std::string reason;
      return tree.read_script(migration, here, reason) && other.read_script(migration, there, reason) &&
             is_same_script(here, sha256(there));
    };
    std::ranges::move(findings_against(catalog, base, is_same), std::back_inserter(report.findings));
  }
  std::ranges::stable_sort(report.findings, [](const Finding& a, const Finding& b) {
    return a.path != b.path ? a.path < b.path : a.line < b.line;
  });
  const std::string sum = counted(catalog.migrations().size(), "script") + ": ";
  voice.insist(findings_text(report.findings, voice.result_style()));
  voice.say(sum + (report.findings.empty() ? "no findings" : counted(report.findings.size(), "finding")) + "\n");
  return voice.finish(report, report.findings.empty() ? 0 : findings_exit_code);
}

}  // namespace telec
