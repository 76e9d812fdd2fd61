// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>

#include "../command_again.hpp"
#include "../output/text.hpp"
#include "../plan.hpp"
#include "../system/attempts_file.hpp"
#include "../system/calls.hpp"
#include "../system/host.hpp"
#include "../system/lock_file.hpp"
#include "../system/owners.hpp"
#include "../system/paths.hpp"
#include "../system/python.hpp"
#include "../system/script_reader.hpp"
#include "../system/state_file.hpp"
#include "../system/surroundings.hpp"
#include "../system/tree.hpp"
#include "../system/trusted_place.hpp"
#include "../text.hpp"
#include "checks.hpp"
#include "commands.hpp"

namespace telec {
namespace {

constexpr const char* mount_it = "mount it writable, or name another --state-file";

std::string octal(unsigned mode) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%04o", mode);
  return text.data();
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::uint64_t mebibyte = std::uint64_t{1024} * 1024;
  constexpr std::uint64_t gibibyte = 1024 * mebibyte;
  return bytes >= 10 * gibibyte ? std::to_string(bytes / gibibyte) + " GiB" : std::to_string(bytes / mebibyte) + " MiB";
}

/// Collects the lines; an Error within a look becomes its line.
class Looks {
 public:
  Looks(const Invocation& invocation, Report& report) : invocation_(invocation), report_(report) {}

  void good(std::string name, std::string message) {
    report_.health.push_back({std::move(name), true, std::move(message), ""});
  }
  void bad(std::string name, std::string message, const std::string& hint) {
    report_.health.push_back({std::move(name), false, std::move(message), hint_in_full(hint, invocation_)});
  }
  template <class Look>
  void look(const char* name, Look look) {
    try {
      look();
    } catch (const Error& error) {
      bad(name, error.message, error.hint);
    }
  }

 private:
  const Invocation& invocation_;
  Report& report_;
};

std::string how_found(const Invocation& invocation) {
  return invocation.python             ? "named by --python"
         : environment("TELEC_PYTHON") ? "named by TELEC_PYTHON"
                                       : "found by itself";
}

void look_at_interpreter(const Invocation& invocation, Looks& looks) {
  looks.look("interpreter", [&] {
    const std::string python = find_python(invocation.python);
    const Reading reading = read_scripts(python, ReadFor::load, {});
    int major = 0;
    int minor = 0;
    const bool old =
        std::sscanf(reading.python.c_str(), "%d.%d", &major, &minor) != 2 || major < 3 || (major == 3 && minor < 8);
    const std::string what = python + ", " + how_found(invocation) + ": python " + reading.python;
    if (old) {
      looks.bad("interpreter", what + " is too old",
                "name a python3 of 3.8 or newer with --python FILE or TELEC_PYTHON");
    } else if (!reading.isolated) {
      looks.bad("interpreter", what + " does not run isolated",
                "name another python3 with --python FILE or TELEC_PYTHON");
    } else {
      looks.good("interpreter", what + ", isolated, starts in " + seconds_text(reading.seconds));
    }
  });
}

void look_at_scripts(const Invocation& invocation, const Tree& tree, const std::vector<const Migration*>& pending,
                     Looks& looks) {
  looks.look("scripts", [&] {
    refuse_unsafe_scripts(tree.directory(), pending);
    std::vector<ScriptText> scripts;
    bool readable = true;
    for (const Migration* migration : pending) {
      ScriptText script;
      std::string reason;
      script.shown = migration->path();
      script.path = tree.path_of(*migration);
      if (tree.read_script(*migration, script.source, reason)) {
        scripts.push_back(std::move(script));
      } else {
        looks.bad("scripts", reason, mend_unreadable);
        readable = false;
      }
    }
    std::vector<Finding> findings;
    if (!scripts.empty()) {
      findings = read_scripts(find_python(invocation.python), ReadFor::load, scripts).findings;
    }
    for (const Finding& finding : findings) {
      looks.bad("scripts", finding.path + ":" + std::to_string(finding.line) + ": " + finding.message, finding.hint);
    }
    if (findings.empty() && readable) {
      looks.good("scripts", pending.empty()
                                ? "nothing is pending"
                                : counted(pending.size(), "pending script") + ": all compile, all imports are found");
    }
  });
}

void look_at_place(const std::string& path, Looks& looks) {
  constexpr std::uint64_t room = std::uint64_t{64} * 1024 * 1024;
  const auto place = place_of(path);
  if (!place) {
    looks.bad("disk", "the file system of " + quoted(path) + " cannot be asked",
              "see that the directory can be entered");
  } else if (place->read_only) {
    looks.bad("disk", place->file_system + ", read-only: nothing can be recorded", mount_it);
  } else if (place->free_bytes < room) {
    looks.bad("disk", place->file_system + ", " + size_text(place->free_bytes) + " free",
              "make room: a run needs some for records and logs");
  } else if (place->is_network) {
    looks.bad("disk", place->file_system + ": locks may not hold across hosts there",
              "keep the state on a local disk, or see to it that only one host migrates this home");
  } else {
    looks.good("disk", place->file_system + ", " + size_text(place->free_bytes) + " free");
  }
}

/// The directory that is to be, in one where this user may create nothing.
std::string way_to_create(const std::string& directory, const std::string& above, const Access& access) {
  if (!access.exists) {
    return "create that first, with: mkdir -p " + shell_quoted(above);
  }
  if (access.read_only) {
    return mount_it;
  }
  if (access.owner == effective_user() || effective_user() == 0) {
    return way_into(above);
  }
  return "create it for this user, as root, with: install -d -m 0700 -o " + shell_word(user_name()) + " " +
         shell_quoted(directory);
}

void look_at_permissions(const StateDirectory& directory, Looks& looks) {
  const Access folder = access_of(directory.directory());
  const Access file = access_of(directory.path());
  if (!folder.exists) {
    const std::string above = directory_of(directory.directory());
    const Access access = access_of(above);
    if (access.can_write) {
      looks.good("permissions", "the state directory is created by the first run, in " + quoted(above));
    } else {
      looks.bad("permissions",
                "the state directory does not exist, and " + quoted(above) +
                    (access.exists ? " cannot be written" : " does not exist either"),
                way_to_create(directory.directory(), above, access));
    }
  } else if (!folder.can_write) {
    looks.bad("permissions", quoted(directory.directory()) + " cannot be written",
              folder.read_only ? mount_it : way_into(directory.directory()));
  } else if (folder.owner != effective_user()) {
    looks.bad("permissions",
              quoted(directory.directory()) + " belongs to uid " + std::to_string(folder.owner) + ", and this is uid " +
                  std::to_string(effective_user()),
              way_into(directory.directory()));
  } else if ((folder.mode & 022U) != 0 || (file.exists && (file.mode & 022U) != 0)) {
    const bool is_folder = (folder.mode & 022U) != 0;
    const std::string& path = is_folder ? directory.directory() : directory.path();
    looks.bad("permissions",
              quoted(path) + " has mode " + octal(is_folder ? folder.mode : file.mode) + ": others can write to it",
              "chmod " + std::string(is_folder ? "0700 " : "0600 ") + shell_quoted(path));
  } else {
    // What TeleClaude made itself may be readable for others: no reason to stop anything.
    looks.good("permissions", quoted(directory.directory()) + " has mode " + octal(folder.mode) +
                                  " and is this user's" +
                                  ((folder.mode & 055U) != 0 ? "; others can look into it" : ""));
  }
}

void look_at_logs(const StateDirectory& directory, Looks& looks) {
  looks.look("logs", [&] {
    const bool some = directory.exists() && refuse_lost_attempts(directory.descriptor(), directory.directory());
    looks.good("logs", some ? "in " + quoted(directory.directory() + "/migration_logs") : "none yet");
  });
}

}  // namespace

int doctor(const Invocation& invocation, Voice& voice, Report& report) {
  Looks looks(invocation, report);
  look_at_interpreter(invocation, looks);
  looks.look("home", [&] {
    const std::string home = home_directory();
    confirm_directory(home);
    looks.good("home", home);
  });
  std::optional<Tree> tree;
  std::optional<Catalog> catalog;
  looks.look("tree", [&] {
    tree.emplace(migrations_directory(invocation));
    catalog = tree->read_catalog();
    report.problems = catalog->problems();
    refuse_unsafe_tree(tree->directory());
    const std::string what = tree->directory() + ": " + counted(catalog->migrations().size(), "migration");
    if (report.problems.empty()) {
      looks.good("tree", what);
    } else {
      looks.bad("tree", what + ", " + counted(report.problems.size(), "problem"),
                "'telec migrate lint' says how to mend them");
    }
  });
  std::optional<StateDirectory> directory;
  std::optional<History> history;
  looks.look("state", [&] {
    directory.emplace(state_path(invocation));
    StateFile state(*directory);
    history = state.load();
    if (const LostState lost = lost_state(state, *directory); !lost.message.empty()) {
      looks.bad("state", lost.message, lost.hint);
      return;
    }
    state.refuse_what_cannot_be_replaced();
    looks.good("state", state.exists()
                            ? directory->path() + ": " + std::to_string(history->applied().size()) + " recorded"
                            : directory->path() + ": none yet, nothing is recorded");
  });
  if (directory) {
    looks.look("lock", [&] {
      const std::string holder = directory->exists() ? lock_holder(directory->descriptor(), directory->name() + ".lock",
                                                                   directory->path() + ".lock")
                                                     : "";
      if (holder.empty()) {
        looks.good("lock", "free");
      } else {
        looks.bad("lock", "held by " + holder, "wait for it to end; there is nothing to delete");
      }
    });
    look_at_permissions(*directory, looks);
    look_at_logs(*directory, looks);
    look_at_place(directory->directory(), looks);
  }
  if (tree && catalog && history) {
    const Plan plan = make_plan(*catalog, *history, invocation.range);
    look_at_scripts(invocation, *tree, plan.pending(), looks);
  }
  voice.insist(invocation.quiet ? mend_text(report, voice.result_style()) : health_text(report, voice.result_style()));
  const bool well = std::ranges::all_of(report.health, &HealthCheck::ok);
  return voice.finish(report, well ? 0 : findings_exit_code);
}

}  // namespace telec
